import type {
  ColumnCheck,
  ColumnType,
  CompiledContract,
  ContractColumn,
  ContractGate,
  GroupSeparator,
} from "../../../src/contract/compiledContract.ts";
import { STRING_FORMATS } from "../../../src/contract/stringFormats.ts";

/**
 * A contract applied the slow and obvious way, as src/contract/compiledContract.ts says it: over texts, with regular
 * expressions, fractions of big integers and a search through all offsets of a zone. The handler is held against it.
 */
export interface Judgement {
  /** The rule of a file refused whole. */
  refused?: { rule: string; column: string };
  header: string[];
  /** Of trusted, in order. */
  accepted: string[][];
  /** By the index of the row. */
  rejected: Map<number, { rule: string; column: string }>;
  warnings: { rule: string; column: string; rows: number }[];
}

export function judge(contract: CompiledContract, header: string[], rows: string[][]): Judgement {
  const judgement: Judgement = { header: [], accepted: [], rejected: new Map(), warnings: [] };
  const count = (name: string) => header.filter((other) => other === name).length;
  const known = contract.columns.map(({ name }) => name);
  const unknown = header.map((_, index) => index).filter((index) => !known.includes(header[index]!));
  const doubled = contract.columns.find(({ name }) => count(name) > 1);
  if (doubled) return { ...judgement, refused: { rule: "duplicate-column", column: doubled.name } };
  const missing = contract.columns.find(({ name, required }) => count(name) === 0 && required === "error");
  if (missing) return { ...judgement, refused: { rule: "missing-column", column: missing.name } };
  if (unknown.length > 0 && contract.unknownColumns === "refuse") {
    return { ...judgement, refused: { rule: "unknown-column", column: unknown.map((i) => header[i]).join(",") } };
  }
  const kept = contract.unknownColumns === "keep" ? unknown : [];
  judgement.header = [...known, ...kept.map((index) => header[index]!)];
  const warned: { rule: string; column: string }[] = [];
  const cellOf = (row: string[], name: string) => (header.includes(name) ? row[header.indexOf(name)]! : "");
  const good: string[][] = [];
  for (const [index, row] of rows.entries()) {
    const warnings = new Set<string>();
    let breach: { rule: string; column: string } | undefined;
    const cells: string[] = [];
    for (const column of contract.columns) {
      const verdict = judgeCell(column, cellOf(row, column.name));
      if (verdict.error !== undefined) {
        breach = { rule: verdict.error, column: column.name };
        break;
      }
      for (const rule of verdict.warnings) warnings.add(JSON.stringify({ rule, column: column.name }));
      cells.push(verdict.text);
    }
    if (breach) {
      const isHeader = row.every((cell, i) => cell === header[i]);
      judgement.rejected.set(index, isHeader ? { rule: "repeated-header", column: "" } : breach);
      continue;
    }
    good.push(row);
    judgement.accepted.push([...cells, ...kept.map((i) => row[i]!)]);
    for (const warning of warnings) warned.push(JSON.parse(warning));
  }
  for (const { name, required, checks } of contract.columns) {
    for (const rule of new Set([...(required === "warning" ? ["required"] : []), ...checks.map(({ rule }) => rule)])) {
      const rows = warned.filter((warning) => warning.rule === rule && warning.column === name).length;
      if (rows > 0) judgement.warnings.push({ rule, column: name, rows });
    }
  }
  for (const gate of contract.gates) {
    const found = gateRows(
      gate,
      good.map((row) => gate.columns.map((name) => cellOf(row, name))),
    );
    const percent = good.length === 0 ? 0 : (found * 100) / good.length;
    const measured = gate.unit === "rows" ? found : percent;
    if (holds(gate, measured)) continue;
    const breach = { rule: gate.rule, column: gate.columns.join(",") };
    if (gate.severity === "error") return { ...judgement, refused: breach };
    judgement.warnings.push({ ...breach, rows: measured });
  }
  return judgement;
}

