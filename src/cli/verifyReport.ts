import type { ChalkInstance } from "chalk";
import { formatBytes, formatCount, formatDuration, plural, printable } from "../ui/format.ts";
import { renderTable } from "../ui/table.ts";
import type { DuplicateKeys, Finding, PartitionRow, RowSample, VerifyReport } from "../verify/report.ts";

/** A table of more partitions than this shows, when all is well, its first and last ones. */
const MOST_PARTITIONS = 12;
const ENDS = 4;
/** Findings printed; --json has them all. */
const MOST_FINDINGS = 40;

/** What `minilake verify` prints: partitions, findings, keys in several files, one sentence of judgement. */
export function renderVerify(
  report: VerifyReport,
  colours: ChalkInstance,
  options: { all?: boolean | undefined; width?: number | undefined },
) {
  const blocks = [];
  if (report.partitions.length > 0) blocks.push(renderPartitions(report.partitions, colours, options));
  if (report.findings.length > 0) blocks.push(renderFindings(report, colours));
  if (report.duplicates.length > 0) blocks.push(renderDuplicates(report.duplicates, colours));
  blocks.push(judgement(report, colours));
  return blocks.join("\n\n");
}

function renderPartitions(
  partitions: PartitionRow[],
  colours: ChalkInstance,
  { all, width }: { all?: boolean | undefined; width?: number | undefined },
): string {
  const wrong = partitions.filter(({ ok }) => !ok);
  const row = ({ partition, objects, rowsExpected, rowsStored, ok }: PartitionRow) => [
    partition,
    formatCount(objects),
    formatCount(rowsExpected),
    ok ? formatCount(rowsStored) : colours.red(formatCount(rowsStored)),
    ok ? colours.green("✔") : colours.red("✖"),
  ];
  const omitted = (count: number) => [colours.dim(`… ${formatCount(count)} more, all right`), "", "", "", ""];
  let rows: string[][];
  if (all || partitions.length <= MOST_PARTITIONS) rows = partitions.map(row);
  else if (wrong.length === 0) {
    const between = omitted(partitions.length - 2 * ENDS);
    rows = [...partitions.slice(0, ENDS).map(row), between, ...partitions.slice(-ENDS).map(row)];
  } else rows = [...wrong.map(row), omitted(partitions.length - wrong.length)];
  const sum = (of: (each: PartitionRow) => number) =>
    formatCount(partitions.reduce((total, each) => total + of(each), 0));
  return renderTable(
    [
      { title: "partition" },
      { title: "objects", align: "right" },
      { title: "rows due", align: "right" },
      { title: "rows stored", align: "right" },
      { title: "" },
    ],
    rows,
    {
      header: colours.bold,
      width,
      footer: [
        plural(partitions.length, "partition"),
        sum(({ objects }) => objects),
        sum(({ rowsExpected }) => rowsExpected),
        sum(({ rowsStored }) => rowsStored),
        "",
      ],
    },
  );
}

function renderFindings({ findings, findingsOmitted }: VerifyReport, colours: ChalkInstance): string {
  const lines = [colours.bold("  What does not hold")];
  const shown = findings.slice(0, MOST_FINDINGS);
  for (const [index, finding] of shown.entries()) {
    lines.push(`  ${colours.red("✖")} ${colours.bold(finding.type)}  ${printable(finding.message)}`);
    for (const sample of finding.samples ?? []) lines.push(colours.dim(`      ${describeSample(sample, finding)}`));
    // What mends several findings is said once, behind the last of them.
    if (finding.advice !== undefined && finding.advice !== shown[index + 1]?.advice) {
      lines.push(`      ${colours.cyan("→")} ${printable(finding.advice)}`);
    }
  }
  const omitted = findings.length - MOST_FINDINGS + findingsOmitted;
  if (omitted > 0)
    lines.push(`  … and ${plural(omitted, "finding")} more; --json has ${findingsOmitted ? "more" : "all"} of them`);
  return lines.join("\n");
}

