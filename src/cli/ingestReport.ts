import type { ChalkInstance } from "chalk";
import type { Receipt } from "../contract/receipt.ts";
import type { LakeDefinition } from "../lake/definition.ts";
import type { IngestOutcome, IngestStatus } from "../lake/ingest.ts";
import { formatBytes, formatCount, formatDuration, plural, printable } from "../ui/format.ts";
import { renderTable } from "../ui/table.ts";
import { countPartitions, describeRules, quarantineObject } from "./receiptReport.ts";
import type { RejectRecord } from "./rejects.ts";

/** A table of more files than this shows those that need a look, and counts the others. */
const MOST_FILES = 30;
const MOST_PLACES = 5;

export interface IngestReport {
  outcomes: IngestOutcome[];
  /** Why files were refused whole, by key. */
  refusals: Map<string, RejectRecord>;
  durationMs: number;
  buckets: LakeDefinition["buckets"];
}

/** What became of each file, where its rejected rows are, and the sums. */
export function renderIngest(report: IngestReport, colours: ChalkInstance, width?: number): string {
  const { outcomes } = report;
  const blocks = [renderFiles(outcomes, colours, width)];
  const notes = [...renderQuarantine(outcomes, colours), ...renderProblems(report, colours)];
  if (notes.length > 0) blocks.push(notes.join("\n"));
  blocks.push(summary(report, colours));
  return blocks.join("\n\n");
}

const isPlain = ({ status, receipt }: IngestOutcome) =>
  status === "uploaded" || (status === "done" && receipt?.rows.rejected === 0);

function renderFiles(outcomes: IngestOutcome[], colours: ChalkInstance, width?: number): string {
  const long = outcomes.length > MOST_FILES;
  const shown = long ? outcomes.filter((outcome) => !isPlain(outcome)).slice(0, MOST_FILES) : outcomes;
  if (shown.length === 0) return `  ${plural(outcomes.length, "file")}, ${colours.green("all right")}`;
  const rows = shown.map((outcome) => {
    const { key, size, receipt, durationMs } = outcome;
    const counts = receipt?.status === "done" ? receipt : undefined;
    return [
      printable(key),
      formatBytes(size),
      counts ? formatCount(counts.rows.read) : "",
      counts ? formatCount(counts.rows.accepted) : "",
      counts ? formatCount(counts.rows.rejected) : "",
      counts ? formatCount(countPartitions(counts)) : "",
      formatDuration(durationMs),
      describeStatus(outcome, colours),
    ];
  });
  if (outcomes.length > shown.length) {
    rows.push([colours.dim(`… ${plural(outcomes.length - shown.length, "file")} more`)]);
  }
  const sum = (of: (receipt: Receipt) => number) =>
    formatCount(receiptsOf(outcomes).reduce((total, receipt) => total + of(receipt), 0));
  const bytes = outcomes.reduce((total, { size }) => total + size, 0);
  return renderTable(
    [
      { title: "file", shrink: true },
      { title: "size", align: "right" },
      { title: "rows", align: "right" },
      { title: "curated", align: "right" },
      { title: "quarantine", align: "right" },
      { title: "partitions", align: "right" },
      { title: "time", align: "right" },
      { title: "outcome" },
    ],
    rows,
    {
      header: colours.bold,
      width,
      ...(outcomes.length > 1 && {
        footer: [
          plural(outcomes.length, "file"),
          formatBytes(bytes),
          sum(({ rows: { read } }) => read),
          sum(({ rows: { accepted } }) => accepted),
          sum(({ rows: { rejected } }) => rejected),
          "",
          "",
          "",
        ],
      }),
    },
  );
}

function describeStatus({ status, receipt }: IngestOutcome, colours: ChalkInstance): string {
  switch (status) {
    case "done":
      return describeDone(receipt, colours);
    case "rejected":
      return colours.red("refused whole");
    case "uploaded":
      return colours.green("uploaded");
    case "pending":
      return colours.yellow("no answer yet");
    case "superseded":
      return colours.yellow("overtaken by another version");
    case "failed":
      return colours.red("failed");
  }
}