function gateRows({ rule, values, pattern }: ContractGate, rows: string[][]): number {
  switch (rule) {
    case "row-count":
      return rows.length;
    case "null-values":
      return rows.filter(([cell]) => cell === "").length;
    case "missing-values":
      return rows.filter(([cell]) => values!.includes(cell!)).length;
    case "invalid-values":
      return rows.filter(
        ([cell]) =>
          cell !== "" &&
          ((values !== undefined && !values.includes(cell!)) ||
            (pattern !== undefined && !new RegExp(pattern, "u").test(cell!))),
      ).length;
    default: {
      const whole = rows.filter((key) => !key.includes("")).map((key) => JSON.stringify(key));
      return whole.filter((key, index) => whole.indexOf(key) < index).length;
    }
  }
}

function holds({ operator, bounds: [low = 0, high = low] }: ContractGate, measured: number): boolean {
  return {
    mustBe: measured === low,
    mustNotBe: measured !== low,
    mustBeGreaterThan: measured > low,
    mustBeGreaterOrEqualTo: measured >= low,
    mustBeLessThan: measured < low,
    mustBeLessOrEqualTo: measured <= low,
    mustBeBetween: low <= measured && measured <= high,
    mustNotBeBetween: measured < low || high < measured,
  }[operator];
}

function judgeCell(
  { type, required, checks }: ContractColumn,
  cell: string,
): { error?: string; warnings: string[]; text: string } {
  if (cell === "") {
    if (required === "error") return { error: "required", warnings: [], text: "" };
    return { warnings: required === "warning" ? ["required"] : [], text: "" };
  }
  const typed = readCell(type, cell);
  if (typed === undefined) return { error: "type", warnings: [], text: "" };
  const warnings: string[] = [];
  for (const check of checks) {
    if (passes(check, type, cell, typed.value)) continue;
    if (check.severity === "error") return { error: check.rule, warnings: [], text: "" };
    warnings.push(check.rule);
  }
  return { warnings, text: typed.text };
}

/** A number as a fraction; a date, time or timestamp in nanoseconds. */
interface Value {
  over: bigint;
  under: bigint;
}

function passes(check: ColumnCheck, type: ColumnType, cell: string, value: Value | undefined): boolean {
  const order = () => {
    const limit = limitOf(type, (check as { value: string }).value);
    const difference = value!.over * limit.under - limit.over * value!.under;
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  };
  switch (check.rule) {
    case "minimum":
      return order() >= 0;
    case "maximum":
      return order() <= 0;
    case "exclusive-minimum":
      return order() > 0;
    case "exclusive-maximum":
      return order() < 0;
    case "multiple-of": {
      const unit = fraction(check.value);
      return (value!.over * unit.under) % (value!.under * unit.over) === 0n;
    }
    case "min-length":
      return [...cell].length >= check.value;
    case "max-length":
      return [...cell].length <= check.value;
    case "pattern":
      return new RegExp(check.value, "u").test(cell);
    case "format": {
      const { pattern, maxLength = Number.POSITIVE_INFINITY } = STRING_FORMATS[check.value];
      return pattern.test(cell) && cell.length <= maxLength;
    }
    case "valid-values":
      return check.values.includes(cell);
    case "missing-values":
      return !check.values.includes(cell);
  }
}

function limitOf(type: ColumnType, text: string): Value {
  if (type.name === "integer" || type.name === "number") return fraction(text);
  const { format: _format, ...plain } = type as Extract<ColumnType, { name: "timestamp" }>;
  return readCell(type.name === "timestamp" ? { ...plain, zone: "optional" } : (plain as ColumnType), text)!.value!;
}

function fraction(text: string): Value {
  const [, sign, whole = "", behind = "", power = "0"] = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text)!;
  const digits = BigInt(`${sign === "-" ? "-" : ""}${whole}${behind}`);
  const exponent = Number(power) - behind.length;
  return exponent >= 0
    ? { over: digits * 10n ** BigInt(exponent), under: 1n }
    : { over: digits, under: 10n ** BigInt(-exponent) };
}

