/** A text literal. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A column's name. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
