"""Who may come in: people, their passwords, their sessions and keys. It knows no HTTP.

people.py      what is proved by a password, a cookie or a key, and the moment in which it does not any more
roll.py        all of them, and who was taken out
keys.py        keys made, used, limited, revoked
passwords.py   argon2id, in a thread
attempts.py    how often somebody may try a password
tokens.py      new secrets, and what is kept of them
spending.py    what a reply counts against a key
command.py     `main.py password` and `main.py person add`
oidc.py        who an OpenID Connect provider says it is
"""