function readCell(type: ColumnType, cell: string): { text: string; value: Value | undefined } | undefined {
  switch (type.name) {
    case "string":
      return { text: cell, value: undefined };
    case "boolean":
      return ["true", "false", "1", "0"].includes(cell.toLowerCase()) ? { text: cell, value: undefined } : undefined;
    case "integer": {
      const shape = new RegExp(`^[+-]?${wholeNumber(type.groupSeparators)}$`, "u");
      if (!shape.test(cell)) return undefined;
      const text = without(cell, type.groupSeparators);
      const value = fraction(text);
      const bits = BigInt(type.bits.slice(1));
      const [least, most] = type.bits.startsWith("u")
        ? [0n, (1n << bits) - 1n]
        : [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
      return value.over < least || value.over > most ? undefined : { text, value };
    }
    case "number": {
      const point = type.decimalSeparator === "," ? "," : "\\.";
      const whole = wholeNumber(type.groupSeparators);
      const shape = new RegExp(`^[+-]?(?:${whole}(?:${point}\\d*)?|${point}\\d+)(?:[eE][+-]?\\d+)?$`, "u");
      if (!shape.test(cell)) return undefined;
      const plain = without(cell, type.groupSeparators);
      const text = type.decimalSeparator === "," ? plain.replace(",", ".") : plain;
      if (type.decimal) {
        const { precision, scale } = type.decimal;
        const [, before = "", behind = ""] = /^[+-]?0*(\d*?)(?:\.(\d*?)0*)?$/.exec(text) ?? [];
        if (/[eE]/.test(text) || before.length > precision - scale || behind.length > scale) return undefined;
      }
      return { text, value: fraction(text) };
    }
    default:
      return readMoment(type, cell);
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^$()[\]{}|\\/]/g, "\\$&");
}

function wholeNumber(separators: GroupSeparator[] = []): string {
  return `(?:${["\\d+", ...separators.map((each) => `\\d{1,3}(?:${escaped(each)}\\d{3})+`)].join("|")})`;
}

function without(cell: string, separators: GroupSeparator[] = []): string {
  return separators.reduce((text, separator) => text.replaceAll(separator, ""), cell);
}

const ISO = {
  date: /^(?<y>\d{4})-(?<M>\d\d)-(?<d>\d\d)$/,
  time: /^(?<H>\d\d):(?<m>\d\d)(:(?<s>\d\d)(\.(?<f>\d{1,9}))?)?$/,
  timestamp:
    /^(?<y>\d{4})-(?<M>\d\d)-(?<d>\d\d)[Tt ](?<H>\d\d):(?<m>\d\d)(:(?<s>\d\d)(\.(?<f>\d{1,9}))?)?(?<o>[Zz]|[+-]\d\d(:?\d\d)?)?$/,
};

/** The formats that tests use, written out by hand. */
export const FORMATS: Record<"date" | "time" | "timestamp", Record<string, RegExp>> = {
  date: {
    "dd/MM/yyyy": /^(?<d>\d\d)\/(?<M>\d\d)\/(?<y>\d{4})$/,
    "d.M.yy": /^(?<d>\d\d?)\.(?<M>\d\d?)\.(?<yy>\d\d)$/,
    yyyyMMdd: /^(?<y>\d{4})(?<M>\d\d)(?<d>\d\d)$/,
    "d MMM yyyy": /^(?<d>\d\d?) (?<MMM>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec) (?<y>\d{4})$/i,
    "'on' yyyy-MM-dd": /^on (?<y>\d{4})-(?<M>\d\d)-(?<d>\d\d)$/,
  },
  time: {
    "hh:mm a": /^(?<h>\d\d):(?<m>\d\d) (?<a>am|pm)$/i,
    HHmmssSSS: /^(?<H>\d\d)(?<m>\d\d)(?<s>\d\d)(?<f>\d{3})$/,
  },
  timestamp: {
    "yyyy-MM-dd HH:mm:ss": /^(?<y>\d{4})-(?<M>\d\d)-(?<d>\d\d) (?<H>\d\d):(?<m>\d\d):(?<s>\d\d)$/,
    "dd/MM/yyyy H:mm XXX": /^(?<d>\d\d)\/(?<M>\d\d)\/(?<y>\d{4}) (?<H>\d\d?):(?<m>\d\d) (?<o>Z|[+-]\d\d:\d\d)$/,
    "yyyyMMdd'T'HHmmssX": /^(?<y>\d{4})(?<M>\d\d)(?<d>\d\d)T(?<H>\d\d)(?<m>\d\d)(?<s>\d\d)(?<o>Z|[+-]\d\d(\d\d)?)$/,
  },
};

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const two = (number: number) => String(number).padStart(2, "0");

