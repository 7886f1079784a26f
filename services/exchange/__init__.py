"""Conversations as files, and files as conversations. Pure: values in, text or bytes out, and back; no I/O, no clock.

    exporting.py    conversations -> one file: Markdown, HTML, Headrace's own JSON, or an archive of them
    markdown.py     a conversation as people read it in an editor
    page.py         the same as one HTML file; style.py is what it looks like
    names.py        file names that every system takes
    importing.py    a file in pieces -> its conversations one by one, and what was left out of each
    pieces.py       where in the file each conversation begins and ends
    headrace.py     Headrace's own JSON, both ways: nothing is lost
    chatgpt.py, claude.py, open_webui.py    one conversation of a foreign export -> what was said in it
    tree.py         what was said, however its links lie -> nodes
    loose.py        values of a file that nobody vouches for

Rule 1: a file is hostile. All that is raised because of one is Invalid, and only when nothing in it is a conversation.
Rule 2: a text stays the text it is. Nothing in it is evaluated or fetched; on its way into HTML it is escaped.
Rule 3: what is left out is said, in a sentence, with its conversation.
"""
