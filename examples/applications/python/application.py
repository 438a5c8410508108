"""A small application behind Portcullis: sign in, see who one is, take another role, sign out here or everywhere.

It keeps no sessions, sets no cookies and checks no tokens of forms: the guard does, and tells it who is calling.
"""

import hashlib
import hmac
import json
import os
import sys
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from portcullis import IdentityError, Portcullis

BODY_BYTES_MAX = 4096
portcullis = Portcullis(
    guard=os.environ["PORTCULLIS_GUARD"],
    issuer=os.environ["PORTCULLIS_ISSUER"],
    audience=os.environ["PORTCULLIS_AUDIENCE"],
    secret=os.environ["PORTCULLIS_APPLICATION_SECRET"],
)


def hashed(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)


# Two people. Passwords are kept as scrypt leaves them; they are `correct horse` and `battery staple`.
PEOPLE = {
    "alice": (b"a1", hashed("correct horse", b"a1"), ["user", "admin"]),
    "bob": (b"b2", hashed("battery staple", b"b2"), ["user"]),
}
NOBODY = (b"00", bytes(32), [])

LOGIN = b"""<!doctype html><title>Sign in</title><script src="/csrf.js"></script>
<form method="post" action="/login"><input name="user"><input name="password" type="password"><button>Sign in</button></form>"""
SCRIPT = (Path(__file__).parent / "../browser/csrf.js").read_bytes()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def login_page(self):
        self.answer(200, LOGIN, "text/html; charset=utf-8")

    def script(self):
        self.answer(200, SCRIPT, "text/javascript; charset=utf-8")

    def login(self):
        form = dict(urllib.parse.parse_qsl(self.body.decode()))
        salt, kept, _ = PEOPLE.get(form.get("user"), NOBODY)
        # A name that is not there costs what a wrong password costs.
        if not hmac.compare_digest(hashed(form.get("password", ""), salt), kept):
            return self.answer(401)
        self.answer(303, to="/me", session=self.message("create", user=form["user"], roles=["user"]))

    def me(self):
        caller = self.caller()
        known = {"user": caller.user, "tenant": caller.tenant, "roles": list(caller.roles), "session": caller.session}
        self.answer(200, json.dumps(known).encode(), "application/json")

    def role(self):
        _, _, roles = PEOPLE[self.caller().user]
        self.answer(303, to="/me", session=self.message("rotate", roles=roles))

    def logout(self):
        self.caller()
        self.answer(303, to="/login", session=self.message("end"))

    def logout_everywhere(self):
        self.caller()
        self.answer(303, to="/login", session=self.message("end_all"))

    ROUTES = {
        "GET /login": login_page,
        "GET /csrf.js": script,
        "POST /login": login,
        "GET /me": me,
        "POST /role": role,
        "POST /logout": logout,
        "POST /logout-everywhere": logout_everywhere,
    }

    def written(self) -> str:
        return self.path.split("?", 1)[0]

    def caller(self):
        caller = portcullis.verify_identity(self.command, self.written(), self.headers)
        if caller is None:
            raise IdentityError("nobody is signed in")
        return caller

    def message(self, op: str, **more) -> str:
        return portcullis.session_message(self.command, self.written(), self.headers, op, **more)

    def handle_route(self):
        # What is left of a body would be read as the next request. This server reads no chunks.
        length = int(self.headers.get("Content-Length", "0"))
        if length > BODY_BYTES_MAX or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return self.answer(413)
        self.body = self.rfile.read(length)
        route = self.ROUTES.get(f"{self.command} {self.written()}")
        if route is None:
            return self.answer(404)
        try:
            route(self)
        except Exception as error:
            print(f"{self.command} {self.written()}: {error}", file=sys.stderr)
            self.answer(401 if isinstance(error, IdentityError) else 500)

    do_GET = do_POST = handle_route

    def answer(self, status, content=b"", media_type=None, to=None, session=None):
        self.send_response(status)
        for name, value in (("Content-Type", media_type), ("Location", to), ("Portcullis-Session", session)):
            if value is not None:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """The guard has the log of requests."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "3000"))), Handler)
    print(f"listening at 127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