function readMoment(
  type: Extract<ColumnType, { name: "date" | "time" | "timestamp" }>,
  cell: string,
): { text: string; value: Value } | undefined {
  const shape = type.format === undefined ? ISO[type.name] : FORMATS[type.name][type.format]!;
  const found = shape.exec(cell)?.groups;
  if (!found) return undefined;
  const year = found.yy !== undefined ? 2000 + Number(found.yy) : Number(found.y ?? 1970);
  const month = found.MMM !== undefined ? MONTHS.indexOf(found.MMM.toLowerCase()) + 1 : Number(found.M ?? 1);
  const day = Number(found.d ?? 1);
  let hour = Number(found.H ?? 0);
  if (found.h !== undefined) {
    if (Number(found.h) < 1 || Number(found.h) > 12) return undefined;
    hour = (Number(found.h) % 12) + (found.a!.toLowerCase() === "pm" ? 12 : 0);
  }
  const minute = Number(found.m ?? 0);
  const second = Number(found.s ?? 0);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (year === 0 || month === 0 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || day === 0)
    return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const local = date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000;
  let offsetMinutes: number | undefined;
  if (found.o !== undefined) {
    const digits = found.o.replace(/[^\d]/g, "");
    offsetMinutes = /[zZ]/.test(found.o) ? 0 : Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2) || 0);
    if (Number(digits.slice(2) || 0) > 59 || Number(digits.slice(0, 2)) > 23) return undefined;
    if (found.o.startsWith("-")) offsetMinutes = -offsetMinutes;
  }
  if (type.name === "timestamp") {
    if (offsetMinutes === undefined && type.zone === "required") return undefined;
    if (offsetMinutes !== undefined && type.zone === "forbidden") return undefined;
    if (offsetMinutes === undefined && type.defaultTimezone !== undefined) {
      offsetMinutes = searchOffset(local, type.defaultTimezone);
      if (offsetMinutes === undefined) return undefined;
    }
  }
  const instant = local - (offsetMinutes ?? 0) * 60_000;
  const value = { over: BigInt(instant) * 1_000_000n + BigInt((found.f ?? "").padEnd(9, "0")), under: 1n };
  if (type.format === undefined) return { text: cell, value };
  const behind = (found.f ?? "").replace(/0+$/, "");
  const iso = {
    date: `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`,
    time: `${two(hour)}:${two(minute)}:${two(second)}${behind === "" ? "" : `.${behind}`}`,
  };
  if (type.name !== "timestamp") return { text: iso[type.name], value };
  const size = Math.abs(offsetMinutes ?? 0);
  const sign = (offsetMinutes ?? 0) < 0 ? "-" : "+";
  const offset =
    offsetMinutes === undefined ? "" : size === 0 ? "Z" : `${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  return { text: `${iso.date}T${iso.time}${offset}`, value };
}

/** The largest offset, in minutes, at which the zone's clocks show that local time. */
function searchOffset(local: number, timeZone: string): number | undefined {
  const clock = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" });
  for (let minutes = 15 * 60; minutes >= -15 * 60; minutes -= 15) {
    if (Date.parse(`${clock.format(local - minutes * 60_000).replace(" ", "T")}Z`) === local) return minutes;
  }
  return undefined;
}
