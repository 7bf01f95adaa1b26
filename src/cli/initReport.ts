import type { FileProfile, InferredContract } from "../contract/odcs/infer.ts";
import { formatCount, plural, printable } from "../ui/format.ts";
import type { Output } from "../ui/output.ts";
import { renderTable } from "../ui/table.ts";

export interface InitReport {
  files: { path: string }[];
  /** A minilake.yaml was there and was left as it is. */
  keptSettings: boolean;
  /** What is to be written into it. */
  addLine: string | undefined;
  /** As the user wrote it. */
  file: string | undefined;
  profile?: FileProfile;
  contract?: InferredContract;
}

/** What was written, what was guessed, what to look at and what to type. */
export async function renderInitReport(output: Output, report: InitReport): Promise<string> {
  const { files, file, profile, contract, keptSettings, addLine } = report;
  const colours = await output.colours("stdout");
  const lines = files.map(({ path }) => `${colours.green("✔")} Wrote ${path}`);
  if (keptSettings) lines.push(`${colours.dim("·")} minilake.yaml was there already and is left as it is`);
  if (profile && contract) {
    lines.push(
      "",
      columnTable(contract, profile, output.width("stdout"), (text) => colours.bold(text)),
      "",
    );
    for (const warning of warnings(profile, contract)) lines.push(`${colours.yellow("!")} ${warning}`);
    if (lines.at(-1) !== "") lines.push("");
  }
  const add = (title: string, text: string) => lines.push(`  ${colours.bold(title.padEnd(8))}${text}`);
  if (!profile) lines.push("", "  Every setting is in it, with its default.", "");
  const next = profile ? [`look through ${files[0]!.path}: each guess has a comment`] : [];
  if (addLine) next.push(`name it in minilake.yaml, by the line ${addLine}`);
  next.push("minilake up", `minilake ingest ${file ?? "FILES…"}`);
  for (const [index, text] of next.entries()) add(index === 0 ? "next" : "", text);
  if (!profile) add("or", "minilake init FILE guesses a contract from a CSV file");
  return lines.join("\n");
}

function columnTable(
  { columns, loaded }: InferredContract,
  profile: FileProfile,
  width: number | undefined,
  header: (text: string) => string,
): string {
  const keys = new Set(
    loaded.contract.gates.filter(({ rule }) => rule === "primary-key").flatMap((gate) => gate.columns),
  );
  const rows = columns.map(({ name, type, options, physicalType, separators, required, values, isAmbiguous }) => {
    const format = options.find(([key]) => key === "format")?.[1];
    const rules = [
      name === loaded.partition?.column && "partition",
      keys.has(name) && "primary key",
      required && !keys.has(name) && "required",
      physicalType,
      format && `format ${format}`,
      separators.length > 0 && `written with ${separators.map(([, value]) => `"${String(value)}"`).join(" and ")}`,
      values && `one of ${values.length} values`,
      isAmbiguous && "CHECK: day or month first?",
    ].filter(Boolean);
    return [printable(name), type, rules.join(", ")];
  });
  const shown = rows.slice(0, MOST_COLUMNS);
  const table = renderTable([{ title: "column" }, { title: "type" }, { title: "rules", shrink: true }], shown, {
    width,
    header,
  });
  const rest = rows.length - shown.length;
  const seen = `  guessed from ${profile.complete ? "" : "the first "}${plural(profile.rows, "row")}`;
  return `${table}${rest > 0 ? `\n  and ${formatCount(rest)} more columns` : ""}\n${seen}`;
}

const MOST_COLUMNS = 40;

function warnings(
  { rows, ragged, undecodable, unnamed }: FileProfile,
  { rejected, loaded }: InferredContract,
): string[] {
  const found: string[] = [];
  const broken = ragged.count + undecodable.count;
  if (broken > 0) {
    const first = Math.min(...[ragged, undecodable].filter(({ count }) => count > 0).map(({ firstLine }) => firstLine));
    found.push(
      `${plural(broken, "row")} cannot be read (first in line ${formatCount(first)}) and would go to quarantine.`,
    );
  }
  for (const { column, rule, rows: count, line } of rejected) {
    const what = rule === "required" ? "nothing" : `no ${typeOf(loaded, column)} (first in line ${formatCount(line)})`;
    found.push(
      `${plural(count, "row")} of ${formatCount(rows)} ${count === 1 ? "has" : "have"} ${what} in ${printable(column)} and would go to quarantine.`,
    );
  }
  if (unnamed.length > 0) found.push("Columns without a name of their own are not in the contract.");
  if (!loaded.partition) {
    found.push("No column of dates was found, and the lake stores rows by day: the file would be refused whole.");
  }
  return found;
}

function typeOf({ contract }: InferredContract["loaded"], column: string): string {
  return contract.columns.find(({ name }) => name === column)?.type.name ?? "value";
}
