"""Conversations at rest: in what order they lie, and what is done with them as wholes. Behind services.chat, above services.talks.

order      the list of them, held in memory; titles, pins, folders, the archive
titles     a better one than the first question, by the model that answered
moving     out to files, in from files
archives   the ZIP files that exports come in
search     titles and all that was said
adopting   what a program asked becomes a conversation
recorder   recordings: kept of a reply, brought, played
owning     whose a conversation is
deletion   thrown away at once, gone for good when there was time to bring them back
erasing    all that is of a person, deleted
"""
