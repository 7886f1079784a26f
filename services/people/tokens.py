"""Secrets of 256 bits, and what is kept of them. They cannot be guessed, so a plain hash is enough: no salt, nothing slow."""

import secrets
from hashlib import sha256

PREFIX = "hr_"  # of a key, so that people, and programs that look for leaked secrets, know one when they see it
SHOWN = 8  # characters of a key by which its owner knows it again


def new_key() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def new_token() -> str:
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
