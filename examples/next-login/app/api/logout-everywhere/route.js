import { forCaller, portcullis, redirect } from "../../lib/guard.js";

export const POST = forCaller((request) => redirect("/login", portcullis().sessionMessage(request, "end_all")));
