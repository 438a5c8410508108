// What is refused. `node --test`

import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { IdentityError, Portcullis } from "./portcullis.mjs";

const NOW = 1_800_000_000;
const SECRET = "8f1c2e".padEnd(64, "7a93d05b");
const HEADER = { alg: "EdDSA", typ: "portcullis-identity+jwt", kid: "k1" };
const CLAIMS = {
  iss: "https://shop.example.com", aud: "shop", sub: "u1", roles: ["user"], sid: "s1", auth_time: NOW - 9,
  iat: NOW, exp: NOW + 60, jti: "r1", htm: "GET", htu: "/me",
};

const pair = generateKeyPairSync("ed25519");
const other = generateKeyPairSync("ed25519");
const jwk = { ...pair.publicKey.export({ format: "jwk" }), kid: "k1", use: "sig", alg: "EdDSA" };
let keys = [jwk];
let fetches = 0;
let status = 200;
let guard;

const server = createServer((request, response) => {
  fetches += 1;
  response.statusCode = request.url === "/.portcullis/jwks.json" ? status : 404;
  if (status === 302) response.setHeader("Location", "/.portcullis/jwks.json");
  response.end(JSON.stringify({ keys }));
});
before(async () => {
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  guard = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

function token(claims = {}, header = {}, key = pair.privateKey) {
  const signed = `${encode({ ...HEADER, ...header })}.${encode({ ...CLAIMS, ...claims })}`;
  return `${signed}.${sign(null, Buffer.from(signed), key).toString("base64url")}`;
}

function portcullis(now = () => NOW) {
  return new Portcullis({ guard, issuer: CLAIMS.iss, audience: "shop", secret: SECRET, now });
}

function request(identity, more = {}) {
  const headers = { "x-request-id": "r1", ...more.headers };
  if (identity !== undefined) headers["portcullis-identity"] = identity;
  return { method: "GET", url: "/me?q=1", ...more, headers };
}

async function refused(identity, reason, more) {
  await assert.rejects(portcullis().verifyIdentity(request(identity, more)), (error) => {
    assert(error instanceof IdentityError, error);
    assert.match(error.message, reason);
    return true;
  });
}

test("a caller is known in each kind of request", async () => {
  const expected = { user: "u1", tenant: null, roles: ["user"], session: "s1", signedInAt: NOW - 9 };
  const known = (one) => portcullis().verifyIdentity(one);
  assert.deepEqual(await known(request(token())), expected);
  const headers = { "portcullis-identity": token({ tid: "t1" }), "x-request-id": "r1" };
  assert.deepEqual(await known(new Request("https://shop.example.com/me?q=1", { headers })), { ...expected, tenant: "t1" });
  assert.deepEqual(await known({ method: "GET", path: "/me", headers }), { ...expected, tenant: "t1" });
  // Express below a router: `url` is what is left of the path.
  assert.deepEqual(await known({ ...request(token()), url: "/", path: "/", originalUrl: "/me?q=1" }), expected);
});

test("without the field nobody is calling", async () => {
  assert.equal(await portcullis().verifyIdentity(request()), null);
});

test("what was made for something else is refused", async () => {
  await refused(token({ iss: "https://evil.example.com" }), /`iss`/);
  await refused(token({ aud: "bank" }), /`aud`/);
  await refused(token({ aud: ["shop", "bank"] }), /`aud`/);
  await refused(token(), /`htu`/, { url: "/admin" });
  await refused(token(), /`htu`/, { url: "/me/" });
  await refused(token(), /`htm`/, { method: "POST" });
  await refused(token(), /`jti`/, { headers: { "x-request-id": "r2" } });
  await refused(token(), /`jti`/, { headers: { "x-request-id": undefined } });
  await refused(token({ jti: undefined }), /`jti`/, { headers: { "x-request-id": undefined } });
});

test("what is not of now is refused", async () => {
  await refused(token({ iat: NOW - 66, exp: NOW - 6 }), /expired/);
  await refused(token({ iat: NOW + 6, exp: NOW + 60 }), /future/);
  await refused(token({ exp: NOW + 61 }), /too long/);
  await refused(token({ exp: NOW }), /too long/);
  await refused(token({ exp: `${NOW + 60}` }), /needed/);
  await refused(token({ iat: undefined }), /needed/);
  assert.ok(await portcullis().verifyIdentity(request(token({ iat: NOW - 64, exp: NOW - 4 }))));
  assert.ok(await portcullis().verifyIdentity(request(token({ iat: NOW + 5, exp: NOW + 60 }))));
});

test("what has another form is refused", async () => {
  await refused(token({ sub: "" }), /`sub`/);
  await refused(token({ sub: 7 }), /`sub`/);
  await refused(token({ roles: "admin" }), /`roles`/);
  await refused(token({ tid: 7 }), /`tid`/);
  await refused("", /JWS/);
  await refused("a.b", /JWS/);
  await refused(`${token()}.x`, /JWS/);
  await refused(`${token()}=`, /base64url/);
  await refused(`${token()}, ${token()}`, /JWS/);
  await refused(token({ more: "x".repeat(8192) }), /JWS/);
  await refused(`${encode("[]")}.${encode("{}")}.${encode("x")}`, /object/);
  await refused(`${encode("{")}.${encode("{}")}.${encode("x")}`, /JSON/);
});

test("no signature but the guard's own", async () => {
  await refused(token({}, {}, other.privateKey), /signature/);
  const [header, claims, signature] = token().split(".");
  await refused(`${header}.${encode({ ...CLAIMS, sub: "u2" })}.${signature}`, /signature/);
  const altered = Buffer.from(signature, "base64url");
  altered[0] ^= 1;
  await refused(`${header}.${claims}.${altered.toString("base64url")}`, /signature/);
  await refused(`${header}.${claims}.`, /base64url/);
  for (const alg of ["none", "None", "HS256", "eddsa", "Ed25519", undefined]) {
    await refused(token({}, { alg }), /`alg`/);
  }
  // The public key as the secret of an HMAC: whoever lets the token choose the algorithm takes this.
  for (const alg of ["HS256", "EdDSA"]) {
    const signed = `${encode({ ...HEADER, alg })}.${claims}`;
    const mac = createHmac("sha256", Buffer.from(jwk.x, "base64url")).update(signed).digest("base64url");
    await refused(`${signed}.${mac}`, alg === "HS256" ? /`alg`/ : /signature/);
  }
  await refused(`${encode({ ...HEADER, alg: "none" })}.${claims}.`, /base64url|`alg`/);
  await refused(token({}, { typ: "JWT" }), /`typ`/);
  await refused(token({}, { typ: "portcullis-session+jwt" }), /`typ`/);
  await refused(token({}, { crit: ["b64"] }), /`crit`/);
  await refused(token({}, { kid: undefined }), /`kid`/);
  // A key that the token brings itself is not looked at.
  const own = { ...other.publicKey.export({ format: "jwk" }), kid: "k1" };
  await refused(token({}, { jwk: own }, other.privateKey), /signature/);
});

test("keys are fetched once, and once more for a kid that is not known", async () => {
  let now = NOW;
  const one = portcullis(() => now);
  fetches = 0;
  await Promise.all([1, 2, 3].map(() => one.verifyIdentity(request(token()))));
  assert.equal(fetches, 1);
  const unknown = request(token({}, { kid: "k2" }, other.privateKey));
  for (const _ of [1, 2]) await assert.rejects(one.verifyIdentity(unknown), /no such key/);
  assert.equal(fetches, 1, "not again so soon");
  now += 10;
  keys = [jwk, { ...other.publicKey.export({ format: "jwk" }), kid: "k2", use: "sig", alg: "EdDSA" }];
  assert.ok(await one.verifyIdentity(unknown));
  assert.equal(fetches, 2);
  keys = [jwk];
});

test("keys of another kind are not used, and a guard that cannot be asked is no reason to pass", async () => {
  for (const change of [{ alg: "HS256" }, { use: "enc" }, { kty: "oct" }, { crv: "X25519" }]) {
    keys = [{ ...jwk, ...change }];
    await refused(token(), /no such key/);
  }
  keys = [jwk];
  for (status of [302, 404, 500]) await refused(token(), /cannot be fetched/);
  status = 200;
  // What was known is used for an hour.
  let now = NOW;
  const one = portcullis(() => now);
  assert.ok(await one.verifyIdentity(request(token())));
  status = 500;
  now += 3_000;
  assert.ok(await one.verifyIdentity(request(token({ iat: now, exp: now + 60 }))));
  now += 700;
  // Also when it is not asked again, as it was a moment ago.
  for (const _ of [1, 2]) {
    await assert.rejects(one.verifyIdentity(request(token({ iat: now, exp: now + 60 }))), /cannot be fetched/);
  }
  status = 200;
});

test("a message answers one request", () => {
  const value = portcullis().sessionMessage(request(), "create", { user: "u1", roles: ["user"] });
  const [header, claims, mac] = value.split(".");
  const signed = createHmac("sha256", Buffer.from(SECRET, "hex")).update(`${header}.${claims}`).digest("base64url");
  assert.equal(mac, signed);
  assert.deepEqual(JSON.parse(Buffer.from(header, "base64url")), { alg: "HS256", typ: "portcullis-session+jwt" });
  assert.deepEqual(JSON.parse(Buffer.from(claims, "base64url")), {
    aud: "portcullis", iat: NOW, exp: NOW + 30, jti: "r1", htm: "GET", htu: "/me", op: "create", sub: "u1", roles: ["user"],
  });
});

test("a message that means nothing is not made", () => {
  const one = portcullis();
  assert.throws(() => one.sessionMessage(request(), "destroy"), TypeError);
  assert.throws(() => one.sessionMessage(request(), "create"), TypeError);
  assert.throws(() => one.sessionMessage(request(), "end", { user: "u1" }), TypeError);
  assert.throws(() => one.sessionMessage(request(), "end", { roles: [] }), TypeError);
  assert.throws(() => one.sessionMessage({ method: "GET", url: "/", headers: {} }, "end"), /X-Request-Id/);
});

test("a weak or missing secret is refused at start", () => {
  const made = (secret) => new Portcullis({ guard, issuer: CLAIMS.iss, audience: "shop", secret });
  for (const secret of [undefined, "", "ab".repeat(31), "short", "a b".repeat(20), `${"ab".repeat(32)}c`]) {
    assert.throws(() => made(secret), /secret/);
  }
  assert.ok(made("ab".repeat(32)) && made(Buffer.alloc(32, 0xfe).toString("base64url")));
  assert.throws(() => new Portcullis({ issuer: "i", audience: "a", secret: SECRET }), /guard/);
});
