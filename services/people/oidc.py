"""Who an OpenID Connect provider says somebody is: the authorization code flow with PKCE, state and nonce; PyJWT checks the ID token.

    begin    where the browser is sent to, and what it has to bring back         OpenID Connect Core 1.0, 3.1; RFC 7636
    finish   what it brings becomes an ID token, and that a Claimed              3.1.3.7: issuer, audience, expiry, nonce, signature

Nothing that a browser brings is believed but for what the provider has signed, and what we have: nothing is kept here of who is on the
way, or whoever begins many logins would push those of others out. The provider's addresses come from its own discovery
document (OpenID Connect Discovery 1.0), which has to name the issuer of the settings.
"""

import asyncio
import base64
import hmac
import http.client
import importlib
import importlib.util
import json
import logging
import secrets
import time
import urllib.request
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec

from services.errors import SettingsError, Unauthorized
from services.people.tokens import new_token

log = logging.getLogger(__name__)

PATIENCE = 10.0  # seconds that the provider has for each answer
LARGEST = 1_000_000  # bytes of one
LASTS = 600.0  # seconds that somebody may take to log in over there
WANTED = 1_000  # characters of where they wanted to go: a cookie has 4096 bytes
LEEWAY = 60  # seconds that its clock and ours may differ
FRESH = 3600.0  # seconds that its addresses are believed
# No `none`, and nothing with a shared secret: a key that is public must not be taken for one.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
STRANGE = "The provider's answer cannot be used. Its administrator, or the log here, may know more."


class Registration(NamedTuple):
    """As settings have it."""

    issuer: str
    client_id: str
    secret: str
    callback: str
    claim: str
    allow: Sequence[str]
    admins: Sequence[str]


class Claimed(NamedTuple):
    subject: str
    name: str
    admin: bool


class _Flow(msgspec.Struct, frozen=True, array_like=True):
    """What a browser's cookie holds of a login on its way."""

    state: str
    nonce: str
    verifier: str
    next: str
    until: float


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def check_installed() -> None:
    """Raises SettingsError."""
    if importlib.util.find_spec("jwt") is None or importlib.util.find_spec("cryptography") is None:
        raise SettingsError("login.kind: OpenID Connect needs PyJWT: `uv run --extra oidc main.py`.")


