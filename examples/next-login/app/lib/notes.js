// Kept until the process ends. Next.js may load this file once for each route, so the notes hang on what all of them share.
const kept = (globalThis.keptNotes ??= new Map());
const NOTES_MAX = 100;

export const notesOf = (user) => kept.get(user) ?? [];

export function addNote(user, text) {
  const notes = [...notesOf(user), text.slice(0, 200)];
  kept.set(user, notes.slice(-NOTES_MAX));
}
