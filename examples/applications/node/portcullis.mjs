// What an application behind Portcullis needs: who is calling, and how it begins and ends sessions. No dependencies.
//
//   const portcullis = new Portcullis({
//     guard: "https://shop.example.com",     // where the guard answers from here; its keys are fetched there
//     issuer: "https://shop.example.com",    // `public_url` of the policy
//     audience: "shop",                      // `[identity.application] audience`, or the policy's `name`
//     secret: process.env.PORTCULLIS_APPLICATION_SECRET, // `[identity.application] secret`, hex or base64url
//   });
//   const caller = await portcullis.verifyIdentity(request); // null: nobody is signed in
//   response.setHeader("Portcullis-Session", portcullis.sessionMessage(request, "create", { user: "u1" }));

import { createHmac, createPublicKey, verify } from "node:crypto";

const KEYS_PATH = "/.portcullis/jwks.json";
const TOKEN_BYTES_MAX = 8 * 1024;
const KEYS_BYTES_MAX = 64 * 1024;
const KEYS_COUNT_MAX = 16;
const LEEWAY_SECONDS = 5;
const IDENTITY_SECONDS_MAX = 60;
const MESSAGE_SECONDS = 30;
const FETCH_MILLISECONDS = 3_000;
// Known keys are used for so long without another look, and for so long when the guard cannot be asked.
const FRESH_SECONDS = 300;
const STALE_SECONDS = 3_600;
// A key that is not known is asked for once, and not again before so many seconds have passed.
const AGAIN_SECONDS = 10;
const OPERATIONS = ["create", "rotate", "end", "end_all"];

/** Why an identity is refused. Its message is for the log, not for the caller. */
export class IdentityError extends Error {}

export class Portcullis {
  #guard;
  #issuer;
  #audience;
  #secret;
  #now;
  #keys = new Map();
  #fetchedAt = -Infinity;
  #askedAt = -Infinity;
  #fetching = null;

  /** `now` gives seconds since 1970, and is there for tests. */
  constructor({ guard, issuer, audience, secret, now = () => Date.now() / 1000 }) {
    for (const [name, value] of Object.entries({ guard, issuer, audience })) {
      if (typeof value !== "string" || value === "") throw new TypeError(`\`${name}\` is needed`);
    }
    this.#guard = new URL(KEYS_PATH, guard);
    this.#issuer = issuer;
    this.#audience = audience;
    this.#secret = decodedSecret(secret);
    this.#now = now;
  }

  /**
   * Who is calling, or null where the guard says that nobody is. Throws IdentityError where it cannot be believed: answer 401
   * and nothing else then.
   *
   * `request` is one of node:http, Express, or fetch, or `{ method, path, headers }`. The path is the one that came, as it
   * was written, without its query.
   */
  async verifyIdentity(request) {
    const { method, path, header } = read(request);
    const token = header("portcullis-identity");
    if (token === null) return null;
    const { kid, signed, signature, claims } = parsed(token);
    const key = await this.#key(kid);
    if (!verify(null, signed, key, signature)) refuse("the signature is wrong");

    const now = this.#now();
    const { iat, exp } = claims;
    if (claims.iss !== this.#issuer) refuse("`iss` is another guard");
    if (claims.aud !== this.#audience) refuse("`aud` is another application");
    if (!Number.isSafeInteger(iat) || !Number.isSafeInteger(exp)) refuse("`iat` and `exp` are needed");
    if (exp - iat > IDENTITY_SECONDS_MAX || exp <= iat) refuse("it is valid for too long");
    if (iat > now + LEEWAY_SECONDS) refuse("it is from the future");
    if (exp <= now - LEEWAY_SECONDS) refuse("it has expired");
    // What was made for another request is refused: whoever got hold of a header cannot use it elsewhere.
    if (!isText(claims.jti) || claims.jti !== header("x-request-id")) refuse("`jti` is another request");
    if (claims.htm !== method) refuse("`htm` is another method");
    if (claims.htu !== path) refuse("`htu` is another path");
    if (!isText(claims.sub)) refuse("`sub` is needed");
    if (!Array.isArray(claims.roles) || !claims.roles.every(isText)) refuse("`roles` is needed");
    if (claims.tid !== undefined && !isText(claims.tid)) refuse("`tid` is no text");
    return {
      user: claims.sub,
      tenant: claims.tid ?? null,
      roles: claims.roles,
      session: claims.sid,
      signedInAt: claims.auth_time,
    };
  }

  /**
   * The value of the response's field `Portcullis-Session`: `create` (user, tenant, roles), `rotate` (tenant, roles: what
   * changes), `end` (this session), `end_all` (all of this user's). It is good for the answer to this request alone.
   */
  sessionMessage(request, op, { user, tenant, roles } = {}) {
    if (!OPERATIONS.includes(op)) throw new TypeError(`there is no operation \`${op}\``);
    if ((op === "create") !== (user !== undefined)) throw new TypeError("`user` belongs to `create`");
    if (op.startsWith("end") && (tenant ?? roles) !== undefined) throw new TypeError("an end changes nothing else");
    const { method, path, header } = read(request);
    const jti = header("x-request-id");
    if (jti === null) throw new TypeError("there is no X-Request-Id: is the guard before this application?");
    const iat = Math.floor(this.#now());
    const claims = {
      aud: "portcullis", iat, exp: iat + MESSAGE_SECONDS, jti, htm: method, htu: path, op,
      sub: user, tid: tenant, roles,
    };
    const signed = `${encoded({ alg: "HS256", typ: "portcullis-session+jwt" })}.${encoded(claims)}`;
    return `${signed}.${createHmac("sha256", this.#secret).update(signed).digest("base64url")}`;
  }

  async #key(kid) {
    const age = this.#now() - this.#fetchedAt;
    if (age < FRESH_SECONDS && this.#keys.has(kid)) return this.#keys.get(kid);
    if (this.#now() - this.#askedAt >= AGAIN_SECONDS) {
      this.#askedAt = this.#now();
      this.#fetching = this.#fetch().finally(() => { this.#fetching = null; });
    }
    let cause;
    try {
      await this.#fetching;
    } catch (error) {
      cause = error;
    }
    if (this.#now() - this.#fetchedAt >= STALE_SECONDS) {
      throw new IdentityError("the guard's keys cannot be fetched", { cause });
    }
    return this.#keys.get(kid) ?? refuse("there is no such key");
  }

  async #fetch() {
    const answer = await fetch(this.#guard, { redirect: "error", signal: AbortSignal.timeout(FETCH_MILLISECONDS) });
    if (answer.status !== 200) throw new Error(`${this.#guard} answers ${answer.status}`);
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of answer.body) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > KEYS_BYTES_MAX) throw new Error("the key set is too long");
    }
    const keys = new Map();
    for (const key of JSON.parse(text).keys.slice(0, KEYS_COUNT_MAX)) {
      // The kind of key is settled here, so that no token can choose another.
      const isOurs = key.kty === "OKP" && key.crv === "Ed25519" && key.use === "sig" && key.alg === "EdDSA";
      if (isOurs && isText(key.kid)) {
        const { kty, crv, x } = key;
        keys.set(key.kid, createPublicKey({ key: { kty, crv, x }, format: "jwk" }));
      }
    }
    this.#keys = keys;
    this.#fetchedAt = this.#now();
  }
}

