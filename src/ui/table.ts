import { stripVTControlCharacters } from "node:util";
import stringWidth from "string-width";

export interface Column {
  title: string;
  /** @default "left" */
  align?: "left" | "right";
  /** What is cut first when the table is wider than the terminal; the other columns follow, the widest first. */
  shrink?: boolean;
}

export interface TableOptions {
  /** Columns of the terminal; undefined: never cut. */
  width?: number | undefined;
  /** Spaces before each line. @default 2 */
  indent?: number;
  /** Style of the header line. */
  header?: (text: string) => string;
  /** Line under the rows, such as totals; one cell per column. */
  footer?: string[];
}

const GAP = "  ";
const SMALLEST_SHRUNK = 12;

/**
 * Aligned text, two spaces between columns, no trailing spaces, no final newline.
 *
 * rows   each columns.length long; may hold colours, which take no width
 */
export function renderTable(columns: Column[], rows: string[][], options: TableOptions = {}): string {
  const all = options.footer ? [...rows, options.footer] : rows;
  const widths = columns.map((column, index) =>
    Math.max(stringWidth(column.title), ...all.map((row) => stringWidth(row[index] ?? ""))),
  );
  const indent = options.indent ?? 2;
  const shrunk = columns.findIndex((column) => column.shrink);
  if (options.width !== undefined && shrunk >= 0) {
    const total = indent + widths.reduce((sum, width) => sum + width, 0) + GAP.length * (columns.length - 1);
    const over = total - options.width;
    if (over > 0) widths[shrunk] = Math.min(widths[shrunk]!, Math.max(SMALLEST_SHRUNK, widths[shrunk]! - over));
  }
  if (options.width !== undefined) narrow(widths, options.width - indent - GAP.length * (columns.length - 1));
  const line = (cells: string[]): string =>
    (
      " ".repeat(indent) +
      columns
        .map((column, index) => {
          const cell = cutMiddle(cells[index] ?? "", widths[index]!);
          const padding = " ".repeat(Math.max(0, widths[index]! - stringWidth(cell)));
          return column.align === "right" ? padding + cell : cell + padding;
        })
        .join(GAP)
    ).trimEnd();
  const title = line(columns.map((column) => column.title));
  const lines = [options.header ? options.header(title) : title, ...rows.map(line)];
  if (options.footer) {
    lines.push(" ".repeat(indent) + widths.map((width) => "─".repeat(width)).join(GAP), line(options.footer));
  }
  return lines.join("\n");
}

const SMALLEST_CELL = 4;

/** Takes one column after the other from the widest until all fit, or none can be narrower. */
function narrow(widths: number[], room: number): void {
  while (widths.reduce((sum, width) => sum + width, 0) > room) {
    const widest = Math.max(...widths);
    if (widest <= SMALLEST_CELL) return;
    widths[widths.indexOf(widest)] = widest - 1;
  }
}

/** Start and end of a cell, "a/very/lo…actions.csv", of at most `width` columns. Colours stay where nothing is cut, and go otherwise. */
export function cutMiddle(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  const characters = [...stripVTControlCharacters(text)];
  const take = (from: string[], room: number): string[] => {
    let used = 0;
    const end = from.findIndex((character) => {
      used += stringWidth(character);
      return used > room;
    });
    return end < 0 ? from : from.slice(0, end);
  };
  const end = take(characters.toReversed(), Math.ceil((width - 1) / 2)).reverse();
  const start = take(characters, width - 1 - stringWidth(end.join("")));
  return `${start.join("")}…${end.join("")}`;
}
