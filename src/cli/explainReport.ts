import type { ChalkInstance } from "chalk";
import type { RowExplanation, SourceExplanation, StageExplanation } from "../lake/explainSource.ts";
import { formatBytes, formatCount, plural, printable, shortKey } from "../ui/format.ts";
import { renderTable } from "../ui/table.ts";
import { renderExplanation } from "./receiptReport.ts";

/** Outputs of a stage that are printed; --json has them all. */
const MOST_OUTPUTS = 8;
const LONGEST_ROW = 1_000;
const TITLE_WIDTH = 12;

const line = (colours: ChalkInstance, title: string, text: string) =>
  `  ${colours.bold(title.padEnd(TITLE_WIDTH))}${text}`;

/** What became of a file, stage by stage. */
export function renderSource(source: SourceExplanation, colours: ChalkInstance, width?: number): string {
  const { key, bucket, object, stages } = source;
  const lines = [
    colours.bold(shortKey(key)),
    line(
      colours,
      "source",
      object
        ? `s3://${bucket}/${shortKey(key)}, ${formatBytes(object.size)}${object.versionId ? `, version ${object.versionId}` : ""}`
        : colours.yellow(`deleted from s3://${bucket}`),
    ),
  ];
  const blocks = [lines.join("\n")];
  for (const stage of stages) blocks.push(renderStage(stage, key, colours, width));
  if (object && stages.every(({ upToDate, receipt }) => upToDate && receipt?.status === "done")) {
    blocks.push(`  Where one row went: minilake explain ${shortKey(key)}:LINE`);
  }
  return blocks.join("\n\n");
}

function renderStage(
  { stage, receipt, upToDate, refusal }: StageExplanation,
  key: string,
  colours: ChalkInstance,
  width?: number,
): string {
  if (receipt === undefined) {
    return `${line(colours, stage.name, colours.yellow("has not got to it"))}\n    Its event may be under way or lost: minilake reconcile ${shortKey(key)}`;
  }
  const { status, times, outputs, contract, requestId } = receipt;
  const state = !upToDate
    ? colours.yellow("is behind: this is of an earlier version")
    : status === "done"
      ? colours.green("done")
      : status === "rejected"
        ? colours.red("refused it whole")
        : colours.dim("removed what came from it");
  const by = contract ? `, by contract ${printable(contract.id)} ${printable(contract.version)}` : "";
  const lines = [line(colours, stage.name, `${state}, ${times.finished}${by} (request ${requestId})`)];
  if (!upToDate) lines.push(`    Its event may be under way or lost: minilake reconcile ${shortKey(key)}`);
  if (refusal) lines.push(`    ${printable(refusal.rule)}: ${printable(refusal.message)}`);
  // Without the key, which stands above.
  if (status === "done") lines.push(...renderExplanation(receipt, colours).split("\n").slice(1));
  if (outputs.length > 0) {
    const shown =
      outputs.length > MOST_OUTPUTS ? [...outputs.slice(0, MOST_OUTPUTS - 2), ...outputs.slice(-1)] : outputs;
    const rows = shown.map((output) => [
      printable(`s3://${output.bucket}/${output.key}`),
      formatCount(output.rows),
      formatBytes(output.bytes),
    ]);
    if (shown.length < outputs.length) {
      rows.splice(-1, 0, [colours.dim(`… ${plural(outputs.length - shown.length, "object")} more`), "", ""]);
    }
    lines.push(
      renderTable(
        [
          { title: "output", shrink: true },
          { title: "rows", align: "right" },
          { title: "size", align: "right" },
        ],
        rows,
        { header: colours.bold, width, indent: 4 },
      ),
    );
  }
  return lines.join("\n");
}

/** Where one row went, and why. */
export function renderRow(source: SourceExplanation, row: RowExplanation, colours: ChalkInstance): string {
  const { lines, text, fate, trusted } = row;
  const which =
    lines.first === lines.last
      ? `line ${row.line}`
      : `line ${row.line}, of a row on lines ${lines.first} to ${lines.last}`;
  const found = [`${colours.bold(shortKey(source.key))}, ${which}`];
  const add = (title: string, value: string) => found.push(line(colours, title, value));
  const version = source.object?.versionId;
  add("source", `s3://${source.bucket}/${shortKey(source.key)}${version ? `, version ${version}` : ""}`);
  if (text !== "") add("row", printable(text.length > LONGEST_ROW ? `${text.slice(0, LONGEST_ROW)}…` : text));
  const [first] = source.stages;
  if (trusted) {
    add(first!.stage.name, colours.green("accepted"));
    add("trusted", placeOf(trusted));
  }
  const key = shortKey(source.key);
  switch (fate.is) {
    case "preamble":
      add("is", "a line before the header: it is no row, and goes nowhere");
      break;
    case "header":
      add("is", "the header: every output has it");
      break;
    case "blank":
      add("is", "a blank line: it is no row, and goes nowhere");
      break;
    case "refused": {
      const refusal = source.stages.find(({ stage }) => stage.name === fate.stage)?.refusal;
      add(fate.stage, colours.red(`refused the file as a whole: ${printable(refusal?.message ?? "")}`));
      break;
    }
    case "rejected": {
      const { record, place } = fate;
      const column = record?.column ? ` of column ${printable(record.column)}` : "";
      add(fate.stage, colours.red(`rejected: ${record ? `${printable(record.rule)}${column}` : "see verify"}`));
      if (record) add("why", printable(record.message));
      add("quarantine", `s3://${printable(place.bucket)}/${printable(place.key)}, the record of line ${place.line}`);
      if (!record) add("but", colours.red(`there is no such record: minilake verify ${key}`));
      else add("next", `correct the file and ingest it again, or change the rules: minilake quarantine replay ${key}`);
      break;
    }
    case "stored": {
      const last = source.stages.at(-1)!;
      add(last.stage.name, `${colours.green("accepted")}, day ${fate.day}${dayReason(last)}`);
      add("curated", placeOf(fate.place));
      if (fate.copies > 1) add("copies", `${formatCount(fate.copies)} rows there are the same, as in the file`);
      break;
    }
    case "missing":
      add(
        fate.stage,
        colours.red(
          `should have put it into s3://${printable(fate.place.bucket)}/${printable(fate.place.key)}; it is not there`,
        ),
      );
      add("next", `minilake verify ${key}, and then minilake reconcile ${key}`);
      break;
    case "waiting":
      add(fate.stage, colours.yellow("has not got to this version of the file yet"));
      add("next", `minilake status; when its event was lost: minilake reconcile ${key}`);
  }
  return found.join("\n");
}

const placeOf = ({ bucket, key, line: at }: { bucket: string; key: string; line: number }) =>
  `s3://${printable(bucket)}/${printable(key)}, ${key.endsWith(".parquet") ? `row ${formatCount(at - 1)}` : `line ${formatCount(at)}`}`;

function dayReason({ receipt }: StageExplanation): string {
  const partition = receipt?.partition;
  return partition ? ` of ${printable(partition.column)}` : "";
}
