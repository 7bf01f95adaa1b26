import { isUtf8 } from "node:buffer";
import type { ContractRule } from "../contract/compiledContract.ts";
import type { RowFlaw, SourceRow } from "./sourceRows.ts";

/** Why a row is in quarantine: the names that its record and the receipt give. */
export type RejectRule =
  | RowFlaw
  | "encoding" // bytes that are no text in the file's encoding
  | "nul-byte"
  | "ragged-row" // more or fewer cells than the header
  | "partition-date" // no date, or none that the calendar has
  | "parquet-type" // a cell that a Parquet column of its type cannot hold
  | "repeated-header" // the header again, as where files were joined
  | "second-table" // rows of another table, which begins after a blank line with a header of its own
  | ContractRule;

export type Reject = { rule: RejectRule; column: string };

export type Verdict<Accepted> = "blank" | Reject | { accepted: Accepted };

/**
 * Judges the rows of one file, in order: what a row is may depend on those before it.
 *
 * judgeCells   what the stage says of a row that is well-formed
 */
export class RowJudge<Accepted> {
  readonly #columns: string;
  readonly #width: number;
  readonly #judgeCells: (cells: string[]) => Reject | { accepted: Accepted };
  #afterBlank = false;
  #inSecondTable = false;

  constructor(columns: string[], judgeCells: (cells: string[]) => Reject | { accepted: Accepted }) {
    this.#columns = columns.map((name) => Buffer.from(name, "utf8").toString("latin1")).join("\u0000");
    this.#width = columns.length;
    this.#judgeCells = judgeCells;
  }

  judge(row: SourceRow): Verdict<Accepted> {
    if (row.text.length === 0) {
      this.#afterBlank = true;
      return "blank";
    }
    const verdict = this.#judgeText(row);
    this.#afterBlank = false;
    return verdict;
  }

  #judgeText(row: SourceRow): Reject | { accepted: Accepted } {
    const otherTable = (rule: RejectRule): Reject => ({
      rule: this.#inSecondTable ? "second-table" : rule,
      column: "",
    });
    if (row.flaw === "row-too-long") return otherTable(row.flaw);
    if (row.flaw !== undefined) return { rule: row.flaw, column: "" };
    if (!isUtf8(row.text)) return { rule: "encoding", column: "" };
    if (row.text.includes(0)) return { rule: "nul-byte", column: "" };
    if (row.suspect) return { rule: "stray-quote", column: "" };
    if (row.cells.length !== this.#width) return otherTable("ragged-row");
    const verdict = this.#judgeCells(row.cells);
    if ("accepted" in verdict && !this.#inSecondTable) return verdict;
    if (row.cells.join("\u0000") === this.#columns) {
      this.#inSecondTable = false;
      return { rule: "repeated-header", column: "" };
    }
    if (!this.#inSecondTable && this.#afterBlank && looksLikeHeader(row.cells)) this.#inSecondTable = true;
    return "accepted" in verdict || this.#inSecondTable ? { rule: "second-table", column: "" } : verdict;
  }
}

/** All cells begin with a letter, and no two are the same. */
function looksLikeHeader(cells: string[]): boolean {
  return (
    new Set(cells).size === cells.length &&
    cells.every((cell) => /^\p{L}/u.test(Buffer.from(cell, "latin1").toString("utf8")))
  );
}
