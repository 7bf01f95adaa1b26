import { isUtf8 } from "node:buffer";
import { type DayZone, dayOf } from "./days.ts";
import type { RowFlaw, SourceRow } from "./sourceRows.ts";

/** Why a row is in quarantine: the names that its record and the receipt give. */
export type RejectRule =
  | RowFlaw
  | "encoding" // bytes that are no text in the file's encoding
  | "nul-byte"
  | "ragged-row" // more or fewer cells than the header
  | "partition-date" // no date, or none that the calendar has
  | "repeated-header" // the header again, as where files were joined
  | "second-table"; // rows of another table, which begins after a blank line with a header of its own

export type Verdict = "blank" | { partition: string } | { rule: RejectRule };

/** Judges the rows of one file, in order: what a row is may depend on those before it. */
export class RowJudge {
  readonly #columns: string;
  readonly #width: number;
  readonly #partitionIndex: number;
  readonly #zone: DayZone;
  #afterBlank = false;
  #inSecondTable = false;

  /** partitionIndex  -1 when no row has the header's width */
  constructor(columns: string[], partitionIndex: number, zone: DayZone) {
    this.#columns = columns.map((name) => Buffer.from(name, "utf8").toString("latin1")).join("\u0000");
    this.#width = columns.length;
    this.#partitionIndex = partitionIndex;
    this.#zone = zone;
  }

  judge(row: SourceRow): Verdict {
    if (row.text.length === 0) {
      this.#afterBlank = true;
      return "blank";
    }
    const verdict = this.#judgeText(row);
    this.#afterBlank = false;
    return verdict;
  }

  #judgeText(row: SourceRow): Verdict {
    if (row.flaw !== undefined) {
      return { rule: row.flaw === "row-too-long" && this.#inSecondTable ? "second-table" : row.flaw };
    }
    if (!isUtf8(row.text)) return { rule: "encoding" };
    if (row.text.includes(0)) return { rule: "nul-byte" };
    if (row.suspect) return { rule: "stray-quote" };
    if (row.cells.length !== this.#width) return { rule: this.#inSecondTable ? "second-table" : "ragged-row" };
    const day = dayOf(row.cells[this.#partitionIndex] ?? "", this.#zone);
    if (day !== undefined && !this.#inSecondTable) return { partition: day };
    if (row.cells.join("\u0000") === this.#columns) {
      this.#inSecondTable = false;
      return { rule: "repeated-header" };
    }
    if (this.#inSecondTable) return { rule: "second-table" };
    if (this.#afterBlank && looksLikeHeader(row.cells)) {
      this.#inSecondTable = true;
      return { rule: "second-table" };
    }
    return { rule: "partition-date" };
  }
}

/** All cells begin with a letter, and no two are the same. */
function looksLikeHeader(cells: string[]): boolean {
  return (
    new Set(cells).size === cells.length &&
    cells.every((cell) => /^\p{L}/u.test(Buffer.from(cell, "latin1").toString("utf8")))
  );
}
