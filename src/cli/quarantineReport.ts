import type { ChalkInstance } from "chalk";
import { type QuarantinedFile, type RejectRecord, rowText } from "../lake/quarantine.ts";
import type { ReplayOutcome } from "../lake/replay.ts";
import { formatCount, formatDuration, plural, printable, shortKey } from "../ui/format.ts";
import { renderTable } from "../ui/table.ts";
import { describeRules } from "./receiptReport.ts";
import { describeOutcome, isSettledOutcome, renderFailures } from "./replayReport.ts";

/** A table of more files than this counts the others. */
const MOST_FILES = 50;
const LONGEST_ROW = 300;

/** Files with rejected rows, and why. */
export function renderQuarantine(files: QuarantinedFile[], colours: ChalkInstance, width?: number): string {
  if (files.length === 0) return `${colours.green("✔")} Nothing is in quarantine.`;
  const rows = files
    .slice(0, MOST_FILES)
    .map(({ stage, key, whole, records, receipt, time }) => [
      stage,
      shortKey(key),
      whole ? colours.red("whole") : formatCount(records),
      describeRules([receipt]).replace(whole ? /^1 / : /^$/, ""),
      time,
    ]);
  if (files.length > MOST_FILES) rows.push(["", colours.dim(`… ${plural(files.length - MOST_FILES, "file")} more`)]);
  const table = renderTable(
    [
      { title: "stage" },
      { title: "file", shrink: true },
      { title: "rows", align: "right" },
      { title: "rules" },
      { title: "since" },
    ],
    rows,
    { header: colours.bold, width },
  );
  const parts = files.filter(({ whole }) => !whole);
  const sum = parts.reduce((total, { records }) => total + records, 0);
  const refused = files.length - parts.length;
  const what = [
    ...(parts.length > 0
      ? [
          `${plural(sum, "row")} of ${plural(parts.length, "file")} (${describeRules(parts.map(({ receipt }) => receipt))})`,
        ]
      : []),
    ...(refused > 0 ? [`${plural(refused, "file")} as a whole`] : []),
  ];
  return `${table}\n\n  In quarantine: ${what.join(", and ")}.\n  See the rows: minilake quarantine show KEY. After a change of the contract or of the settings: minilake quarantine replay`;
}

/** The records of one file, one row of a table each. */
export function renderFileRecords(
  file: QuarantinedFile,
  records: RejectRecord[],
  colours: ChalkInstance,
  { rule, width }: { rule?: string | undefined; width?: number | undefined },
): string {
  const place = `s3://${file.bucket}/${file.object}`;
  const title = `${colours.bold(shortKey(file.key))}, stage ${file.stage}`;
  if (file.whole) {
    const [record] = records;
    return [
      `${title}: ${colours.red("refused whole")}`,
      `  ${printable(record?.rule ?? "")}: ${printable(record?.message ?? "it cannot be read")}`,
      colours.dim(`  ${printable(place)}`),
    ].join("\n");
  }
  const total = rule === undefined ? file.records : (file.byRule[rule] ?? 0);
  const lines = [
    `${title}: ${plural(total, "row")}${rule === undefined ? ` (${describeRules([file.receipt])})` : ` with rule ${rule}`}`,
    "",
    renderTable(
      [
        { title: "line", align: "right" },
        { title: "column" },
        { title: "rule" },
        { title: "message" },
        { title: "row" },
      ],
      records.map((record) => {
        const row = printable(rowText(record));
        return [
          record.line,
          printable(record.column),
          record.rule,
          printable(record.message),
          row.length > LONGEST_ROW ? `${row.slice(0, LONGEST_ROW - 1)}…` : row,
        ];
      }),
      { header: colours.bold, width },
    ),
    "",
  ];
  if (total > records.length) {
    lines.push(
      `  … ${formatCount(total - records.length)} more: --limit ${total}, or all of them with --csv or --json`,
    );
  }
  lines.push(colours.dim(`  ${printable(place)}`));
  return lines.join("\n");
}

