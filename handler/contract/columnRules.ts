import type { ColumnCheck, ContractColumn, ContractRule, Severity } from "../../src/contract/compiledContract.ts";
import { STRING_FORMATS } from "../../src/contract/stringFormats.ts";
import { bytePattern } from "./bytePattern.ts";
import { type CellType, cellTypeOf } from "./cellType.ts";
import { ValueSet } from "./valueSet.ts";

/** True when the cell passes; the column's type has read it before, and it is not empty. */
export type CellTest = (bytes: Buffer, start: number, end: number) => boolean;

/** One rule of one column, and the accepted rows that it only warned of. */
export interface ColumnRule {
  column: ContractColumn;
  rule: ContractRule;
  check: ColumnCheck | undefined;
}

/** Several checks of one rule and column count a row once. */
export interface RowWarning extends ColumnRule {
  rows: number;
  /** Physical line of the first such row; 0 without one. */
  firstLine: number;
}

interface CompiledCheck {
  test: CellTest;
  severity: Severity;
  /** What a failure is: for a warning the one of all checks of that rule. */
  breach: RowWarning;
}

/** A contract's column, compiled for one file. */
export class ColumnRules {
  readonly column: ContractColumn;
  /** In the file; -1 when it does not have the column. */
  readonly source: number;
  readonly type: CellType;
  readonly #checks: CompiledCheck[];
  readonly #required: Severity | null;
  readonly #missing: RowWarning;
  readonly #notOfType: ColumnRule;
  /** In the contract's order. */
  readonly warnings: RowWarning[];
  /** Why the last cell was not accepted. */
  breach: ColumnRule;
  /** The last cell stands in trusted as `type.conformed`. */
  isRewritten = false;

  constructor(column: ContractColumn, source: number) {
    this.column = column;
    this.source = source;
    this.type = cellTypeOf(column.type);
    this.#required = column.required;
    const warnings = new Map<ContractRule, RowWarning>();
    const breachOf = (rule: ContractRule, check?: ColumnCheck): RowWarning => {
      const known = warnings.get(rule);
      if (known !== undefined) return known;
      const breach = { column, rule, check, rows: 0, firstLine: 0 };
      warnings.set(rule, breach);
      return breach;
    };
    this.#missing = breachOf("required");
    this.#notOfType = { column, rule: "type", check: undefined };
    this.#checks = column.checks.map((check) => ({
      test: testOf(check, this.type),
      severity: check.severity,
      breach:
        check.severity === "warning"
          ? breachOf(check.rule, check)
          : { column, rule: check.rule, check, rows: 0, firstLine: 0 },
    }));
    this.warnings = [...warnings.values()];
    this.breach = this.#notOfType;
  }

  /** False when the cell rejects the row; otherwise what it is warned of has been added to `warned`. */
  accepts(bytes: Buffer, start: number, end: number, warned: RowWarning[]): boolean {
    if (start === end) {
      this.isRewritten = false;
      return this.acceptsNull(warned);
    }
    const isOfType = this.type.read(bytes, start, end);
    this.isRewritten = this.type.conformedLength >= 0;
    if (!isOfType) {
      this.breach = this.#notOfType;
      return false;
    }
    const checks = this.#checks;
    for (let i = 0; i < checks.length; i++) {
      const { test, severity, breach } = checks[i]!;
      if (test(bytes, start, end)) continue;
      if (severity === "error") {
        this.breach = breach;
        return false;
      }
      if (!warned.includes(breach)) warned.push(breach);
    }
    return true;
  }

  acceptsNull(warned: RowWarning[]): boolean {
    if (this.#required === "error") {
      this.breach = this.#missing;
      return false;
    }
    if (this.#required === "warning") warned.push(this.#missing);
    return true;
  }
}

function testOf(check: ColumnCheck, type: CellType): CellTest {
  switch (check.rule) {
    case "minimum": {
      const compare = type.comparison(check.value);
      return () => compare() >= 0;
    }
    case "maximum": {
      const compare = type.comparison(check.value);
      return () => compare() <= 0;
    }
    case "exclusive-minimum": {
      const compare = type.comparison(check.value);
      return () => compare() > 0;
    }
    case "exclusive-maximum": {
      const compare = type.comparison(check.value);
      return () => compare() < 0;
    }
    case "multiple-of":
      return type.multiple(check.value);
    case "min-length": {
      const { value } = check;
      return (bytes, start, end) => end - start >= value && codePoints(bytes, start, end) >= value;
    }
    case "max-length": {
      const { value } = check;
      return (bytes, start, end) => end - start <= value || codePoints(bytes, start, end) <= value;
    }
    case "pattern":
      return patternTest(new RegExp(check.value, "u"));
    case "format": {
      const { pattern, maxLength = Number.POSITIVE_INFINITY } = STRING_FORMATS[check.value];
      const matches = patternTest(pattern);
      return (bytes, start, end) => end - start <= maxLength && matches(bytes, start, end);
    }
    case "valid-values": {
      const values = new ValueSet(check.values);
      return (bytes, start, end) => values.has(bytes, start, end);
    }
    case "missing-values": {
      const values = new ValueSet(check.values);
      return (bytes, start, end) => !values.has(bytes, start, end);
    }
  }
}

/** pattern  with flag "u" or of ASCII alone, and no other flag */
export function patternTest(pattern: RegExp): CellTest {
  const inBytes = bytePattern(pattern.source);
  return inBytes ?? ((bytes, start, end) => pattern.test(bytes.toString("utf8", start, end)));
}

function codePoints(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  // 10xxxxxx is a later byte of a character.
  for (let i = start; i < end; i++) if ((bytes[i]! & 0xc0) !== 0x80) count++;
  return count;
}
