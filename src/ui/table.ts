import stringWidth from "string-width";

export interface Column {
  title: string;
  /** @default "left" */
  align?: "left" | "right";
  /** What is cut, with an ellipsis at its start, when the table is wider than the terminal. One column at most. */
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
    if (over > 0) widths[shrunk] = Math.max(SMALLEST_SHRUNK, widths[shrunk]! - over);
  }
  const line = (cells: string[]): string =>
    (
      " ".repeat(indent) +
      columns
        .map((column, index) => {
          const cell = index === shrunk ? cutStart(cells[index] ?? "", widths[index]!) : (cells[index] ?? "");
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

/** The end of a key or path says more than its start: "…/2024/transactions.csv". */
function cutStart(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  const characters = [...text];
  let kept = "";
  let used = 1;
  for (let index = characters.length - 1; index >= 0; index--) {
    const next = stringWidth(characters[index]!);
    if (used + next > width) break;
    used += next;
    kept = characters[index] + kept;
  }
  return `…${kept}`;
}