export interface ReplayedFile {
  file: QuarantinedFile;
  outcome: ReplayOutcome;
}

export interface ReplayReport {
  replayed: ReplayedFile[];
  /** What followed in later stages. */
  followed: ReplayOutcome[];
  durationMs: number;
}

/** How many rows moved, and which are still rejected. */
export function renderReplayed(
  { replayed, followed, durationMs }: ReplayReport,
  colours: ChalkInstance,
  width?: number,
): string {
  if (replayed.length === 0) return `${colours.green("✔")} Nothing is in quarantine: there is nothing to replay.`;
  const rows = replayed
    .slice(0, MOST_FILES)
    .map(({ file, outcome }) => [
      file.stage,
      shortKey(file.key),
      file.whole ? "whole" : formatCount(file.records),
      isDone(outcome) ? formatCount(outcome.receipt!.rows.rejected) : outcome.status === "rejected" ? "whole" : "",
      isSettledOutcome(outcome) ? signed(movedRows(outcome)) : "",
      describeOutcome(outcome, colours),
    ]);
  if (replayed.length > MOST_FILES) {
    rows.push(["", colours.dim(`… ${plural(replayed.length - MOST_FILES, "file")} more`)]);
  }
  const blocks = [
    renderTable(
      [
        { title: "stage" },
        { title: "file", shrink: true },
        { title: "rejected", align: "right" },
        { title: "now", align: "right" },
        { title: "moved", align: "right" },
        { title: "outcome" },
      ],
      rows,
      { header: colours.bold, width },
    ),
  ];
  const outcomes = [...replayed.map(({ outcome }) => outcome), ...followed];
  const failures = renderFailures(outcomes, colours);
  if (failures.length > 0) blocks.push(failures.join("\n"));
  blocks.push(summary(replayed, outcomes, durationMs, colours));
  return blocks.join("\n\n");
}

const isDone = ({ status, receipt }: ReplayOutcome) => status === "done" && receipt !== undefined;

/** Rows that are in the lake now and were not before; negative when rows have left it. */
export function movedRows({ before, receipt }: ReplayOutcome): number {
  const accepted = (of: typeof receipt) => (of?.status === "done" ? of.rows.accepted : 0);
  return accepted(receipt) - accepted(before);
}

const signed = (count: number) => (count > 0 ? `+${formatCount(count)}` : formatCount(count));

function summary(
  replayed: ReplayedFile[],
  outcomes: ReplayOutcome[],
  durationMs: number,
  colours: ChalkInstance,
): string {
  const settled = replayed.filter(({ outcome }) => isSettledOutcome(outcome));
  const moved = settled.reduce((sum, { outcome }) => sum + movedRows(outcome), 0);
  const receipts = settled.flatMap(({ outcome }) => (isDone(outcome) ? [outcome.receipt!] : []));
  const rejected = receipts.reduce((sum, { rows }) => sum + rows.rejected, 0);
  const refused = settled.filter(({ outcome }) => outcome.status === "rejected").length;
  const still = [
    ...(rejected > 0 ? [`${plural(rejected, "row is", "rows are")} still rejected (${describeRules(receipts)})`] : []),
    ...(refused > 0 ? [`${plural(refused, "file is", "files are")} still refused whole`] : []),
  ];
  const change =
    moved >= 0
      ? `${plural(moved, "row")} moved into the lake`
      : `${plural(-moved, "row")} left the lake for quarantine`;
  const text = `${change}; ${still.length > 0 ? still.join(", ") : "nothing is rejected any more"}, in ${formatDuration(durationMs)}.`;
  if (!outcomes.every(isSettledOutcome)) return `${colours.red("✖")} Not all files were processed. ${text}`;
  const hint =
    moved === 0 && still.length > 0
      ? "\n  Rows are judged by what is deployed: change the contract or minilake.yaml, run minilake up, and replay again."
      : "";
  return `${colours.green("✔")} ${text}${hint}`;
}
