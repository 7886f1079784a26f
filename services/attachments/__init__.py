"""Attached files: what a person gives along with a question. Kept once, by what is in them; no model and no page sees them otherwise.

    attachments.py   take one, look one up, put them into what a model is asked, sweep what nobody refers to
    kinds.py         what a file is, told by its bytes; whatever is none of these is refused
    images.py        the size of a picture, read from its header: nothing here decodes one
    names.py         a file's name as it may be shown, saved and written into a prompt
    blocks.py        a file as text for a model
    pdf.py           the text of a PDF, read by a process of its own (pdf_worker.py), which may take so long and so much
    shelf.py         where the bytes are: a folder, or memory

Files are data: nothing here runs, opens or follows what is in them.
"""
