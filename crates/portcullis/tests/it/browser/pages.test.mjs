// A person with a browser, before an application behind the guard (examples/next-login). Run by `browser.rs`, which starts both.

import assert from "node:assert/strict";
import { createServer as createPlain } from "node:http";
import { createServer as createSecure } from "node:https";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

const { ORIGIN, PORTCULLIS_TEST_NPM, CHROMIUM, TLS_CERTIFICATE, TLS_KEY } = process.env;
const { chromium } = createRequire(`${PORTCULLIS_TEST_NPM}/`)("playwright-core");
const SESSION = "__Host-pc-sid";
const TOKEN = "__Host-pc-csrf-";
const PATIENCE = 30_000;

let browser;
before(async () => {
  // Root may not have a sandbox. Certificates are judged as always: the local authority is in the store of this user.
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
});
after(() => browser?.close());

/** A browser of its own, with its own cookies, and one tab. */
async function person(run) {
  const context = await browser.newContext();
  context.setDefaultTimeout(PATIENCE);
  try {
    await run(context, await context.newPage());
  } finally {
    await context.close();
  }
}

async function signIn(page, user = "alice", password = "correct horse") {
  await page.goto(`${ORIGIN}/login`);
  await page.fill("[name=user]", user);
  await page.fill("[name=password]", password);
  await page.click("button");
}

const signedIn = async (page, user) => {
  await signIn(page, user, user === "bob" ? "battery staple" : undefined);
  await page.waitForURL(`${ORIGIN}/notes`);
};

/** Sends a form by its button, and gives the answer to it. */
async function send(page, action, text) {
  const form = page.locator(`form[action="${action}"]`);
  if (text !== undefined) await form.locator("[name=text]").fill(text);
  const isOurs = (answer) => answer.request().method() === "POST" && answer.url() === `${ORIGIN}${action}`;
  // The page that is answered or redirected to, whole: what follows must not meet it half way.
  const done = [page.waitForResponse(isOurs), page.waitForEvent("load")];
  const [answer] = await Promise.all([...done, form.locator("button").click()]);
  return answer.status();
}

const cookies = async (context, start) => (await context.cookies()).filter(({ name }) => name.startsWith(start));
const notes = (page) => page.evaluate(async () => (await fetch("/api/notes")).json());
const post = (page, text) => page.evaluate(async (text) => {
  const headers = { "Content-Type": "application/json" };
  const answer = await portcullis.fetch("/api/notes", { method: "POST", headers, body: JSON.stringify({ text }) });
  return answer.status;
}, text);

test("signing in makes a session that scripts cannot read and other sites cannot use", () => person(async (context, page) => {
  assert.deepEqual(await cookies(context, SESSION), []);
  await signedIn(page);
  const [cookie, ...more] = await cookies(context, SESSION);
  assert.deepEqual(more, []);
  const { name, domain, path, secure, httpOnly, sameSite } = cookie;
  // Without a Domain attribute a browser keeps the host without a dot before it.
  assert.deepEqual({ name, domain, path, secure, httpOnly }, {
    name: SESSION, domain: "localhost", path: "/", secure: true, httpOnly: true,
  });
  assert.ok(["Lax", "Strict"].includes(sameSite), sameSite);
  assert.ok(!(await page.evaluate(() => document.cookie)).includes(SESSION));
  assert.deepEqual(await cookies(context, "__Host-pc-pre"), [], "what stood before the session is gone");
  for (const token of await cookies(context, TOKEN)) {
    assert.deepEqual([token.secure, token.path, token.sameSite, token.domain], [true, "/", "Strict", "localhost"]);
  }
  assert.match(await page.textContent("h1"), /alice/);
}));

test("a wrong password makes none", () => person(async (context, page) => {
  await signIn(page, "alice", "wrong");
  await page.waitForURL(`${ORIGIN}/api/login`);
  assert.match(await page.textContent("body"), /wrong/);
  assert.deepEqual(await cookies(context, SESSION), []);
  assert.equal((await page.goto(`${ORIGIN}/notes`)).status(), 401);
}));

test("signing in again makes another session", () => person(async (context, page) => {
  await signedIn(page);
  const [first] = await cookies(context, SESSION);
  await signedIn(page);
  const [second] = await cookies(context, SESSION);
  assert.notEqual(first.value, second.value);
  // The one before is gone for whoever had it.
  await context.addCookies([first]);
  assert.equal((await page.goto(`${ORIGIN}/notes`)).status(), 401);
}));

test("two tabs send their forms, in whatever order", () => person(async (context, first) => {
  await signedIn(first);
  const second = await context.newPage();
  await second.goto(`${ORIGIN}/notes`);
  for (const [page, text] of [[first, "tab one"], [second, "tab two"], [second, "again two"], [first, "again one"]]) {
    assert.equal(await send(page, "/api/notes", text), 303, text);
  }
  const both = await Promise.all([send(first, "/api/notes", "at once one"), send(second, "/api/notes", "at once two")]);
  assert.deepEqual(both, [303, 303]);
  const kept = await notes(first);
  for (const text of ["tab one", "tab two", "again two", "again one", "at once one", "at once two"]) {
    assert.equal(kept.filter((note) => note === text).length, 1, text);
  }
}));

