"""What an application behind Portcullis needs: who is calling, and how it begins and ends sessions.

Needs `cryptography` (38 or newer) and nothing else.

    portcullis = Portcullis(
        guard="https://shop.example.com",    # where the guard answers from here; its keys are fetched there
        issuer="https://shop.example.com",   # `public_url` of the policy
        audience="shop",                     # `[identity.application] audience`, or the policy's `name`
        secret=os.environ["PORTCULLIS_APPLICATION_SECRET"],  # `[identity.application] secret`, hex or base64url
    )
    caller = portcullis.verify_identity("GET", "/me", headers)  # None: nobody is signed in
    headers["Portcullis-Session"] = portcullis.session_message("POST", "/login", headers, "create", user="u1")
"""

import base64
import hashlib
import hmac
import json
import re
import threading
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Callable, Mapping, Optional, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEYS_PATH = "/.portcullis/jwks.json"
TOKEN_BYTES_MAX = 8 * 1024
KEYS_BYTES_MAX = 64 * 1024
KEYS_COUNT_MAX = 16
LEEWAY_SECONDS = 5
IDENTITY_SECONDS_MAX = 60
MESSAGE_SECONDS = 30
FETCH_SECONDS = 3
# Known keys are used for so long without another look, and for so long when the guard cannot be asked.
FRESH_SECONDS = 300
STALE_SECONDS = 3_600
# A key that is not known is asked for once, and not again before so many seconds have passed.
AGAIN_SECONDS = 10
OPERATIONS = ("create", "rotate", "end", "end_all")


class IdentityError(Exception):
    """Why an identity is refused. Its message is for the log, not for the caller."""


@dataclass(frozen=True)
class Caller:
    """Who is calling."""

    user: str
    tenant: Optional[str]
    roles: Sequence[str]
    session: object
    signed_in_at: object


