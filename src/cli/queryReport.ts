import type { ChalkInstance } from "chalk";
import { cellValue, NUMERIC } from "../query/cellValue.ts";
import type { Cell, QueryResult, TableReads } from "../query/index.ts";
import { renderBars } from "../ui/barChart.ts";
import { formatBytes, formatCount, plural, printable } from "../ui/format.ts";
import { type Column, renderTable } from "../ui/table.ts";
import type { CommandContext } from "./context.ts";

export type QueryFormat = "table" | "csv" | "json" | "chart";

/** A table is for reading; more rows are for a file. */
const MOST_TABLE_ROWS = 1_000;
const MOST_BARS = 200;

export async function writeResult(context: CommandContext, result: QueryResult, format: QueryFormat): Promise<void> {
  if (format === "csv") return writeCsv(context, result);
  if (format === "json") return writeJson(context, result);
  if (format === "chart") return writeChart(context, result);
  return writeTable(context, result);
}

async function writeTable({ output }: CommandContext, result: QueryResult): Promise<void> {
  const { rows, total } = await firstRows(result, MOST_TABLE_ROWS);
  output.print(renderRows(result.columns, rows, await output.colours("stdout"), output.width("stdout")));
  const shown = total > rows.length ? `, the first ${formatCount(rows.length)} shown; --csv prints all` : "";
  output.note(`${plural(total, "row")}${shown}`);
}

/** Rows as an aligned table, numbers to the right. */
export function renderRows(
  columns: QueryResult["columns"],
  rows: Cell[][],
  colours: ChalkInstance,
  width: number | undefined,
): string {
  const titles = columns.map(
    ({ name, type }): Column => ({
      title: printable(name),
      align: NUMERIC.test(type) ? "right" : "left",
      shrink: type === "VARCHAR",
    }),
  );
  const cells = rows.map((row) => row.map((cell) => (cell === null ? colours.dim("NULL") : printable(cell))));
  return renderTable(titles, cells, { indent: 0, header: colours.bold, width });
}

async function firstRows({ rows }: QueryResult, most: number): Promise<{ rows: Cell[][]; total: number }> {
  const first: Cell[][] = [];
  let total = 0;
  for await (const chunk of rows) {
    total += chunk.length;
    if (first.length < most) first.push(...chunk.slice(0, most - first.length));
  }
  return { rows: first, total };
}

/** RFC 4180 with line feeds; NULL is an empty field, empty text is "". */
async function writeCsv({ output }: CommandContext, { columns, rows }: QueryResult): Promise<void> {
  const field = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const cell = (value: Cell) => (value === null ? "" : value === "" ? '""' : field(value));
  output.raw("stdout", `${columns.map(({ name }) => field(name)).join(",")}\n`);
  for await (const chunk of rows) {
    output.raw("stdout", chunk.map((row) => `${row.map(cell).join(",")}\n`).join(""));
  }
}

/** One document, a row a line: numbers as numbers where that is exact, everything else as text. */
async function writeJson({ output }: CommandContext, { columns, rows, reads }: QueryResult): Promise<void> {
  const member = ({ name, type }: QueryResult["columns"][number], value: Cell) =>
    `${JSON.stringify(name)}: ${JSON.stringify(cellValue(type, value))}`;
  output.raw("stdout", `{\n  "columns": ${JSON.stringify(columns)},\n  "rows": [`);
  let first = true;
  for await (const chunk of rows) {
    for (const row of chunk) {
      const members = columns.map((column, index) => member(column, row[index]!));
      output.raw("stdout", `${first ? "" : ","}\n    {${members.join(", ")}}`);
      first = false;
    }
  }
  output.raw("stdout", `${first ? "" : "\n  "}],\n  "reads": ${JSON.stringify(reads)}\n}\n`);
}

/** The last column of numbers against the columns before it. */
async function writeChart(context: CommandContext, result: QueryResult): Promise<void> {
  const { output } = context;
  const at = result.columns.findLastIndex(({ type }) => NUMERIC.test(type));
  if (at < 0) {
    output.note("There is no column of numbers to draw; here is the table.");
    return writeTable(context, result);
  }
  const { rows, total } = await firstRows(result, MOST_BARS);
  const bars = rows.map((row) => ({
    label: row
      .filter((_, index) => index !== at)
      .map((cell) => printable(cell ?? "NULL"))
      .join("  "),
    value: Number(row[at]),
    text: row[at] ?? "NULL",
  }));
  const colours = await output.colours("stdout");
  output.print(colours.bold(`  ${printable(result.columns[at]!.name)}`));
  output.print(renderBars(bars, output.width("stdout")));
  if (total > rows.length) output.note(`${formatCount(total - rows.length)} more rows are not drawn`);
}

/** "curated: 3 of 120 objects, 24 KiB (1 fetched)" */
export function describeReads(reads: TableReads[]): string {
  return `read ${reads
    .map(({ table, objects, objectsTotal, bytes, objectsFetched }) =>
      table === "raw"
        ? `the listing of raw (${plural(objectsTotal, "object")})`
        : `${formatCount(objects)} of ${plural(objectsTotal, "object")} of ${table}, ${formatBytes(bytes)}, ${objectsFetched === 0 ? "all" : formatCount(objects - objectsFetched)} from the cache`,
    )
    .join("; ")}`;
}
