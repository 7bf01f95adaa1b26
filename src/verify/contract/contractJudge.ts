import type { CompiledContract, ContractColumn, ContractRule, Severity } from "../../contract/compiledContract.ts";
import type { RowHash } from "../multiset.ts";
import { type CellReader, cellReader } from "./cellTypes.ts";
import { type Check, columnCheck } from "./columnChecks.ts";
import { type GateMeter, gateMeter, passes } from "./gates.ts";

/** Cells have one character per byte of UTF-8. */
export type RowVerdict =
  | { rule: ContractRule; column: string }
  /** In the order of the trusted columns; `warned` goes to `accept` when the row counts. */
  | { cells: string[]; warned: Warning[] };

/** What a contract has against a file as a whole. */
export interface Breach {
  rule: ContractRule;
  /** A name, names joined by ",", or "". */
  column: string;
}

/** gate   its index in the contract */
export type KeyListener = (gate: number, key: RowHash, line: number) => void;

/** Rows that a rule of severity "warning" speaks of. */
export interface Warning {
  rule: ContractRule;
  column: string;
  rows: number;
}

interface JudgedColumn {
  name: string;
  /** In the file; -1 when the file does not have it. */
  index: number;
  required: Severity | null;
  read: CellReader;
  checks: { passes: Check; severity: Severity; warning: Warning }[];
  nullWarning: Warning;
}

/**
 * Applies a contract to the rows of one file, whose columns are `header`.
 * What it says is decided by the words of ../../contract/compiledContract.ts alone.
 */
export class ContractJudge {
  /** What the columns of the file break; any of them refuses it. */
  readonly breaches: Breach[];
  /** Of the trusted object. */
  readonly columns: string[];
  readonly #judged: JudgedColumn[];
  readonly #kept: number[];
  readonly #gates: { meter: GateMeter; indexes: number[] }[];
  readonly #warnings: Warning[] = [];

  constructor(contract: CompiledContract, header: string[]) {
    const known = new Set(contract.columns.map(({ name }) => name));
    const unknown = header.flatMap((name, index) => (known.has(name) ? [] : [index]));
    this.breaches = columnBreaches(contract, header);
    this.#kept = contract.unknownColumns === "keep" ? unknown : [];
    this.columns = [...contract.columns.map(({ name }) => name), ...this.#kept.map((index) => header[index]!)];
    this.#judged = contract.columns.map((column) => this.#judgedColumn(column, header.indexOf(column.name)));
    this.#gates = contract.gates.map((gate) => ({
      meter: gateMeter(gate),
      indexes: gate.columns.map((name) => header.indexOf(name)),
    }));
  }

  #judgedColumn({ name, type, required, checks }: ContractColumn, index: number): JudgedColumn {
    /** Each rule of a column counts a row once. */
    const warningOf = (rule: ContractRule): Warning => {
      let warning = this.#warnings.find((each) => each.rule === rule && each.column === name);
      if (warning === undefined) {
        warning = { rule, column: name, rows: 0 };
        this.#warnings.push(warning);
      }
      return warning;
    };
    return {
      name,
      index,
      required,
      read: cellReader(type),
      nullWarning: warningOf("required"),
      checks: checks.map((check) => ({
        passes: columnCheck(check, type),
        severity: check.severity,
        warning: check.severity === "warning" ? warningOf(check.rule) : { rule: check.rule, column: name, rows: 0 },
      })),
    };
  }

  /** cells   as many as the file has columns */
  judge(cells: string[]): RowVerdict {
    const conformed: string[] = [];
    const warned: Warning[] = [];
    for (const { name, index, required, read, checks, nullWarning } of this.#judged) {
      const cell = cells[index] ?? "";
      if (cell === "") {
        if (required === "error") return { rule: "required", column: name };
        if (required === "warning") warned.push(nullWarning);
        conformed.push("");
        continue;
      }
      const text = isAscii(cell) ? cell : Buffer.from(cell, "latin1").toString("utf8");
      const typed = read(text);
      if (typed === undefined) return { rule: "type", column: name };
      for (const { passes: holds, severity, warning } of checks) {
        if (holds(text, typed)) continue;
        if (severity === "error") return { rule: warning.rule, column: name };
        if (!warned.includes(warning)) warned.push(warning);
      }
      conformed.push(typed.text === text ? cell : typed.text);
    }
    for (const index of this.#kept) conformed.push(cells[index]!);
    return { cells: conformed, warned };
  }

  /** A row of the file in the order of the trusted columns, its cells as they are. */
  inOrder(cells: string[]): string[] {
    return [...this.#judged.map(({ index }) => cells[index] ?? ""), ...this.#kept.map((index) => cells[index]!)];
  }

  /** Counts a row that nothing else speaks against, for the gates and the warnings. */
  accept(cells: string[], warned: Warning[], line: number, onKey: KeyListener | undefined): void {
    for (const warning of warned) warning.rows += 1;
    for (const [gate, { meter, indexes }] of this.#gates.entries()) {
      const key = meter.add(indexes.map((index) => cells[index] ?? ""));
      if (key !== undefined) onKey?.(gate, key, line);
    }
  }

  /** When every row has been seen. refusal: of the first gate that fails. */
  finish(acceptedRows: number): { refusal: Breach | undefined; warnings: Warning[] } {
    const warnings = this.#warnings.filter(({ rows }) => rows > 0);
    let refusal: Breach | undefined;
    for (const { meter } of this.#gates) {
      const measured = meter.measure(acceptedRows);
      const { rule, columns, severity } = meter.gate;
      if (passes(meter.gate, measured)) continue;
      if (severity === "warning") warnings.push({ rule, column: columns.join(","), rows: measured });
      else refusal ??= { rule, column: columns.join(",") };
    }
    return { refusal, warnings };
  }

  /** Frees what the gates hold. */
  discard(): void {
    for (const { meter } of this.#gates) meter.discard();
  }
}

function columnBreaches({ columns, unknownColumns }: CompiledContract, header: string[]): Breach[] {
  const breaches: Breach[] = [];
  const known = new Set(columns.map(({ name }) => name));
  for (const { name, required } of columns) {
    const times = header.filter((each) => each === name).length;
    if (times > 1) breaches.push({ rule: "duplicate-column", column: name });
    if (times === 0 && required === "error") breaches.push({ rule: "missing-column", column: name });
  }
  const unknown = header.filter((name) => !known.has(name));
  if (unknownColumns === "refuse" && unknown.length > 0) {
    for (const column of [unknown.join(","), ...unknown]) breaches.push({ rule: "unknown-column", column });
  }
  return breaches;
}

const isAscii = (cell: string): boolean => !/[\x80-\xff]/.test(cell);
