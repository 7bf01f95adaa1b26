import type { ChalkInstance } from "chalk";
import type { Receipt } from "../contract/receipt.ts";
import { formatBytes, formatCount, plural, printable, shortKey, shortList } from "../ui/format.ts";

/** "35 partition-date, 17 ragged-row": why rows were rejected, the most frequent rule first. */
export function describeRules(files: { rows: { rejectedByRule: Record<string, number> } }[]): string {
  const counts = new Map<string, number>();
  for (const { rows } of files) {
    for (const [rule, count] of Object.entries(rows.rejectedByRule)) counts.set(rule, (counts.get(rule) ?? 0) + count);
  }
  return [...counts]
    .sort(([ruleA, a], [ruleB, b]) => b - a || (ruleA < ruleB ? -1 : 1))
    .map(([rule, count]) => `${formatCount(count)} ${printable(rule)}`)
    .join(", ");
}

/** Where the rejected rows of a file are: "s3://quarantine-transactions/curate/transactions.csv.rejects.csv". */
export function quarantineObject({ outputs }: Receipt): string | undefined {
  const output = outputs.find(({ kind }) => kind === "quarantine");
  return output && `s3://${output.bucket}/${output.key}`;
}

const MOST_COLUMNS = 20;
const DELIMITER_NAMES = { ",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe" };

/** What was detected in a file, why, and where each of its bytes went. */
export function renderExplanation(receipt: Receipt, colours: ChalkInstance): string {
  const { source, dialect, partition, rows, bytes } = receipt;
  const lines = [`  ${colours.bold(shortKey(source.key))}`];
  const add = (title: string, text: string) => lines.push(`    ${title.padEnd(11)}${printable(text)}`);
  if (dialect) {
    const { encoding, bom, delimiter, quote, newline, compression, preambleLines, columns } = dialect;
    add(
      "read as",
      [
        encoding + (bom ? " with byte order mark" : ""),
        `delimiter ${DELIMITER_NAMES[delimiter]}`,
        `quote ${quote}`,
        `line ends ${JSON.stringify(newline).slice(1, -1)}`,
        ...(compression ? [compression] : []),
        ...(preambleLines > 0 ? [`header after ${plural(preambleLines, "line")}`] : []),
      ].join(", "),
    );
    for (const why of dialect.why) add("", `- ${why}`);
    add("columns", shortList(columns, MOST_COLUMNS));
  }
  if (partition)
    add(
      "partition",
      `${partition.as} is the day of ${partition.column}: ${partition.why.replace(`column ${partition.column}: `, "")}`,
    );
  add(
    "rows",
    `${formatCount(rows.read)} read = ${formatCount(rows.accepted)} accepted + ${formatCount(rows.rejected)} in quarantine` +
      (rows.rejected > 0 ? ` (${describeRules([receipt])})` : "") +
      (rows.blank > 0 ? `; ${plural(rows.blank, "blank line")}` : ""),
  );
  add(
    "bytes",
    `${formatCount(bytes.text)} = header ${formatCount(bytes.header)} + accepted ${formatCount(bytes.accepted)}` +
      ` + rejected ${formatCount(bytes.rejected)} + blank ${formatCount(bytes.blank)} + preamble ${formatCount(bytes.preamble)}` +
      (dialect?.compression ? `; ${formatBytes(source.size)} compressed` : ""),
  );
  return lines.join("\n");
}
