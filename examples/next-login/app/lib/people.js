import { scryptSync, timingSafeEqual } from "node:crypto";

const hash = (password, salt) => scryptSync(password, salt, 32);

// Two people. Passwords are kept as scrypt leaves them; they are `correct horse` and `battery staple`.
const PEOPLE = new Map([
  ["alice", { salt: "a1", hash: hash("correct horse", "a1"), roles: ["user"] }],
  ["bob", { salt: "b2", hash: hash("battery staple", "b2"), roles: ["user"] }],
]);
const NOBODY = { salt: "00", hash: Buffer.alloc(32), roles: null };

/** The roles of a person whose password it is; null where it is not. */
export function rolesOf(user, password) {
  const { salt, hash: kept, roles } = PEOPLE.get(user) ?? NOBODY;
  // A name that is not there costs what a wrong password costs.
  return timingSafeEqual(hash(password, salt), kept) ? roles : null;
}
