// Answers the cases on standard input with the real packages, for matcher.rs to compare with.
// Input: [{dialect, source, flags, mount, paths}]; output: for each case null where the package throws, else one
// boolean for each path.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const folder = process.argv[2];
const require = createRequire(path.join(folder, "package.json"));
const wanted = { "path-to-regexp-0": "0.1.13", "path-to-regexp-6": "6.3.0", "path-to-regexp-8": "8.4.2" };
for (const [name, version] of Object.entries(wanted)) {
  const manifest = path.join(folder, "node_modules", name, "package.json");
  const found = JSON.parse(fs.readFileSync(manifest, "utf8")).version;
  if (found !== version) throw new Error(`${name} is ${found}, the cases are written for ${version}`);
}
const zero = require("path-to-regexp-0");
const six = require("path-to-regexp-6");
const eight = require("path-to-regexp-8");

const everything = /^/;

// Next keeps only the text of the expression; a bare repeat gets a slash when the package refuses it.
function next(source) {
  const tokens = six.parse(source);
  let built;
  try {
    built = six.tokensToRegexp(tokens);
  } catch {
    const bare = (token) =>
      typeof token === "object" && /^[*+]$/.test(token.modifier) && token.prefix === "" && token.suffix === "";
    built = six.tokensToRegexp(tokens.map((token) => (bare(token) ? { ...token, prefix: "/" } : token)));
  }
  return new RegExp(built.source);
}

const compile = {
  next: ({ source }) => next(source),
  clerk: ({ source }) => six.pathToRegexp(source),
  express4: ({ source, mount }) =>
    mount && source === "/" ? everything : zero(source, [], { end: !mount, strict: false, sensitive: false }),
  express5: ({ source, mount }) => {
    if (mount && source === "/") return everything;
    const loose = source === "/" ? source : source.replace(/\/+$/, "");
    return eight.pathToRegexp(loose, { end: !mount, trailing: true, sensitive: false }).regexp;
  },
  regexp: ({ source, flags }) => new RegExp(source, flags),
};

const answers = JSON.parse(fs.readFileSync(0, "utf8")).map((one) => {
  try {
    const regexp = compile[one.dialect](one);
    return one.paths.map((text) => regexp.test(text));
  } catch {
    return null;
  }
});
process.stdout.write(JSON.stringify(answers));