class Portcullis:
    """One for each application; threads may share it. `now` gives seconds since 1970, and is there for tests."""

    def __init__(self, guard: str, issuer: str, audience: str, secret: str, now: Callable[[], float] = time.time):
        for name, value in (("guard", guard), ("issuer", issuer), ("audience", audience)):
            if not _is_text(value):
                raise ValueError(f"`{name}` is needed")
        self._guard = urllib.parse.urljoin(guard, KEYS_PATH)
        self._issuer = issuer
        self._audience = audience
        self._secret = _decoded_secret(secret)
        self._now = now
        self._keys: Mapping[str, Ed25519PublicKey] = {}
        self._fetched_at = self._asked_at = float("-inf")
        self._lock = threading.Lock()

    def verify_identity(self, method: str, path: str, headers: Mapping[str, str]) -> Optional[Caller]:
        """Who is calling, or None where the guard says that nobody is.

        Raises IdentityError where it cannot be believed: answer 401 and nothing else then. The path is the one that came, as
        it was written, without its query; `written_path` makes it of a decoded one.
        """
        token = _header(headers, "portcullis-identity")
        if token is None:
            return None
        kid, signed, signature, claims = _parsed(token)
        try:
            self._key(kid).verify(signature, signed)
        except InvalidSignature:
            raise IdentityError("the signature is wrong") from None

        now = self._now()
        iat, exp = claims.get("iat"), claims.get("exp")
        _require(claims.get("iss") == self._issuer, "`iss` is another guard")
        _require(claims.get("aud") == self._audience, "`aud` is another application")
        _require(_is_number(iat) and _is_number(exp), "`iat` and `exp` are needed")
        _require(0 < exp - iat <= IDENTITY_SECONDS_MAX, "it is valid for too long")
        _require(iat <= now + LEEWAY_SECONDS, "it is from the future")
        _require(exp > now - LEEWAY_SECONDS, "it has expired")
        # What was made for another request is refused: whoever got hold of a header cannot use it elsewhere.
        jti = claims.get("jti")
        _require(_is_text(jti) and jti == _header(headers, "x-request-id"), "`jti` is another request")
        _require(claims.get("htm") == method, "`htm` is another method")
        _require(claims.get("htu") == path, "`htu` is another path")
        user, roles, tenant = claims.get("sub"), claims.get("roles"), claims.get("tid")
        _require(_is_text(user), "`sub` is needed")
        _require(isinstance(roles, list) and all(_is_text(role) for role in roles), "`roles` is needed")
        _require("tid" not in claims or _is_text(tenant), "`tid` is no text")
        return Caller(user, tenant, tuple(roles), claims.get("sid"), claims.get("auth_time"))

    def session_message(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        op: str,
        *,
        user: Optional[str] = None,
        tenant: Optional[str] = None,
        roles: Optional[Sequence[str]] = None,
    ) -> str:
        """The value of the response's field `Portcullis-Session`, good for the answer to this request alone.

        `create` (user, tenant, roles), `rotate` (tenant, roles: what changes), `end` (this session), `end_all` (all of this
        user's).
        """
        if op not in OPERATIONS:
            raise ValueError(f"there is no operation `{op}`")
        if (op == "create") != (user is not None):
            raise ValueError("`user` belongs to `create`")
        if op.startswith("end") and (tenant is not None or roles is not None):
            raise ValueError("an end changes nothing else")
        jti = _header(headers, "x-request-id")
        if jti is None:
            raise ValueError("there is no X-Request-Id: is the guard before this application?")
        iat = int(self._now())
        claims = {"aud": "portcullis", "iat": iat, "exp": iat + MESSAGE_SECONDS, "jti": jti, "htm": method, "htu": path, "op": op}
        more = {"sub": user, "tid": tenant, "roles": None if roles is None else list(roles)}
        claims.update((name, value) for name, value in more.items() if value is not None)
        signed = f"{_encoded({'alg': 'HS256', 'typ': 'portcullis-session+jwt'})}.{_encoded(claims)}"
        mac = hmac.new(self._secret, signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{_base64url(mac)}"

    def _key(self, kid: str) -> Ed25519PublicKey:
        cause = None
        with self._lock:
            is_fresh = self._now() - self._fetched_at < FRESH_SECONDS
            if not (is_fresh and kid in self._keys) and self._now() - self._asked_at >= AGAIN_SECONDS:
                self._asked_at = self._now()
                try:
                    self._keys = _fetched(self._guard)
                    self._fetched_at = self._now()
                except Exception as error:  # whatever it is, there are no new keys
                    cause = error
            if self._now() - self._fetched_at >= STALE_SECONDS:
                raise IdentityError("the guard's keys cannot be fetched") from cause
            key = self._keys.get(kid)
        if key is None:
            raise IdentityError("there is no such key")
        return key


def written_path(path: str) -> str:
    """The path as the guard forwards it, of one that a framework has decoded (`request.path` of Django, `scope["path"]`).

    The guard has one spelling for each path, and refuses escapes of `/`, `%`, `;` and the like, so it can be written again.
    """
    plain = urllib.parse.quote(path, safe="/-._~!&',=@:")
    return plain.replace("/:", "/%3A")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def _fetched(url: str) -> Mapping[str, Ed25519PublicKey]:
    with urllib.request.build_opener(_NoRedirect).open(url, timeout=FETCH_SECONDS) as answer:
        text = answer.read(KEYS_BYTES_MAX + 1)
    if len(text) > KEYS_BYTES_MAX:
        raise ValueError("the key set is too long")
    keys = {}
    for key in json.loads(text)["keys"][:KEYS_COUNT_MAX]:
        # The kind of key is settled here, so that no token can choose another.
        kind = (key.get("kty"), key.get("crv"), key.get("use"), key.get("alg"))
        if kind == ("OKP", "Ed25519", "sig", "EdDSA") and _is_text(key.get("kid")):
            keys[key["kid"]] = Ed25519PublicKey.from_public_bytes(_bytes(key["x"]))
    return keys


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise IdentityError(reason)


def _parsed(token: str):
    """The parts of a compact JWS. Of its header nothing is believed but which key it names."""
    parts = token.split(".")
    _require(len(token) <= TOKEN_BYTES_MAX and len(parts) == 3, "it is no compact JWS")
    header, claims = (_object(_bytes(part)) for part in parts[:2])
    # RFC 8725 §3.1: the algorithm is ours to say, so another one is refused before any key is looked at.
    _require(header.get("alg") == "EdDSA", "`alg` is not EdDSA")
    _require(header.get("typ") == "portcullis-identity+jwt", "`typ` is another kind of token")
    _require("crit" not in header, "`crit` is not understood")
    _require(_is_text(header.get("kid")), "`kid` is needed")
    signature = _bytes(parts[2])
    _require(len(signature) == 64, "the signature is wrong")
    return header["kid"], f"{parts[0]}.{parts[1]}".encode("ascii"), signature, claims


def _bytes(text: str) -> bytes:
    """Base64url without padding, in the one spelling that its bytes have."""
    _require(re.fullmatch(r"[A-Za-z0-9_-]+", text) is not None and len(text) % 4 != 1, "it is not base64url")
    read = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    _require(_base64url(read) == text, "it is not base64url")
    return read


def _object(read: bytes) -> dict:
    try:
        value = json.loads(read.decode("utf-8"))
    except (ValueError, RecursionError):
        raise IdentityError("it is no JSON") from None
    _require(isinstance(value, dict), "it is no JSON object")
    return value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_number(value: object) -> bool:
    # In Python a truth value is a number.
    return isinstance(value, int) and not isinstance(value, bool)


def _header(headers: Mapping[str, str], name: str) -> Optional[str]:
    """One value, whatever the mapping does about letter case; where a field came twice, none of the two is meant."""
    values = [value for key, value in headers.items() if key.lower() == name]
    return ", ".join(values) if values else None


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _encoded(value: object) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _decoded_secret(text: str) -> bytes:
    """A text of hex digits alone is hex, as the guard reads it."""
    try:
        secret = bytes.fromhex(text) if re.fullmatch("[0-9a-fA-F]+", text) else _bytes(text)
    except (TypeError, ValueError, IdentityError):
        secret = b""
    if len(secret) < 32:
        raise ValueError("`secret` has to be 32 bytes or more, in hex or base64url")
    return secret
