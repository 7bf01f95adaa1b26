import type { FileProfile } from "./fileProfile.ts";
import type { ColumnGuess } from "./guessColumns.ts";
import { rows } from "./guessColumns.ts";

export interface ContractChoices {
  /** One of the columns with dates or timestamps; undefined: none. */
  partitionColumn?: string;
  id: string;
}

/** The text of an ODCS v3.1 contract, with a comment at every guess. */
export function writeContract(profile: FileProfile, guesses: ColumnGuess[], choices: ContractChoices): string {
  const lines = [
    ...introduction(profile),
    "apiVersion: v3.1.0",
    "kind: DataContract",
    `id: ${quoted(choices.id)}`,
    "version: 1.0.0 # raise it when you change the rules",
    "status: draft",
    "",
    "schema:",
    `  - name: ${quoted(choices.id)}`,
    `    physicalName: ${quoted(profile.file)}`,
    "    physicalType: file",
    "    customProperties:",
    "      - property: minilakeUnknownColumns # keep, drop or refuse: columns that are not below",
    "        value: keep",
    ...dialectLines(profile),
    "",
    "    properties:",
  ];
  const key =
    guesses.find(({ isKey, name }) => isKey && name.toLowerCase() === "id") ?? guesses.find(({ isKey }) => isKey);
  for (const [index, guess] of guesses.entries()) {
    if (index > 0) lines.push("");
    lines.push(...columnLines(guess, profile, guess === key, guess.name === choices.partitionColumn));
  }
  return `${lines.join("\n")}\n`;
}

function introduction({ file, rows: count, complete, ragged, undecodable, unnamed, hasHeader }: FileProfile): string[] {
  const seen = complete ? `the ${rows(count)}` : `the first ${rows(count)}`;
  const lines = [
    `# A data contract, guessed from ${seen} of ${oneLine(file)}. It is yours to edit: every keyword is in docs/contract.md.`,
    "# required: true means that the column was never empty in those rows. A row that breaks a rule goes to quarantine;",
    "# a file that breaks a rule about all of its rows (primaryKey, unique) is refused whole.",
  ];
  const leftOut: string[] = [];
  if (ragged.count > 0)
    leftOut.push(`${rows(ragged.count)} with another number of cells (first in line ${ragged.firstLine})`);
  if (undecodable.count > 0)
    leftOut.push(`${rows(undecodable.count)} with bytes that are no text (first in line ${undecodable.firstLine})`);
  if (leftOut.length > 0) lines.push(`# Not looked at, and quarantine in any case: ${leftOut.join("; ")}.`);
  if (unnamed.length > 0) {
    const names = unnamed.slice(0, 5).map((name) => (name === "" ? "no name" : JSON.stringify(name)));
    lines.push(
      `# Columns without a name of their own are left out, as no rule can speak of them: ${names.join(", ")}.`,
    );
  }
  if (!hasHeader) lines.push("# The file has no header. Give the columns names, and keep their order.");
  return lines;
}

function dialectLines({ dialect, hasHeader }: FileProfile): string[] {
  const lines: string[] = [];
  if (dialect.delimiter !== ",") lines.push(`delimiter: ${JSON.stringify(dialect.delimiter)}`);
  if (dialect.quote !== '"') lines.push(`quote: "'"`);
  if (dialect.encoding !== "utf-8") lines.push(`encoding: ${dialect.encoding}`);
  if (dialect.skipLines > 0) lines.push(`skipLines: ${dialect.skipLines} # lines before the table`);
  if (!hasHeader) lines.push("header: false");
  if (lines.length === 0) return [];
  return [
    "      - property: minilakeDialect # what is not said here is detected in each file",
    "        value:",
    ...lines.map((line) => `          ${line}`),
  ];
}

function columnLines(guess: ColumnGuess, profile: FileProfile, isPrimaryKey: boolean, isPartition: boolean): string[] {
  const lines = guess.why.map((sentence) => `      # ${oneLine(sentence)}`);
  const add = (text: string) => lines.push(`        ${text}`);
  lines.push(`      - name: ${quoted(guess.name)}`);
  add(`logicalType: ${guess.type}`);
  if (guess.physicalType !== undefined) add(`physicalType: ${guess.physicalType}`);
  if (isPrimaryKey) add(`primaryKey: true # another value in each of ${rows(profile.rows)}, and the name of a key`);
  else {
    if (guess.required) add("required: true");
    else if (isPartition) add("required: true # without a date a row has no place");
    if (guess.isKey) add(`# unique: true # another value in each of ${rows(profile.rows)}`);
  }
  if (isPartition) add("partitioned: true # rows are stored by this day");
  if (guess.options.length > 0) {
    add("logicalTypeOptions:");
    for (const [key, value] of guess.options) add(`  ${key}: ${typeof value === "string" ? quoted(value) : value}`);
  }
  if (guess.values !== undefined) {
    add("quality:");
    add("  - metric: invalidValues # with severity: warning another value is counted and let pass");
    add("    mustBe: 0");
    add("    arguments:");
    add("      validValues:");
    for (const value of guess.values) add(`        - ${quoted(value)}`);
  }
  if (guess.separators.length > 0) {
    add("customProperties:");
    for (const [property, value] of guess.separators) {
      add(`  - property: ${property}`);
      add(`    value: ${JSON.stringify(value)}`);
    }
  }
  return lines;
}

/** Text as a YAML scalar: bare when it cannot be taken for anything else, else in double quotes. */
export function quoted(text: string): string {
  const isBare =
    /^\p{L}[\p{L}\p{N}_./ ()-]*$/u.test(text) &&
    !text.endsWith(" ") &&
    !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text);
  if (isBare) return text;
  // JSON leaves some characters as they are that YAML does not print.
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** For a comment, which a line break would end. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ");
}
