import type { ChalkInstance } from "chalk";
import type { LakeDefinition } from "../lake/definition.ts";
import type { IngestOutcome, IngestStatus, OutcomeRows } from "../lake/ingest.ts";
import type { RejectRecord } from "../lake/rejects.ts";
import { formatBytes, formatCount, formatDuration, plural, printable } from "../ui/format.ts";
import { renderTable } from "../ui/table.ts";
import { describeRules, quarantineObject } from "./receiptReport.ts";

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

const isPlain = ({ status, rows }: IngestOutcome) =>
  status === "uploaded" || (status === "done" && rows?.rejected === 0);

function renderFiles(outcomes: IngestOutcome[], colours: ChalkInstance, width?: number): string {
  const long = outcomes.length > MOST_FILES;
  const shown = long ? outcomes.filter((outcome) => !isPlain(outcome)).slice(0, MOST_FILES) : outcomes;
  if (shown.length === 0) return `  ${plural(outcomes.length, "file")}, ${colours.green("all right")}`;
  const rows = shown.map((outcome) => {
    const { key, size, rows, durationMs } = outcome;
    return [
      printable(key),
      formatBytes(size),
      rows ? formatCount(rows.read) : "",
      rows ? formatCount(rows.accepted) : "",
      rows ? formatCount(rows.rejected) : "",
      rows ? formatCount(rows.partitions.length) : "",
      formatDuration(durationMs),
      describeStatus(outcome, colours),
    ];
  });
  if (outcomes.length > shown.length) {
    rows.push([colours.dim(`… ${plural(outcomes.length - shown.length, "file")} more`)]);
  }
  const sum = (of: (rows: OutcomeRows) => number) =>
    formatCount(doneOf(outcomes).reduce((total, { rows }) => total + of(rows), 0));
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
          sum(({ read }) => read),
          sum(({ accepted }) => accepted),
          sum(({ rejected }) => rejected),
          "",
          "",
          "",
        ],
      }),
    },
  );
}

function describeStatus({ status, rows, received }: IngestOutcome, colours: ChalkInstance): string {
  switch (status) {
    case "done":
      return describeDone(rows, colours) + (received ? colours.dim(", was there already") : "");
    case "rejected":
      return colours.red("refused whole");
    case "uploaded":
      return received ? colours.dim("was there already") : colours.green("uploaded");
    case "pending":
      return colours.yellow("no answer yet");
    case "superseded":
      return colours.yellow("overtaken by another version");
    case "failed":
      return colours.red("failed");
  }
}

function describeDone(rows: OutcomeRows | undefined, colours: ChalkInstance): string {
  if (rows && rows.rejected > 0) return colours.yellow("done, with rejects");
  return rows?.read === 0 ? colours.yellow("done, no rows") : colours.green("done");
}

/** Files whose rows were read. */
function doneOf(outcomes: IngestOutcome[]): (IngestOutcome & { rows: OutcomeRows })[] {
  return outcomes.filter((outcome) => outcome.rows !== undefined) as (IngestOutcome & { rows: OutcomeRows })[];
}

function renderQuarantine(outcomes: IngestOutcome[], colours: ChalkInstance): string[] {
  const files = doneOf(outcomes).filter(({ rows }) => rows.rejected > 0);
  if (files.length === 0) return [];
  const rejected = files.reduce((sum, { rows }) => sum + rows.rejected, 0);
  const lines = [
    `  ${colours.yellow("!")} ${plural(rejected, "row is", "rows are")} in quarantine, each with its line and reason: ${describeRules(files)}`,
  ];
  const places = files.flatMap(({ receipts }) => receipts.flatMap((receipt) => quarantineObject(receipt) ?? []));
  for (const place of places.slice(0, MOST_PLACES)) lines.push(`      ${printable(place)}`);
  if (places.length > MOST_PLACES) lines.push(`      … and ${formatCount(places.length - MOST_PLACES)} more`);
  return lines;
}

function renderProblems({ outcomes, refusals }: IngestReport, colours: ChalkInstance): string[] {
  const lines: string[] = [];
  for (const { key, name, status, error, receipts } of outcomes) {
    const receipt = receipts.at(-1);
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
  const done = doneOf(outcomes);
  const total = (of: (rows: OutcomeRows) => number) => done.reduce((sum, { rows }) => sum + of(rows), 0);
  const partitions = new Set(done.flatMap(({ rows }) => rows.partitions));
  const rows =
    `${plural(
      total(({ read }) => read),
      "row",
    )} read = ${formatCount(total(({ accepted }) => accepted))} in ` +
    `${plural(partitions.size, "partition")} + ${formatCount(total(({ rejected }) => rejected))} in quarantine`;
  const bad = [
    [count("rejected"), `${count("rejected") === 1 ? "file" : "files"} refused whole`],
    [count("failed"), "failed"],
    [count("pending"), "without an answer yet"],
    [count("superseded"), "overtaken by another version"],
  ]
    .filter(([number]) => number !== 0)
    .map(([number, what]) => `${formatCount(number as number)} ${what}`);
  const there = outcomes.filter(({ received }) => received).length;
  const skipped =
    there === 0
      ? ""
      : `\n  ${there === outcomes.length ? "All of them were" : `${plural(there, "file was", "files were")}`} in the lake already with the same content, and not uploaded again (--again does).`;
  if (bad.length === 0) return `${colours.green("✔")} ${plural(outcomes.length, "file")}: ${rows}, ${took}.${skipped}`;
  const mark = count("rejected", "failed") > 0 ? colours.red("✖") : colours.yellow("!");
  return `${mark} ${formatCount(count("done"))} of ${plural(outcomes.length, "file")} done (${bad.join(", ")}): ${rows}, ${took}.${skipped}`;
}
