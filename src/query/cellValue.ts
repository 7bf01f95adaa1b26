import { type Cell, isNested } from "./index.ts";

/** DuckDB's types whose values are numbers. */
export const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DECIMAL|DOUBLE|FLOAT)/;

/**
 * A cell as a value of JSON: a number where that is exact, else its text; lists, structs and maps as such.
 *
 * type   DuckDB's, such as "DECIMAL(12,2)"
 */
export function cellValue(type: string, cell: Cell): unknown {
  if (cell === null) return null;
  if (type === "BOOLEAN") return cell === "true";
  if (isNested(type)) return JSON.parse(cell);
  if (!NUMERIC.test(type)) return cell;
  const plain = /^-?\d+(\.\d+)?$/.test(cell) ? cell.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "") : cell;
  return String(Number(cell)) === plain ? Number(cell) : cell;
}
