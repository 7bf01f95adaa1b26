import type { ContractGate } from "../../contract/compiledContract.ts";
import { KeyLog } from "../keyLog.ts";
import { hashRow, type RowHash } from "../multiset.ts";

/** Held per gate and file; more goes to a temporary folder. */
const KEYS_BYTES = 4 * 1024 * 1024;

/** Measures one set rule over the accepted rows of one file. */
export interface GateMeter {
  gate: ContractGate;
  /**
   * Takes the cells of the gate's columns, as they are in the file; one character per byte. Returns the hash of a key that
   * is no null, of a gate about keys.
   */
  add(cells: string[]): RowHash | undefined;
  /** In the gate's unit. */
  measure(acceptedRows: number): number;
  discard(): void;
}

export function gateMeter(gate: ContractGate): GateMeter {
  const count = isKeyRule(gate) ? repetitions() : matches(gate);
  return {
    gate,
    add: count.add,
    measure(acceptedRows) {
      const rows = gate.rule === "row-count" ? acceptedRows : count.rows();
      if (gate.unit === "rows") return rows;
      return acceptedRows === 0 ? 0 : (rows * 100) / acceptedRows;
    },
    discard: count.discard ?? (() => undefined),
  };
}

/** Whether a gate is about rows that have the same key as an earlier one. */
const isKeyRule = ({ rule }: ContractGate): boolean =>
  rule === "unique" || rule === "primary-key" || rule === "duplicate-values";

interface Count {
  add(cells: string[]): RowHash | undefined;
  rows(): number;
  discard?(): void;
}

function repetitions(): Count {
  const keys = new KeyLog(KEYS_BYTES);
  return {
    add(cells) {
      if (cells.includes("")) return undefined;
      const hash = hashRow(cells);
      keys.add(hash, { file: 0, line: 0 });
      return hash;
    },
    rows() {
      let rows = 0;
      for (const key of keys.repeated()) rows += key.rows - 1;
      return rows;
    },
    discard: () => keys.discard(),
  };
}

function matches(gate: ContractGate): Count {
  const concerns = rowTest(gate);
  let rows = 0;
  return {
    add(cells) {
      if (concerns(cells[0] ?? "")) rows += 1;
      return undefined;
    },
    rows: () => rows,
  };
}

function rowTest({ rule, values, pattern }: ContractGate): (cell: string) => boolean {
  const known = values === undefined ? undefined : new Set(values.map(binary));
  const shape = pattern === undefined ? undefined : new RegExp(pattern, "u");
  switch (rule) {
    case "null-values":
      return (cell) => cell === "";
    case "missing-values":
      return (cell) => known?.has(cell) === true;
    case "invalid-values":
      return (cell) =>
        cell !== "" &&
        ((known !== undefined && !known.has(cell)) ||
          (shape !== undefined && !shape.test(Buffer.from(cell, "latin1").toString("utf8"))));
    default:
      return () => false;
  }
}

const binary = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

/** Whether a file with this measure passes. */
export function passes({ operator, bounds }: ContractGate, measured: number): boolean {
  const [low = 0, high = low] = bounds;
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
