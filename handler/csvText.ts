/** Text as it stands in a CSV file of ours: comma, double quotes where RFC 4180 needs them. */
const NEEDS_QUOTES = /[",\r\n]/;

export function csvField(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A line with its line feed. One empty field would be a blank line, so that one is quoted. */
export function csvLine(fields: readonly string[]): string {
  if (fields.length === 1 && fields[0] === "") return '""\n';
  return `${fields.map(csvField).join(",")}\n`;
}