function refuse(reason) {
  throw new IdentityError(reason);
}

/** The parts of a compact JWS. Of its header nothing is believed but which key it names. */
function parsed(token) {
  const parts = token.split(".");
  if (token.length > TOKEN_BYTES_MAX || parts.length !== 3) refuse("it is no compact JWS");
  const [header, claims] = parts.slice(0, 2).map((part) => object(bytes(part)));
  // RFC 8725 §3.1: the algorithm is ours to say, so another one is refused before any key is looked at.
  if (header.alg !== "EdDSA") refuse("`alg` is not EdDSA");
  if (header.typ !== "portcullis-identity+jwt") refuse("`typ` is another kind of token");
  if (header.crit !== undefined) refuse("`crit` is not understood");
  if (!isText(header.kid)) refuse("`kid` is needed");
  const signature = bytes(parts[2]);
  if (signature.length !== 64) refuse("the signature is wrong");
  return { kid: header.kid, signed: Buffer.from(`${parts[0]}.${parts[1]}`), signature, claims };
}

/** Base64url without padding, in the one spelling that its bytes have. */
function bytes(text) {
  const read = Buffer.from(text, "base64url");
  if (text === "" || read.toString("base64url") !== text) refuse("it is not base64url");
  return read;
}

function object(read) {
  let value = null;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(read));
  } catch {
    refuse("it is no JSON");
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) refuse("it is no JSON object");
  return value;
}

function isText(value) {
  return typeof value === "string" && value !== "";
}

function encoded(value) {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** A text of hex digits alone is hex, as the guard reads it. */
function decodedSecret(text) {
  if (typeof text !== "string") throw new TypeError("`secret` is needed");
  const encoding = /^[0-9a-fA-F]+$/.test(text) ? "hex" : "base64url";
  const secret = Buffer.from(text, encoding);
  const again = secret.toString(encoding);
  if (again !== (encoding === "hex" ? text.toLowerCase() : text) || secret.length < 32) {
    throw new TypeError("`secret` has to be 32 bytes or more, in hex or base64url");
  }
  return secret;
}

/** Method, path and fields, whichever kind of request it is. */
function read(request) {
  const { method, headers } = request;
  const header = (name) => {
    const value = typeof headers.get === "function" ? headers.get(name) : headers[name];
    // Where a field came twice it is a list, and none of the two is meant.
    return value === undefined || value === null ? null : String(value);
  };
  // Express leaves in `url` only what a router has not taken off yet.
  const url = request.originalUrl ?? request.url ?? request.path;
  const path = url.startsWith("/") ? url.split("?", 1)[0] : new URL(url).pathname;
  return { method, path, header };
}
