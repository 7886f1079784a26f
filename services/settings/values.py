"""What a value may be: the types of settings that are more than a number or a word. Each mistake says what was expected."""

import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, Strict

# Addresses that hand out a cloud machine's credentials to whoever asks from inside it: never a model server.
METADATA = tuple(map(ip_network, ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32")))
METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog"})
NAT64 = ip_network("64:ff9b::/96")

# What is checked must be what is called: urlsplit drops tabs and line ends, and some clients read \\ as /.
URL = re.compile(r"https?://([a-z0-9_][a-z0-9._-]*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?(/[a-z0-9._~%!$&'()*+,;=:/-]*)?", re.IGNORECASE | re.ASCII)
ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
DATABASE = re.compile(r"memory|sqlite|sqlite:///[^?#]+|postgresql://\S+")
SLUG = re.compile(r"[A-Za-z0-9._-]{1,64}")

HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252})")
ARGON2 = re.compile(r"\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+")
WHOM = re.compile(r"\*|@[a-z0-9.-]+|[^\s@]+(@[a-z0-9.-]+)?", re.IGNORECASE)


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _host(host: str) -> str:
    try:
        ip_address(host)
    except ValueError:
        if not HOST.fullmatch(host):
            raise ValueError("expected an address such as 127.0.0.1 or ::1, or a host name") from None
    return host


def _argon2(hash: SecretStr) -> SecretStr:
    if not ARGON2.fullmatch(hash.get_secret_value()):
        raise ValueError("expected the line that `main.py password` writes; it begins with $argon2id$")
    return hash


def _public_url(url: str) -> str:
    if url and not ORIGIN.fullmatch(url.rstrip("/")):
        raise ValueError("expected what people type, without a path, such as https://chat.example.org")
    return url.rstrip("/")


def _whom(each: str) -> str:
    if not WHOM.fullmatch(each):
        raise ValueError("expected an address such as ada@example.org, all of a domain as @example.org, or * for everybody")
    return each.lower()


def _host_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+", name):
        raise ValueError("expected a bare name such as chat.example.org: no scheme, no port, no *")
    return name.lower()


def _network(address: str) -> str:
    try:
        return str(ip_network(address))
    except ValueError as exc:
        raise ValueError("expected an address or a network such as 10.0.0.2 or 172.16.0.0/12") from exc


def _origin(origin: str) -> str:
    shape = ORIGIN.fullmatch(origin)
    if not shape or (shape[1], shape[3]) in {("http", ":80"), ("https", ":443")}:
        raise ValueError(
            "expected an origin as browsers send it, such as https://chat.example.org or http://localhost:3000: "
            "lower case, no path, no default port, no *"
        )
    return origin


def _model_name(model: str) -> str:
    if model and not re.fullmatch(r"[^/\s]+/\S+", model):
        raise ValueError("expected upstream/model, such as ollama/llama3.2, or nothing")
    return model


def _database(url: str) -> str:
    if not DATABASE.fullmatch(url):
        raise ValueError("expected sqlite, memory, sqlite:///PATH (sqlite:////PATH from the root) or postgresql://USER:PASSWORD@HOST/NAME")
    return url


def without_password(url: str) -> str:
    """A database's URL as it may be shown."""
    return re.sub(r"^(\w+://[^:/@]*):.*@", r"\1:***@", url)


def _slug(name: str) -> str:
    if not SLUG.fullmatch(name):
        raise ValueError("expected a short name made of letters, digits and . _ -")
    if name.lower() == "rehearsal":
        raise ValueError("expected another name: rehearsal is the built-in upstream")
    return name


def _header_safe(key: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]+", key.get_secret_value()):
        raise ValueError(
            "expected a key of printable ASCII characters, without spaces or line ends (it is sent as a header); leave it out for none"
        )
    return key


def server_url(url: str) -> str:
    """Raises ValueError unless `url` is plainly http(s)://host[:port][/path] and the host is no metadata service."""
    try:
        host, port = _endpoint(url) if URL.fullmatch(url) else ("", 0)
    except ValueError:
        host, port = "", 0
    if not port:
        raise ValueError(
            "expected http:// or https://, a host and perhaps a port and a path, such as http://127.0.0.1:11434; no user, password or query"
        )
    if host in METADATA_NAMES or metadata(host):
        raise ValueError("expected a model server: this is a link-local or cloud metadata address, which may hand out credentials")
    return url.rstrip("/")


def _issuer(url: str) -> str:
    if url and not URL.fullmatch(url):
        raise ValueError("expected the provider's URL, as its own documents give it, such as https://accounts.example.org/realms/main")
    return url


def metadata(host: str) -> bool:
    """Whether it spells a link-local address, or one of a cloud's that hands out credentials."""
    address = _address(host)
    return any(address in network for network in METADATA if address)


def _endpoint(url: str) -> tuple[str, int]:
    """The host, in lower case, and the port that a URL leads to. Raises ValueError for a port or an IPv6 address that is none."""
    split = urlsplit(url)
    port = (443 if split.scheme == "https" else 80) if split.port is None else split.port
    return (split.hostname or "").rstrip("."), port


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host spells, or None for a name.

    inet_aton knows every spelling that connect() would take: 2852039166, 0xa9fea9fe, 0251.0376.43518 are 169.254.169.254.
    """
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        pass
    try:
        address = IPv6Address(host)
    except ValueError:
        return None
    inner = IPv4Address(address.packed[-4:]) if address in NAT64 else address.ipv4_mapped or address.sixtofour
    return inner or address


def _collector(url: str) -> str:
    if url and not URL.fullmatch(url):
        raise ValueError("expected the address of a collector, such as http://127.0.0.1:4318/v1/traces, or nothing")
    return url


def is_local(url: str, port: int) -> bool:
    """Whether that is a port of this machine."""
    host, its_port = _endpoint(url)
    address = _address(host)
    here = host == "localhost" if address is None else address.is_loopback or address.is_unspecified
    return here and its_port == port


Host = Annotated[str, AfterValidator(_host)]
Names = Annotated[tuple[Annotated[str, AfterValidator(_host_name)], ...], Strict(False)]
Proxies = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], Strict(False)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], Strict(False)]
Models = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Strict(False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Whom = Annotated[tuple[Annotated[str, AfterValidator(_whom)], ...], Strict(False)]
Secret = Annotated[SecretStr, AfterValidator(_header_safe)]
Hash = Annotated[SecretStr, AfterValidator(_argon2)]
PublicURL = Annotated[str, AfterValidator(_public_url)]
Issuer = Annotated[str, AfterValidator(_issuer)]
Database = Annotated[str, AfterValidator(_database)]
ModelName = Annotated[str, AfterValidator(_model_name)]
Collector = Annotated[str, AfterValidator(_collector)]
Slug = Annotated[str, AfterValidator(_slug)]
ServerURL = Annotated[str, AfterValidator(server_url)]
