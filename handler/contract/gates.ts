import type { ContractGate } from "../../src/contract/compiledContract.ts";
import type { Outputs } from "../outputs.ts";
import { type CellTest, patternTest } from "./columnRules.ts";
import { RepeatedKeys, type Repetition } from "./repeatedKeys.ts";
import { ValueSet } from "./valueSet.ts";

/** What a gate came to over the accepted rows of a file. */
export interface GateResult {
  gate: ContractGate;
  passed: boolean;
  /** Rows that the gate speaks of, and the same in its unit. */
  rows: number;
  measured: number;
  /** Of rows that repeat a key, the first ones. */
  repetitions: Repetition[];
}

/** One set rule over the accepted rows of one file. */
export class Gate {
  readonly gate: ContractGate;
  readonly #sources: number[];
  readonly #keys: RepeatedKeys | undefined;
  readonly #concerns: CellTest | undefined;
  #rows = 0;

  /**
   * sources    index of each of the gate's columns in the file; -1 for one that it does not have
   * textBytes  about what the file has
   */
  constructor(gate: ContractGate, sources: number[], outputs: Outputs, textBytes: number) {
    this.gate = gate;
    this.#sources = sources;
    const isAboutKeys = gate.rule === "unique" || gate.rule === "primary-key" || gate.rule === "duplicate-values";
    // A column that is not there is null in every row.
    if (isAboutKeys && !sources.includes(-1)) this.#keys = new RepeatedKeys(outputs, textBytes);
    this.#concerns = isAboutKeys ? undefined : rowTest(gate);
  }

  /** Takes an accepted row; cell i is bytes [starts[i], ends[i]). */
  add(bytes: Buffer, starts: Int32Array, ends: Int32Array, line: number): void {
    const sources = this.#sources;
    const keys = this.#keys;
    if (keys !== undefined) {
      for (const source of sources) if (starts[source] === ends[source]) return;
      keys.startKey();
      for (const source of sources) keys.addCell(bytes, starts[source]!, ends[source]!);
      keys.endKey(line);
    } else if (this.#concerns !== undefined) {
      const source = sources[0]!;
      if (this.#concerns(bytes, source < 0 ? 0 : starts[source]!, source < 0 ? 0 : ends[source]!)) this.#rows++;
    }
  }

  /** To be called once, when every row has been seen. */
  result(acceptedRows: number): GateResult {
    const { gate } = this;
    const repeated = this.#keys?.count();
    const rows = gate.rule === "row-count" ? acceptedRows : (repeated?.rows ?? this.#rows);
    const percent = acceptedRows === 0 ? 0 : (rows * 100) / acceptedRows;
    const measured = gate.unit === "rows" ? rows : percent;
    return { gate, passed: passes(gate, measured), rows, measured, repetitions: repeated?.examples ?? [] };
  }
}

function rowTest({ rule, values, pattern }: ContractGate): CellTest | undefined {
  const known = values && new ValueSet(values);
  const matches = pattern === undefined ? undefined : patternTest(new RegExp(pattern, "u"));
  switch (rule) {
    case "null-values":
      return (_bytes, start, end) => start === end;
    case "missing-values":
      return (bytes, start, end) => known!.has(bytes, start, end);
    case "invalid-values":
      return (bytes, start, end) =>
        start !== end &&
        ((known !== undefined && !known.has(bytes, start, end)) ||
          (matches !== undefined && !matches(bytes, start, end)));
    default:
      return undefined;
  }
}

function passes({ operator, bounds }: ContractGate, measured: number): boolean {
  const low = bounds[0]!;
  const high = bounds[1] ?? low;
  switch (operator) {
    case "mustBe":
      return measured === low;
    case "mustNotBe":
      return measured !== low;
    case "mustBeGreaterThan":
      return measured > low;
    case "mustBeGreaterOrEqualTo":
      return measured >= low;
    case "mustBeLessThan":
      return measured < low;
    case "mustBeLessOrEqualTo":
      return measured <= low;
    case "mustBeBetween":
      return measured >= low && measured <= high;
    case "mustNotBeBetween":
      return measured < low || measured > high;
  }
}