class Provider:
    def __init__(self, registration: Registration) -> None:
        self._registration = registration
        self._secret = secrets.token_bytes(32)  # of this process: a restart ends what is on its way
        self._known: tuple[float, Mapping[str, Any]] = (0.0, {})
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)

    async def begin(self, wanted: str) -> tuple[str, str]:
        """The address at the provider, and what the browser's cookie shall hold. Raises Unauthorized."""
        there = await self._addresses()
        state, nonce, verifier = (new_token() for _ in range(3))
        flow = _Flow(state, nonce, verifier, wanted if len(wanted) <= WANTED else "/", time.time() + LASTS)
        challenge = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._registration.client_id,
            "redirect_uri": self._registration.callback,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        address = there["authorization_endpoint"]
        return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(query)}", self._signed(flow)

    async def finish(self, state: str, code: str, cookie: str) -> tuple[Claimed, str]:
        """Who it is, and where they wanted to go. Raises Unauthorized. That a code is good once is the provider's to see to."""
        flow = self._read(cookie)
        if flow is None or flow.until < time.time() or not hmac.compare_digest(flow.state.encode(), state.encode()):
            raise Unauthorized("This login was begun too long ago, or elsewhere. Try again.")
        claims = await self._verified(await self._token(code, flow.verifier), flow.nonce)
        return self._claimed(claims), flow.next

    def _signed(self, flow: _Flow) -> str:
        body = base64.urlsafe_b64encode(msgspec.json.encode(flow)).decode()
        return f"{body}.{self._signature(body)}"

    def _read(self, cookie: str) -> _Flow | None:
        body, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(body).encode()):
            return None
        return msgspec.json.decode(base64.urlsafe_b64decode(body), type=_Flow)

    def _signature(self, body: str) -> str:
        return hmac.new(self._secret, body.encode(), sha256).hexdigest()

    def _claimed(self, claims: Mapping[str, Any]) -> Claimed:
        mine = self._registration
        value = claims.get(mine.claim)
        if not isinstance(value, str) or not value:
            raise Unauthorized(f"The provider does not say who you are: `{mine.claim}` is missing.")
        if mine.claim == "email" and claims.get("email_verified") is not True:
            raise Unauthorized("The provider has not verified your address.")
        if not covers(mine.allow, value):
            raise Unauthorized("You are not among those who may come in here.")
        name = claims.get("name")
        return Claimed(
            f"{claims['iss']} {claims['sub']}", (name if isinstance(name, str) and name else value)[:80], covers(mine.admins, value)
        )

    async def _token(self, code: str, verifier: str) -> str:
        mine, there = self._registration, await self._addresses()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": mine.callback, "code_verifier": verifier}
        headers = {}
        ways = there.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if not mine.secret or "client_secret_basic" not in ways:
            form |= {"client_id": mine.client_id, **({"client_secret": mine.secret} if mine.secret else {})}
        else:
            pair = urlencode({mine.client_id: mine.secret}).replace("=", ":", 1)  # RFC 6749, 2.3.1
            headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        told = await self._ask(there["token_endpoint"], form, headers)
        token = told.get("id_token")
        if not isinstance(token, str):
            raise Unauthorized(STRANGE)
        return token

    async def _verified(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token, all of which have been checked."""
        jwt, mine, there = importlib.import_module("jwt"), self._registration, await self._addresses()
        signed = there.get("id_token_signing_alg_values_supported") or ["RS256"]
        keys = await self._ask(there["jwks_uri"])
        try:
            wanted = jwt.get_unverified_header(token).get("kid")
            found = [key for key in jwt.PyJWKSet.from_dict(keys).keys if key.public_key_use in (None, "sig")]
            key = next(key for key in found if key.key_id == wanted) if wanted or len(found) != 1 else found[0]
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[each for each in ALGORITHMS if each in signed],
                audience=mine.client_id,
                issuer=mine.issuer,
                leeway=LEEWAY,
                options={"require": ["iss", "sub", "aud", "exp", "iat"], "strict_aud": False},
            )
        except (jwt.PyJWTError, StopIteration, ValueError) as exc:
            log.warning("the provider's ID token is not accepted: %r", exc)
            raise Unauthorized(STRANGE) from exc
        party = claims.get("azp")
        if (isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and party is None) or party not in (None, mine.client_id):
            raise Unauthorized(STRANGE)
        if not hmac.compare_digest(str(claims.get("nonce", "")), nonce):
            raise Unauthorized(STRANGE)
        return claims

    async def _addresses(self) -> Mapping[str, Any]:
        """The discovery document."""
        at, known = self._known
        if not known or at < time.monotonic() - FRESH:
            issuer = self._registration.issuer
            known = await self._ask(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if known.get("issuer") != issuer or not all(_like(known.get(name), issuer) for name in needed):
                raise Unauthorized("The provider calls itself otherwise than login.issuer does, or leaves out where it is.")
            self._known = time.monotonic(), known
        return known

    async def _ask(self, url: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        return await asyncio.to_thread(self._ask_now, url, form, headers or {})

    def _ask_now(self, url: str, form: Mapping[str, str] | None, headers: Mapping[str, str]) -> dict[str, Any]:
        body = urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(url, body, {"accept": "application/json", **headers})  # noqa: S310 - http(s): settings and _like see to it
        try:
            with self._opener.open(request, timeout=PATIENCE) as answer:
                told = json.loads(answer.read(LARGEST))
        except (OSError, ValueError, RecursionError, http.client.HTTPException) as exc:
            log.warning("the provider does not answer as it should at %s: %r", url, exc)
            raise Unauthorized("The provider cannot be reached, or does not answer as it should. Try again in a moment.") from exc
        if not isinstance(told, dict):
            raise Unauthorized(STRANGE)
        return told


def covers(whom: Sequence[str], value: str) -> bool:
    """`*`, a whole domain as `@example.org`, or exactly this one; capitals count for nothing.

    lower(), not casefold(): that takes `straße.de`, which may be somebody else's domain (RFC 5894, 7.2), for `strasse.de`.
    """
    value = value.lower()
    local, _, domain = value.partition("@")
    return any(bool(local) and each == f"@{domain}" if each.startswith("@") else each in ("*", value) for each in whom)


def _like(url: object, issuer: str) -> bool:
    """Not from TLS to none."""
    return isinstance(url, str) and (url.startswith("https://") or (issuer.startswith("http://") and url.startswith("http://")))
