import type { ColumnCheck, ColumnType, CompiledContract, ContractGate } from "../../src/contract/compiledContract.ts";
import { shown } from "../destination.ts";
import { nameList } from "../nameList.ts";
import type { ColumnRule, RowWarning } from "./columnRules.ts";
import type { GateResult } from "./gates.ts";

/** A list of values is longer than one of names. */
const LISTED_VALUES = 12;

/** Why a row was rejected: the rule with its numbers, and the cell. */
export function breachMessage({ column, rule, check }: ColumnRule, cell: string): string {
  const name = nameList([column.name]);
  if (rule === "required") return `${name} is empty, and the contract requires it`;
  if (check === undefined) return `${name} is ${typeExpectation(column.type)}: ${shown(cell)}`;
  return `${name} ${checkExpectation(check)}: ${shown(cell)}`;
}

/** What a warning says of the accepted rows that it was given for. */
export function warningMessage({ column, rule, check, rows, firstLine }: RowWarning): string {
  const name = nameList([column.name]);
  const what = rule === "required" || check === undefined ? "is empty" : checkExpectation(check);
  return `${name} ${what}, in ${rows === 1 ? "1 row" : `${rows} rows`}${rows === 1 ? ` (line ${firstLine})` : ` (the first on line ${firstLine})`}`;
}

function typeExpectation(type: ColumnType): string {
  switch (type.name) {
    case "string":
      return "no text";
    case "boolean":
      return "neither true, false, 1 nor 0";
    case "integer":
      return `no whole number that fits ${type.bits}${groups(type.groupSeparators)}`;
    case "number": {
      const separator = type.decimalSeparator === "," ? ' with "," as the decimal separator' : "";
      if (type.decimal === undefined) return `no number${separator}${groups(type.groupSeparators)}`;
      const { precision, scale } = type.decimal;
      return `no number of at most ${precision - scale} digits before the point and ${scale} behind it${separator}${groups(type.groupSeparators)}`;
    }
    case "date":
      return `no date ${type.format ?? "YYYY-MM-DD"}`;
    case "time":
      return `no time ${type.format ?? "HH:MM[:SS]"}`;
    case "timestamp": {
      if (type.format !== undefined) return `no timestamp ${type.format}${home(type.defaultTimezone)}`;
      const offset = { required: " with an offset", forbidden: " without an offset", optional: "" }[type.zone];
      return `no timestamp YYYY-MM-DDTHH:MM:SS${offset}${home(type.defaultTimezone)}`;
    }
  }
}

function groups(separators: readonly string[] | undefined): string {
  return separators === undefined || separators.length === 0
    ? ""
    : `, groups of three digits separated by ${separators.map((separator) => JSON.stringify(separator)).join(" or ")}`;
}

function home(timezone: string | undefined): string {
  return timezone === undefined ? "" : ` that there is in ${timezone}`;
}

function checkExpectation(check: ColumnCheck): string {
  switch (check.rule) {
    case "minimum":
      return `is below the minimum ${check.value}`;
    case "maximum":
      return `is above the maximum ${check.value}`;
    case "exclusive-minimum":
      return `is not above ${check.value}`;
    case "exclusive-maximum":
      return `is not below ${check.value}`;
    case "multiple-of":
      return `is no multiple of ${check.value}`;
    case "min-length":
      return `has fewer than ${check.value} characters`;
    case "max-length":
      return `has more than ${check.value} characters`;
    case "pattern":
      return `does not match the pattern ${check.value}`;
    case "format":
      return `is no ${check.value}`;
    case "valid-values":
      return `is none of ${nameList(check.values, LISTED_VALUES)}`;
    case "missing-values":
      return `stands for a missing value (${nameList(check.values, LISTED_VALUES)})`;
  }
}

/** Why a gate refuses a file, or warns of it. */
export function gateMessage(result: GateResult, contract: CompiledContract, acceptedRows: number): string {
  const { gate, rows, measured, repetitions } = result;
  const found =
    gate.rule === "row-count"
      ? `the file has ${counted(rows)} that the contract accepts`
      : `${counted(rows)}${gate.unit === "percent" ? ` of ${acceptedRows} (${Number(measured.toFixed(4))} %)` : ""} ${concern(gate, rows)}`;
  const examples = repetitions.map(({ line, firstLine }) => `line ${line} that of line ${firstLine}`).join(", ");
  const shownExamples = examples === "" ? "" : ` (${examples}${rows > repetitions.length ? ", …" : ""})`;
  return `${found}${shownExamples}; the contract ${nameList([contract.id])} ${contract.version} wants ${wanted(gate)}`;
}

function counted(rows: number): string {
  return rows === 1 ? "1 row" : `${rows} rows`;
}

function concern({ rule, columns, values, pattern }: ContractGate, rows: number): string {
  const names = nameList(columns);
  const verb = rows === 1 ? "has" : "have";
  switch (rule) {
    case "unique":
    case "primary-key":
    case "duplicate-values":
      return `${rows === 1 ? "repeats" : "repeat"} the ${names} of an earlier row`;
    case "null-values":
      return `${verb} no ${names}`;
    case "missing-values":
      return `${verb} a ${names} that stands for a missing value (${nameList(values ?? [], LISTED_VALUES)})`;
    case "invalid-values": {
      const known = values === undefined ? [] : [`is none of ${nameList(values, LISTED_VALUES)}`];
      const shape = pattern === undefined ? [] : [`does not match the pattern ${pattern}`];
      return `${verb} a ${names} that ${[...known, ...shape].join(" or ")}`;
    }
    default:
      return "";
  }
}

function wanted({ rule, unit, operator, bounds }: ContractGate): string {
  const [low = 0, high = low] = bounds;
  const of = unit === "percent" ? " %" : rule === "row-count" ? " rows" : "";
  switch (operator) {
    case "mustBe":
      return low === 0 ? "none" : `exactly ${low}${of}`;
    case "mustNotBe":
      return low === 0 ? "some" : `another number than ${low}${of}`;
    case "mustBeGreaterThan":
      return `more than ${low}${of}`;
    case "mustBeGreaterOrEqualTo":
      return `at least ${low}${of}`;
    case "mustBeLessThan":
      return `fewer than ${low}${of}`;
    case "mustBeLessOrEqualTo":
      return `at most ${low}${of}`;
    case "mustBeBetween":
      return `${low} to ${high}${of}`;
    case "mustNotBeBetween":
      return `fewer than ${low} or more than ${high}${of}`;
  }
}
