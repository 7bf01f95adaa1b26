import type { RowCells } from "./rowCells.ts";

/**
 * Where the rows of one file go: the seam between reading, which is the same in every stage, and what a stage does with
 * a row. The reader has found it whole, decodable and as wide as the header; the destination writes it, or tells why not.
 */
export interface Destination {
  /** False while nobody knows where rows go; the router then asks for a decision (`KeyColumnNeeded`). */
  readonly ready: boolean;
  /**
   * A row without quotes whose bytes [start, end) are UTF-8: field i ends at ends[i], the next one starts behind that.
   *
   * line     physical line on which it starts, from 1
   * Returns  false when the row does not belong into the lake; nothing of it is written then
   */
  plain(window: Buffer, start: number, end: number, ends: Int32Array, line: number): boolean;
  /** As `plain`, for any other row. */
  cells(cells: RowCells, line: number): boolean;
  /** Why the row that was just turned away was. */
  fault(texts: string[]): Fault;
}

/** What quarantine says of a row. */
export interface Fault {
  rule: string;
  /** Name, or "" when the row as a whole is at fault. */
  column: string;
  message: string;
}

/** Longest value shown in a message. */
const SHOWN_CHARACTERS = 80;

/** A cell's text in a message, in quotes, on one line. */
export function shown(text: string): string {
  const characters = [...text.slice(0, 2 * SHOWN_CHARACTERS)];
  if (characters.length <= SHOWN_CHARACTERS) return JSON.stringify(text);
  return `${JSON.stringify(characters.slice(0, SHOWN_CHARACTERS).join(""))}…`;
}