function describeDone(receipt: Receipt | undefined, colours: ChalkInstance): string {
  if (receipt && receipt.rows.rejected > 0) return colours.yellow("done, with rejects");
  return receipt?.rows.read === 0 ? colours.yellow("done, no rows") : colours.green("done");
}

/** Receipts of files whose rows were read. */
function receiptsOf(outcomes: IngestOutcome[]): Receipt[] {
  return outcomes.flatMap(({ receipt }) => (receipt?.status === "done" ? [receipt] : []));
}

function renderQuarantine(outcomes: IngestOutcome[], colours: ChalkInstance): string[] {
  const receipts = receiptsOf(outcomes).filter(({ rows }) => rows.rejected > 0);
  if (receipts.length === 0) return [];
  const rejected = receipts.reduce((sum, { rows }) => sum + rows.rejected, 0);
  const lines = [
    `  ${colours.yellow("!")} ${plural(rejected, "row is", "rows are")} in quarantine, each with its line and reason: ${describeRules(receipts)}`,
  ];
  for (const receipt of receipts.slice(0, MOST_PLACES))
    lines.push(`      ${printable(quarantineObject(receipt) ?? "")}`);
  if (receipts.length > MOST_PLACES) lines.push(`      … and ${formatCount(receipts.length - MOST_PLACES)} more`);
  return lines;
}

function renderProblems({ outcomes, refusals }: IngestReport, colours: ChalkInstance): string[] {
  const lines: string[] = [];
  for (const { key, name, status, error, receipt } of outcomes) {
    if (status === "rejected") {
      const reason = refusals.get(key);
      lines.push(
        `  ${colours.red("✖")} ${printable(key)}: ${reason ? printable(reason.message) : "it cannot be read"}`,
      );
      const place = receipt && quarantineObject(receipt);
      if (place) lines.push(colours.dim(`      ${printable(place)}`));
    } else if (error) {
      const mark = status === "pending" ? colours.yellow("!") : colours.red("✖");
      lines.push(`  ${mark} ${error.message.includes(key) ? "" : `${printable(name)}: `}${printable(error.message)}`);
      if (error.hint) lines.push(`      ${error.hint}`);
    }
  }
  return lines;
}

function summary({ outcomes, durationMs, buckets }: IngestReport, colours: ChalkInstance): string {
  const count = (...statuses: IngestStatus[]) => outcomes.filter(({ status }) => statuses.includes(status)).length;
  const took = `in ${formatDuration(durationMs)}`;
  if (count("uploaded") === outcomes.length) {
    return `${colours.green("✔")} ${plural(outcomes.length, "file")} uploaded to s3://${buckets.raw}/ ${took}. Their rows are on their way: minilake status`;
  }
  const receipts = receiptsOf(outcomes);
  const total = (of: (receipt: Receipt) => number) => receipts.reduce((sum, receipt) => sum + of(receipt), 0);
  const partitions = new Set(
    receipts.flatMap(({ outputs }) => outputs.flatMap(({ partition }) => (partition === undefined ? [] : [partition]))),
  );
  const rows =
    `${plural(
      total(({ rows: { read } }) => read),
      "row",
    )} read = ${formatCount(total(({ rows: { accepted } }) => accepted))} in ` +
    `${plural(partitions.size, "partition")} + ${formatCount(total(({ rows: { rejected } }) => rejected))} in quarantine`;
  const bad = [
    [count("rejected"), `${count("rejected") === 1 ? "file" : "files"} refused whole`],
    [count("failed"), "failed"],
    [count("pending"), "without an answer yet"],
    [count("superseded"), "overtaken by another version"],
  ]
    .filter(([number]) => number !== 0)
    .map(([number, what]) => `${formatCount(number as number)} ${what}`);
  if (bad.length === 0) return `${colours.green("✔")} ${plural(outcomes.length, "file")}: ${rows}, ${took}.`;
  const mark = count("rejected", "failed") > 0 ? colours.red("✖") : colours.yellow("!");
  return `${mark} ${formatCount(count("done"))} of ${plural(outcomes.length, "file")} done (${bad.join(", ")}): ${rows}, ${took}.`;
}
