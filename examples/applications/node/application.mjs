// A small application behind Portcullis: sign in, see who one is, take another role, sign out here or everywhere.
//
// It keeps no sessions, sets no cookies and checks no tokens of forms: the guard does, and tells it who is calling.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { scryptSync, timingSafeEqual } from "node:crypto";

import { IdentityError, Portcullis } from "./portcullis.mjs";

const { env } = process;
const BODY_BYTES_MAX = 4096;
const portcullis = new Portcullis({
  guard: env.PORTCULLIS_GUARD,
  issuer: env.PORTCULLIS_ISSUER,
  audience: env.PORTCULLIS_AUDIENCE,
  secret: env.PORTCULLIS_APPLICATION_SECRET,
});

// Two people. Passwords are kept as scrypt leaves them; they are `correct horse` and `battery staple`.
const hash = (password, salt) => scryptSync(password, salt, 32);
const PEOPLE = new Map([
  ["alice", { salt: "a1", hash: hash("correct horse", "a1"), roles: ["user", "admin"] }],
  ["bob", { salt: "b2", hash: hash("battery staple", "b2"), roles: ["user"] }],
]);
const NOBODY = { salt: "00", hash: Buffer.alloc(32), roles: [] };

const LOGIN = `<!doctype html><title>Sign in</title><script src="/csrf.js"></script>
<form method="post" action="/login"><input name="user"><input name="password" type="password"><button>Sign in</button></form>`;
const SCRIPT = readFileSync(new URL("../browser/csrf.js", import.meta.url));

const ROUTES = {
  "GET /login": async () => ({ html: LOGIN }),
  "GET /csrf.js": async () => ({ script: SCRIPT }),
  "POST /login": async (request) => {
    const form = new URLSearchParams(await body(request));
    const person = PEOPLE.get(form.get("user")) ?? NOBODY;
    // A name that is not there costs what a wrong password costs.
    if (!timingSafeEqual(hash(form.get("password") ?? "", person.salt), person.hash)) return { status: 401 };
    const session = portcullis.sessionMessage(request, "create", { user: form.get("user"), roles: ["user"] });
    return { status: 303, to: "/me", session };
  },
  "GET /me": async (request) => ({ json: await caller(request) }),
  "POST /role": async (request) => {
    const { user } = await caller(request);
    const session = portcullis.sessionMessage(request, "rotate", { roles: PEOPLE.get(user).roles });
    return { status: 303, to: "/me", session };
  },
  "POST /logout": async (request) => {
    await caller(request);
    return { status: 303, to: "/login", session: portcullis.sessionMessage(request, "end") };
  },
  "POST /logout-everywhere": async (request) => {
    await caller(request);
    return { status: 303, to: "/login", session: portcullis.sessionMessage(request, "end_all") };
  },
};

async function caller(request) {
  const known = await portcullis.verifyIdentity(request);
  if (known === null) throw new IdentityError("nobody is signed in");
  return known;
}

async function body(request) {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += chunk;
    if (text.length > BODY_BYTES_MAX) throw new Error("the body is too long");
  }
  return text;
}

async function answer(request) {
  const route = ROUTES[`${request.method} ${request.url.split("?", 1)[0]}`];
  if (route === undefined) return { status: 404 };
  try {
    return await route(request);
  } catch (error) {
    console.error(`${request.method} ${request.url.split("?", 1)[0]}: ${error.message}`);
    return { status: error instanceof IdentityError ? 401 : 500 };
  }
}

const server = createServer(async (request, response) => {
  const { status = 200, to, session, html, script, json } = await answer(request);
  response.statusCode = status;
  if (session !== undefined) response.setHeader("Portcullis-Session", session);
  if (to !== undefined) response.setHeader("Location", to);
  if (html !== undefined) response.setHeader("Content-Type", "text/html; charset=utf-8").end(html);
  else if (script !== undefined) response.setHeader("Content-Type", "text/javascript; charset=utf-8").end(script);
  else if (json !== undefined) response.setHeader("Content-Type", "application/json").end(JSON.stringify(json));
  else response.end();
});

server.listen(Number(env.PORT ?? 3000), "127.0.0.1", () => {
  console.log(`listening at 127.0.0.1:${server.address().port}`);
});
