"""What nobody may see of a request: keys, in whatever place they turn up. All others read records through here."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit, urlunsplit

# Headers that tell no secret; of all others only the name is kept.
PLAIN = frozenset(
    {
        "accept", "accept-encoding", "anthropic-beta", "anthropic-version", "cache-control", "connection", "content-encoding",
        "content-length", "content-type", "date", "keep-alive", "openai-processing-ms", "openai-version", "request-id", "retry-after",
        "server", "transfer-encoding", "user-agent", "vary", "via", "x-accel-buffering", "x-request-id",
    }
)  # fmt: skip
PLAIN_BEGINNINGS = ("x-ratelimit-", "anthropic-ratelimit-", "headrace-")
HIDDEN = "(hidden)"
SHORTEST = 12  # characters of a key that is looked for in texts; shorter ones are placeholders, such as `ollama` or `none`


def headers(given: Mapping[str, str]) -> dict[str, str]:
    return {name: value if _is_plain(name.lower()) else HIDDEN for name, value in given.items()}


def _is_plain(name: str) -> bool:
    return name in PLAIN or name.startswith(PLAIN_BEGINNINGS)


def url(given: str) -> str:
    """Without user, password and the values of its query."""
    split = urlsplit(given)
    query = "&".join(each if each == "alt=sse" else f"{each.partition('=')[0]}={HIDDEN}" for each in split.query.split("&") if each)
    return urlunsplit((split.scheme, split.netloc.rpartition("@")[2], split.path, query, ""))


def masked(data: bytes, secrets: Iterable[bytes]) -> bytes:
    """The same number of bytes, with a star for each one of a secret."""
    for secret in secrets:
        if len(secret) >= SHORTEST and secret in data:
            data = data.replace(secret, b"*" * len(secret))
    return data
