import { portcullis, redirect } from "../../lib/guard.js";
import { rolesOf } from "../../lib/people.js";

export async function POST(request) {
  const form = await request.formData();
  const user = String(form.get("user") ?? "");
  const roles = rolesOf(user, String(form.get("password") ?? ""));
  if (roles === null) return new Response("Name or password is wrong.", { status: 401 });
  return redirect("/notes", portcullis().sessionMessage(request, "create", { user, roles }));
}
