import { IdentityError, Portcullis } from "./portcullis.mjs";

const { env } = process;

// Made at the first request: a build has no secrets.
let made;
export const portcullis = () => (made ??= new Portcullis({
  guard: env.PORTCULLIS_GUARD,
  issuer: env.PORTCULLIS_ISSUER,
  audience: env.PORTCULLIS_AUDIENCE,
  secret: env.PORTCULLIS_APPLICATION_SECRET,
}));

/** A route handler that answers 401 where the caller is not known. */
export const forCaller = (handler) => async (request) => {
  let caller = null;
  try {
    caller = await portcullis().verifyIdentity(request);
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error;
    console.error(`${request.method} ${new URL(request.url).pathname}: ${error.message}`);
  }
  return caller === null ? new Response(null, { status: 401 }) : handler(request, caller);
};

/** Goes on at a page of ours, with what becomes of the session. */
export function redirect(to, session) {
  const headers = { Location: to, ...(session && { "Portcullis-Session": session }) };
  return new Response(null, { status: 303, headers });
}