function describeSample({ line, storedLine, storedPartition, row, storedRow }: RowSample, { source, key }: Finding) {
  const places = [];
  if (line !== null) places.push(`${source ?? "raw"} line ${line}`);
  if (storedLine !== null) places.push(`${storedPartition ?? key ?? "stored"} line ${storedLine}`);
  const cells = [row, storedRow].filter((each) => each !== undefined).map((each) => printable(each.join(" | ")));
  return [printable(places.join(" -> ")), ...cells].join(": ");
}

/** Files named of each set of columns. */
const MOST_FILES = 5;

function renderDuplicates(duplicates: DuplicateKeys[], colours: ChalkInstance): string {
  const lines = [colours.bold("  Keys that stand in several files")];
  for (const { rule, columns, keys, rows, files, filesOmitted, samples } of duplicates) {
    lines.push(
      `  ${colours.yellow("!")} ${colours.bold(`${rule} ${printable(columns.join(", "))}`)}  ` +
        `${plural(keys, "key")} in ${plural(rows, "row")} of ${plural(files.length + filesOmitted, "file")}`,
    );
    for (const { source, rows: ofFile } of files.slice(0, MOST_FILES)) {
      lines.push(`      ${printable(source)}: ${plural(ofFile, "row")}`);
    }
    const others = files.length + filesOmitted - MOST_FILES;
    if (others > 0) lines.push(`      … and ${plural(others, "file")} more`);
    for (const { places, values } of samples) {
      const where = places.map(({ source, line }) => `${source} line ${line}`).join(", ");
      const key = values === undefined ? "" : `${values.join(" | ")}: `;
      lines.push(colours.dim(`      ${printable(`${key}${where}`)}`));
    }
  }
  lines.push(
    `      ${colours.cyan("→")} Within one file the contract refuses them; across files they are told. To fail on them: minilake verify --unique`,
  );
  return lines.join("\n");
}

function judgement(report: VerifyReport, colours: ChalkInstance): string {
  const { totals, partitions, findings, findingsOmitted, duplicates } = report;
  const read = `${plural(totals.rowsRead, "row")} of ${plural(totals.rawObjects, "raw object")}`;
  const took = colours.dim(
    `Read ${plural(report.objectsRead, "object")}, ${formatBytes(report.bytesRead)}, in ${formatDuration(report.durationMs)}.`,
  );
  if (report.ok) {
    if (totals.rawObjects === 0 && report.since !== undefined) {
      return `${colours.green("✔")} Nothing was written to raw since ${report.since}.\n  ${took}`;
    }
    if (totals.rawObjects === 0) {
      return `${colours.green("✔")} The lake is empty, and nothing is where nothing should be.\n  ${took}`;
    }
    const whole = totals.filesRejected > 0 ? `, ${plural(totals.filesRejected, "file")} refused whole` : "";
    const trusted = totals.trustedObjects > 0 ? `, by way of ${plural(totals.trustedObjects, "trusted object")}` : "";
    return (
      `${colours.green("✔")} ${read} = ${formatCount(totals.rowsStored)} in ${plural(partitions.length, "partition")}` +
      ` + ${formatCount(totals.rowsRejected)} in quarantine${whole}${trusted}.\n` +
      `  ${colours.bold("Nothing lost, nothing doubled.")} ${took}`
    );
  }
  const count = findings.length + findingsOmitted;
  const busy = report.quiet
    ? ""
    : "\n  The lake was still at work when time ran out. Run it again, or give it more: --timeout 5m";
  if (count === 0 && duplicates.length > 0) {
    const keys = duplicates.reduce((sum, each) => sum + each.keys, 0);
    return `${colours.red("✖")} ${plural(keys, "key")} in several files, in ${read}; every row is where it belongs.\n  ${took}`;
  }
  return `${colours.red("✖")} ${plural(count, "finding")} in ${read}.${busy}\n  ${took}`;
}
