"""The database's shape, step by step: one file per revision in versions/, run by Alembic when the stored revision is not the last.

    0001    conversations and their nodes
    0002    preferences
    0003    conversations pinned, in folders, archived, named; their manner; those about to be deleted
    0004    the attached files that a conversation refers to; the messages that wait in it
    0005    whose each conversation is; people, keys and sessions

A new one is a file there, its number here, and a row in the test that upgrades from every revision. A revision that was released is
never changed.
"""

REVISIONS = ("0001", "0002", "0003", "0004", "0005")
