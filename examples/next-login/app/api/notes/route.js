import { forCaller, redirect } from "../../lib/guard.js";
import { addNote, notesOf } from "../../lib/notes.js";

export const GET = forCaller(async (_request, { user }) => Response.json(notesOf(user)));

/** From a form, or from a script. */
export const POST = forCaller(async (request, { user }) => {
  const isJson = request.headers.get("content-type") === "application/json";
  const text = isJson ? (await request.json()).text : (await request.formData()).get("text");
  if (typeof text !== "string" || text === "") return new Response(null, { status: 422 });
  addNote(user, text);
  return isJson ? new Response(null, { status: 201 }) : redirect("/notes");
});
