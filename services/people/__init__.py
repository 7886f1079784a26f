"""Who may come in: people, their passwords, their sessions and keys. It knows no HTTP.

people.py      all of them, in memory and in the store; what is proved by a cookie or a key
keys.py        keys made, used, limited, revoked
passwords.py   argon2id, in a thread
attempts.py    how often somebody may try a password
tokens.py      new secrets, and what is kept of them
oidc.py        who an OpenID Connect provider says it is
"""
