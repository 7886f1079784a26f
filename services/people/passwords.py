"""Passwords as argon2id hashes. Making and checking one takes 64 MB and tens of milliseconds on purpose: in a thread, two at a time."""

import asyncio
import importlib
from typing import Any

from services.errors import Invalid

SHORTEST, LONGEST = 8, 1000  # characters
_AT_ONCE = asyncio.Semaphore(2)
# Of a password that nobody knows: who is not there costs as much time as who is.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$IEBeDUafkCP0Uswi1LcuWA$CBJVuriLRVAVOSqqKQiVD1j3Caai4t7AQLnqlN+mVcM"


def hashed(password: str) -> str:
    """Blocks. Raises Invalid for one that is too short."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(f"A password has at least {SHORTEST} characters.")
    return str(_argon2().PasswordHasher().hash(password))


async def make(password: str) -> str:
    async with _AT_ONCE:
        return await asyncio.to_thread(hashed, password)


async def fits(password: str, hash: str) -> bool:
    """Against nobody's when there is none, so that both take the same time."""
    async with _AT_ONCE:
        return await asyncio.to_thread(_fits, password[: LONGEST + 1], hash or NOBODY) and bool(hash)


def _fits(password: str, hash: str) -> bool:
    argon2 = _argon2()
    try:
        return bool(argon2.PasswordHasher().verify(hash, password))
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _argon2() -> Any:
    """On first use: most starts need none."""
    importlib.import_module("argon2.exceptions")
    return importlib.import_module("argon2")
