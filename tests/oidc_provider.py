"""A little OpenID Connect provider in a process of its own: `python -m tests.oidc_provider`. It writes its address, and lets everybody in.

Whom it lets in, and what is wrong with its word, is set by `POST /set` as JSON: claims to be changed (null takes one away), or
`{"fault": "other key" | "alg none" | "shared secret" | "no HTTP"}`.
"""

import base64
import json
import secrets
import signal
import sys
import time
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.listening import Handler, listening

CLIENT, SECRET = "headrace", "client-secret:100%+&="
KEYS = {name: rsa.generate_private_key(65537, 2048) for name in ("ours", "other")}


class Provider(Handler):
    changed: dict[str, Any] = {}  # noqa: RUF012
    codes: dict[str, dict[str, str]] = {}  # noqa: RUF012

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        match split.path:
            case "/.well-known/openid-configuration":
                self.answer(
                    200,
                    {
                        "issuer": self.issuer,
                        "authorization_endpoint": f"{self.issuer}/authorize",
                        "token_endpoint": f"{self.issuer}/token",
                        "jwks_uri": f"{self.issuer}/keys",
                        "id_token_signing_alg_values_supported": ["RS256"],
                    },
                )
            case "/keys":
                public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEYS["ours"].public_key()))
                self.answer(200, {"keys": [{**public, "kid": "ours", "use": "sig"}]})
            case "/authorize":
                assert query["response_type"] == "code"
                assert query["code_challenge_method"] == "S256"
                code = secrets.token_urlsafe(8)
                self.codes[code] = query
                self.answer(302, location=f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}")

    def do_POST(self) -> None:
        body = self.body().decode()
        if self.path == "/set":
            self.changed.clear()
            self.changed.update(json.loads(body))
            self.answer(200, {})
            return
        if self.changed.get("fault") == "no HTTP":
            self.wfile.write(b"220 mail.example.org ESMTP\r\n")
            return
        form = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self.codes.pop(form["code"], None)
        who = base64.b64decode(self.headers["authorization"].removeprefix("Basic ")).decode().split(":")
        proof = base64.urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        known = [unquote(each.replace("+", " ")) for each in who] == [CLIENT, SECRET]
        if asked is None or not known or proof != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            self.answer(400, {"error": "invalid_grant"})
            return
        self.answer(200, {"token_type": "Bearer", "access_token": "none of your business", "id_token": self._id_token(asked["nonce"])})

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer, "sub": "1", "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": nonce,
            "email": "ada@example.org", "email_verified": True, "name": "Ada",
        }  # fmt: skip
        changed = {name: value for name, value in self.changed.items() if name != "fault"}
        claims = {name: value for name, value in {**claims, **changed}.items() if value is not None}
        match self.changed.get("fault"):
            case "other key":
                return jwt.encode(claims, KEYS["other"], "RS256", headers={"kid": "ours"})
            case "alg none":
                return jwt.encode(claims, "", "none", headers={"kid": "ours"})
            case "shared secret":
                return jwt.encode(claims, SECRET * 2, "HS256", headers={"kid": "ours"})
        return jwt.encode(claims, KEYS["ours"], "RS256", headers={"kid": "ours"})


if __name__ == "__main__":
    with listening(Provider) as port:
        sys.stdout.write(f"http://127.0.0.1:{port}\n")
        sys.stdout.flush()
        signal.pause()
