import { headers } from "next/headers";
import { redirect } from "next/navigation";

import { portcullis } from "../lib/guard.js";
import { notesOf } from "../lib/notes.js";

export default async function Notes() {
  const fields = await headers();
  // A page is told no path, and knows its own.
  const caller = await portcullis().verifyIdentity({ method: "GET", path: "/notes", headers: fields });
  if (caller === null) redirect("/login");
  const { user, roles } = caller;
  return (
    <main>
      <h1>Notes of {user}</h1>
      <p id="roles">{roles.join(", ")}</p>
      <ul>{notesOf(user).map((note, place) => <li key={place}>{note}</li>)}</ul>
      <form method="post" action="/api/notes">
        <input name="text" required maxLength={200} />
        <button>Add</button>
      </form>
      <form method="post" action="/api/logout"><button>Sign out</button></form>
      <form method="post" action="/api/logout-everywhere"><button>Sign out everywhere</button></form>
    </main>
  );
}
