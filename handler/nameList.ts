/** Names listed in a message; more would bury the sentence. */
const LISTED = 30;

/** Names, or values, in a message: those that are no simple words in quotes. */
export function nameList(names: readonly string[], most = LISTED): string {
  const shown = names
    .slice(0, most)
    .map((name) => (/^[^\p{C}\s,"]+( [^\p{C}\s,"]+)*$/u.test(name) ? name : JSON.stringify(name)));
  return names.length > most ? `${shown.join(", ")} and ${names.length - most} more` : shown.join(", ");
}
