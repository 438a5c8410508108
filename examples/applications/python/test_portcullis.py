"""What is refused. `python3 -m unittest`"""

import base64
import hashlib
import hmac
import json
import threading
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from portcullis import Caller, IdentityError, Portcullis, written_path

NOW = 1_800_000_000
SECRET = "7a93d05b8f1c2e64" * 4
HEADER = {"alg": "EdDSA", "typ": "portcullis-identity+jwt", "kid": "k1"}
CLAIMS = {
    "iss": "https://shop.example.com", "aud": "shop", "sub": "u1", "roles": ["user"], "sid": "s1", "auth_time": NOW - 9,
    "iat": NOW, "exp": NOW + 60, "jti": "r1", "htm": "GET", "htu": "/me",
}
KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
# What stands for a claim or a header that is left out.
NONE = object()


def encode(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def public(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def jwk(key, kid="k1", **more):
    return {"kty": "OKP", "crv": "Ed25519", "x": encode(public(key)), "kid": kid, "use": "sig", "alg": "EdDSA", **more}


def changed(base, change):
    return {name: value for name, value in {**base, **change}.items() if value is not NONE}


def token(claims=None, header=None, key=KEY):
    signed = f"{encode(changed(HEADER, header or {}))}.{encode(changed(CLAIMS, claims or {}))}"
    return f"{signed}.{encode(key.sign(signed.encode()))}"


class Guard(BaseHTTPRequestHandler):
    keys, status, fetches = [jwk(KEY)], 200, 0

    def do_GET(self):
        Guard.fetches += 1
        self.send_response(Guard.status if self.path == "/.portcullis/jwks.json" else 404)
        if Guard.status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(json.dumps({"keys": Guard.keys}).encode())

    def log_message(self, *_):
        pass


class Refusals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = HTTPServer(("127.0.0.1", 0), Guard)
        cls.guard = f"http://127.0.0.1:{cls.server.server_port}"
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()

    def setUp(self):
        Guard.keys, Guard.status, Guard.fetches = [jwk(KEY)], 200, 0
        self.now = NOW

    def portcullis(self):
        return Portcullis(self.guard, CLAIMS["iss"], "shop", SECRET, lambda: self.now)

    def verified(self, identity, method="GET", path="/me", request_id="r1", one=None):
        headers = {"X-Request-Id": request_id, "Portcullis-Identity": identity}
        headers = {name: value for name, value in headers.items() if value is not None}
        return (one or self.portcullis()).verify_identity(method, path, headers)

    def refused(self, identity, reason, **request):
        with self.assertRaisesRegex(IdentityError, reason):
            self.verified(identity, **request)

    def test_a_caller_is_known(self):
        self.assertEqual(self.verified(token()), Caller("u1", None, ("user",), "s1", NOW - 9))
        self.assertEqual(self.verified(token({"tid": "t1"})).tenant, "t1")

    def test_without_the_field_nobody_is_calling(self):
        self.assertIsNone(self.verified(None))

    def test_what_was_made_for_something_else_is_refused(self):
        self.refused(token({"iss": "https://evil.example.com"}), "`iss`")
        self.refused(token({"aud": "bank"}), "`aud`")
        self.refused(token({"aud": ["shop", "bank"]}), "`aud`")
        self.refused(token(), "`htu`", path="/admin")
        self.refused(token(), "`htu`", path="/me/")
        self.refused(token(), "`htm`", method="POST")
        self.refused(token(), "`jti`", request_id="r2")
        self.refused(token(), "`jti`", request_id=None)
        self.refused(token({"jti": NONE}), "`jti`", request_id=None)

    def test_what_is_not_of_now_is_refused(self):
        self.refused(token({"iat": NOW - 66, "exp": NOW - 6}), "expired")
        self.refused(token({"iat": NOW + 6}), "future")
        self.refused(token({"exp": NOW + 61}), "too long")
        self.refused(token({"exp": NOW}), "too long")
        self.refused(token({"exp": str(NOW + 60)}), "needed")
        self.refused(token({"exp": NOW + 60.5}), "needed")
        self.refused(token({"iat": True, "exp": 60}), "needed")
        self.refused(token({"iat": NONE}), "needed")
        self.assertTrue(self.verified(token({"iat": NOW - 64, "exp": NOW - 4})))
        self.assertTrue(self.verified(token({"iat": NOW + 5})))

    def test_what_has_another_form_is_refused(self):
        self.refused(token({"sub": ""}), "`sub`")
        self.refused(token({"sub": 7}), "`sub`")
        self.refused(token({"roles": "admin"}), "`roles`")
        self.refused(token({"tid": 7}), "`tid`")
        self.refused("", "JWS")
        self.refused("a.b", "JWS")
        self.refused(token() + ".x", "JWS")
        self.refused(token() + "=", "base64url")
        self.refused(f"{token()}, {token()}", "JWS")
        self.refused(token({"more": "x" * 8192}), "JWS")
        self.refused(f"{encode(b'[]')}.{encode(b'{}')}.{encode(b'x')}", "object")
        self.refused(f"{encode(b'{')}.{encode(b'{}')}.{encode(b'x')}", "JSON")
        self.refused(f"{encode(bytes([255]))}.{encode(b'{}')}.{encode(b'x')}", "JSON")

    def test_no_signature_but_the_guards_own(self):
        self.refused(token(key=OTHER), "signature")
        header, claims, signature = token().split(".")
        self.refused(f"{header}.{encode({**CLAIMS, 'sub': 'u2'})}.{signature}", "signature")
        altered = bytearray(base64.urlsafe_b64decode(signature + "=="))
        altered[0] ^= 1
        self.refused(f"{header}.{claims}.{encode(bytes(altered))}", "signature")
        self.refused(f"{header}.{claims}.", "base64url")
        for alg in ("none", "None", "HS256", "eddsa", "Ed25519", NONE):
            self.refused(token(header={"alg": alg}), "`alg`")
        # The public key as the secret of an HMAC: whoever lets the token choose the algorithm takes this.
        for alg, reason in (("HS256", "`alg`"), ("EdDSA", "signature")):
            signed = f"{encode({**HEADER, 'alg': alg})}.{claims}"
            mac = hmac.new(public(KEY), signed.encode(), hashlib.sha256).digest()
            self.refused(f"{signed}.{encode(mac)}", reason)
        self.refused(token(header={"typ": "JWT"}), "`typ`")
        self.refused(token(header={"typ": "portcullis-session+jwt"}), "`typ`")
        self.refused(token(header={"crit": ["b64"]}), "`crit`")
        self.refused(token(header={"kid": NONE}), "`kid`")
        # A key that the token brings itself is not looked at.
        self.refused(token(header={"jwk": jwk(OTHER)}, key=OTHER), "signature")

    def test_keys_are_fetched_once_and_once_more_for_a_kid_that_is_not_known(self):
        one = self.portcullis()
        for _ in range(3):
            self.verified(token(), one=one)
        self.assertEqual(Guard.fetches, 1)
        unknown = token(header={"kid": "k2"}, key=OTHER)
        for _ in range(2):
            self.refused(unknown, "no such key", one=one)
        self.assertEqual(Guard.fetches, 1, "not again so soon")
        self.now += 10
        Guard.keys = [jwk(KEY), jwk(OTHER, "k2")]
        self.assertTrue(self.verified(unknown, one=one))
        self.assertEqual(Guard.fetches, 2)

    def test_keys_of_another_kind_are_not_used(self):
        for change in ({"alg": "HS256"}, {"use": "enc"}, {"kty": "oct"}, {"crv": "X25519"}):
            Guard.keys = [jwk(KEY, **change)]
            self.refused(token(), "no such key")

    def test_a_guard_that_cannot_be_asked_is_no_reason_to_pass(self):
        for Guard.status in (302, 404, 500):
            self.refused(token(), "cannot be fetched")
        Guard.status = 200
        one = self.portcullis()
        self.assertTrue(self.verified(token(), one=one))
        Guard.status = 500
        # What was known is used for an hour.
        self.now += 3_000
        self.assertTrue(self.verified(token({"iat": self.now, "exp": self.now + 60}), one=one))
        self.now += 700
        # Also when it is not asked again, as it was a moment ago.
        for _ in range(2):
            self.refused(token({"iat": self.now, "exp": self.now + 60}), "cannot be fetched", one=one)

    def test_a_message_answers_one_request(self):
        headers = {"x-request-id": "r1"}
        value = self.portcullis().session_message("POST", "/login", headers, "create", user="u1", roles=["user"])
        header, claims, mac = value.split(".")
        expected = hmac.new(bytes.fromhex(SECRET), f"{header}.{claims}".encode(), hashlib.sha256).digest()
        self.assertEqual(mac, encode(expected))
        read = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims)]
        self.assertEqual(read, [
            {"alg": "HS256", "typ": "portcullis-session+jwt"},
            {"aud": "portcullis", "iat": NOW, "exp": NOW + 30, "jti": "r1", "htm": "POST", "htu": "/login", "op": "create",
             "sub": "u1", "roles": ["user"]},
        ])

    def test_a_message_that_means_nothing_is_not_made(self):
        def made(op, headers=None, **more):
            return self.portcullis().session_message("POST", "/", headers or {"x-request-id": "r1"}, op, **more)

        for op, more in (("destroy", {}), ("create", {}), ("end", {"user": "u1"}), ("end", {"roles": []})):
            with self.assertRaises(ValueError):
                made(op, **more)
        with self.assertRaisesRegex(ValueError, "X-Request-Id"):
            made("end", {"other": "x"})

    def test_a_weak_or_missing_secret_is_refused_at_start(self):
        for secret in (None, "", "ab" * 31, "short", "a b" * 20, "ab" * 32 + "c"):
            with self.assertRaisesRegex(ValueError, "secret"):
                Portcullis(self.guard, "i", "a", secret)
        Portcullis(self.guard, "i", "a", encode(bytes([254]) * 32))
        with self.assertRaisesRegex(ValueError, "guard"):
            Portcullis("", "i", "a", SECRET)

    def test_a_decoded_path_is_written_as_the_guard_writes_it(self):
        for path, written in (("/me", "/me"), ("/a b/ü", "/a%20b/%C3%BC"), ("/a:b/:c", "/a:b/%3Ac"), ("/!&',=@~", "/!&',=@~"),
                              ("/$(*)+", "/%24%28%2A%29%2B")):
            self.assertEqual(written_path(path), written)


if __name__ == "__main__":
    unittest.main()