test("after Back the same form is sent again", () => person(async (_, page) => {
  await signedIn(page);
  assert.equal(await send(page, "/api/notes", "before Back"), 303);
  await page.goBack();
  assert.equal(await send(page, "/api/notes", "after Back"), 303);
  const kept = await notes(page);
  assert.ok(kept.includes("before Back") && kept.includes("after Back"));
}));

test("a form is sent after twenty requests at once, each with a token of its own", () => person(async (context, page) => {
  await signedIn(page);
  const statuses = await page.evaluate(() => Promise.all(Array.from({ length: 20 }, async (_, place) => {
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ text: `parallel ${place}` });
    return (await portcullis.fetch("/api/notes", { method: "POST", headers, body })).status;
  })));
  assert.deepEqual(statuses, Array(20).fill(201));
  assert.equal(await send(page, "/api/notes", "after twenty"), 303);
  const kept = await notes(page);
  assert.equal(kept.filter((note) => note.startsWith("parallel ")).length, 20);
  assert.ok(kept.includes("after twenty"));
  // Answers that cross each other leave more than eight behind; those that follow take them back.
  for (const text of ["one", "two", "three"]) assert.equal(await post(page, text), 201);
  const tokens = await cookies(context, TOKEN);
  assert.ok(tokens.length <= 8, `${tokens.length} tokens are kept`);
}));

test("a token is good for one request, and none is no token", () => person(async (_, page) => {
  await signedIn(page);
  const statuses = await page.evaluate(async () => {
    const send = async (headers) => {
      const all = { "Content-Type": "application/json", ...headers };
      return (await fetch("/api/notes", { method: "POST", headers: all, body: '{"text":"once"}' })).status;
    };
    const { header, token } = await portcullis.token();
    const race = await Promise.all([send({ [header]: token }), send({ [header]: token })]);
    return { race: race.sort(), again: await send({ [header]: token }), without: await send({}), other: await send({ [header]: "0".repeat(64) }) };
  });
  assert.deepEqual(statuses, { race: [201, 403], again: 403, without: 403, other: 403 });
  assert.equal((await notes(page)).filter((note) => note === "once").length, 1);
}));

test("who has signed out in one tab cannot change anything in the other", () => person(async (context, first) => {
  await signedIn(first);
  const second = await context.newPage();
  await second.goto(`${ORIGIN}/notes`);
  const [kept] = await cookies(context, SESSION);
  assert.equal(await send(first, "/api/logout"), 303);
  assert.deepEqual(await cookies(context, SESSION), []);
  assert.equal(await post(second, "too late"), 401);
  // Who kept the cookie has nothing, and the browser is told to forget it.
  await context.addCookies([kept]);
  assert.equal(await post(second, "too late"), 401);
  assert.deepEqual(await cookies(context, SESSION), []);
  await signedIn(first);
  assert.ok(!(await notes(first)).includes("too late"));
}));

test("signing out everywhere ends the sessions of the other browsers", () => person((one, first) => person(async (_, second) => {
  await signedIn(first);
  await signedIn(second);
  await person(async (_, other) => {
    await signedIn(other, "bob");
    assert.equal(await send(second, "/api/logout-everywhere"), 303);
    assert.equal((await first.goto(`${ORIGIN}/notes`)).status(), 401);
    assert.deepEqual(await cookies(one, SESSION), []);
    assert.equal((await other.goto(`${ORIGIN}/notes`)).status(), 200, "another user's session goes on");
  });
})));

/** What another origin tries, by a form and by a script. Gives the status of the form's answer. */
async function attack(context, server, host, scheme) {
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const page = await context.newPage();
  try {
    const isPost = (answer) => answer.request().method() === "POST" && answer.url().startsWith(ORIGIN);
    const [answer] = await Promise.all([
      page.waitForResponse(isPost),
      page.goto(`${scheme}://${host}:${server.address().port}/`),
    ]);
    return answer.status();
  } finally {
    await page.close();
    server.close();
  }
}

const EVIL = `<!doctype html><form method="post" action="${ORIGIN}/api/notes"><input name="text" value="stolen"></form>
<script>
  fetch("${ORIGIN}/api/notes", { method: "POST", mode: "no-cors", credentials: "include", body: "text=stolen" })
    .catch(() => {}).finally(() => document.forms[0].submit());
</script>`;
const evil = (_, response) => response.setHeader("Content-Type", "text/html").end(EVIL);

test("a form of another site changes nothing", () => person(async (context, page) => {
  await signedIn(page);
  // The browser sends no cookie along: nobody is known, and there is nothing to ask a token for.
  assert.equal(await attack(context, createPlain(evil), "127.0.0.1", "http"), 401);
  assert.ok(!(await notes(page)).includes("stolen"));
  assert.equal(await send(page, "/api/notes", "my own"), 303);
}));

test("nor does one of the same site, where the browser sends the cookies along", () => person(async (context, page) => {
  await signedIn(page);
  const tls = { key: readFileSync(TLS_KEY), cert: readFileSync(TLS_CERTIFICATE) };
  assert.equal(await attack(context, createSecure(tls, evil), "localhost", "https"), 403);
  assert.ok(!(await notes(page)).includes("stolen"));
}));
