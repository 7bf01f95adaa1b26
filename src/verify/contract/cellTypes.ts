import type { ColumnType, GroupSeparator, IntegerBits } from "../../contract/compiledContract.ts";
import { type Decimal, decimalOf } from "./decimal.ts";
import { inZone, isoText, type Moment, type MomentKind, momentReader, nanosOf } from "./moments.ts";
import { zoneNamed } from "./zones.ts";

/** A cell that is of its column's type. */
export interface TypedCell {
  /** As trusted has it. */
  text: string;
  /** What minimum, maximum and multiples compare; undefined for text and booleans. */
  value: Decimal | bigint | undefined;
}

/** Reads a cell that is not null; undefined when it is not of the type. */
export type CellReader = (cell: string) => TypedCell | undefined;

export function cellReader(type: ColumnType): CellReader {
  switch (type.name) {
    case "string":
      return (cell) => ({ text: cell, value: undefined });
    case "boolean":
      return (cell) => (/^(?:true|false|1|0)$/i.test(cell) ? { text: cell, value: undefined } : undefined);
    case "integer":
      return integerReader(type.bits, type.groupSeparators);
    case "number":
      return numberReader(type);
    case "date":
    case "time":
      return momentCells(type.name, type.format, (moment) => moment);
    case "timestamp":
      return timestampReader(type);
  }
}

/** Inclusive. */
function rangeOf(bits: IntegerBits): [bigint, bigint] {
  const size = BigInt(bits.slice(1));
  return bits.startsWith("u") ? [0n, 2n ** size - 1n] : [-(2n ** (size - 1n)), 2n ** (size - 1n) - 1n];
}

function integerReader(bits: IntegerBits, separators: GroupSeparator[] | undefined): CellReader {
  const [least, most] = rangeOf(bits);
  // Longer ones need no look: leading zeros aside, and those are looked at.
  const safe = least <= -999_999_999n && most >= 999_999_999n ? 9 : 0;
  return (cell) => {
    const text = withoutGroups(cell, separators);
    if (text === undefined || !/^[+-]?\d+$/.test(text)) return undefined;
    if (text.length > safe) {
      const value = BigInt(text.replace(/^\+/, ""));
      if (value < least || value > most) return undefined;
    }
    return { text, value: decimalOf(text) };
  };
}

function numberReader(type: Extract<ColumnType, { name: "number" }>): CellReader {
  const { decimal, decimalSeparator = ".", groupSeparators } = type;
  return (cell) => {
    // The separator of decimals first: what stands before it may be in groups.
    const parts = cell.split(decimalSeparator);
    if (parts.length > 2 || (decimalSeparator !== "." && parts.some((part) => isDotted(part, groupSeparators)))) {
      return undefined;
    }
    const [whole = "", rest] = parts;
    const exponent = rest === undefined ? (/[eE].*$/.exec(whole)?.[0] ?? "") : "";
    const ungrouped = withoutGroups(whole.slice(0, whole.length - exponent.length), groupSeparators);
    if (ungrouped === undefined) return undefined;
    const text = `${ungrouped}${exponent}${rest === undefined ? "" : `.${rest}`}`;
    const value = decimalOf(text);
    if (value === undefined) return undefined;
    if (decimal !== undefined && (/[eE]/.test(text) || !fits(text, decimal))) return undefined;
    return { text, value };
  };
}

const isDotted = (part: string, separators: GroupSeparator[] | undefined): boolean =>
  part.includes(".") && separators?.includes(".") !== true;

/** Zeros at either end do not count. */
function fits(text: string, { precision, scale }: { precision: number; scale: number }): boolean {
  const [whole = "", fraction = ""] = text.replace(/^[+-]/, "").split(".");
  return whole.replace(/^0+/, "").length <= precision - scale && fraction.replace(/0+$/, "").length <= scale;
}

/** A sign and digits, in groups or not, without the separators of the groups; undefined when they are wrong. */
function withoutGroups(text: string, separators: GroupSeparator[] | undefined): string | undefined {
  const used = separators?.find((separator) => text.includes(separator));
  if (used === undefined) return text;
  const [first = "", ...others] = text.replace(/^[+-]/, "").split(used);
  if (!/^\d{1,3}$/.test(first) || !others.every((group) => /^\d{3}$/.test(group))) return undefined;
  return text.replaceAll(used, "");
}

function momentCells(
  kind: MomentKind,
  format: string | undefined,
  settle: (moment: Moment) => Moment | undefined,
  rewritten = format !== undefined,
): CellReader {
  const read = momentReader(kind, format);
  return (cell) => {
    const found = read(cell);
    const moment = found === undefined ? undefined : settle(found);
    if (moment === undefined) return undefined;
    return { text: rewritten ? isoText(kind, moment, true) : cell, value: nanosOf(kind, moment) };
  };
}

function timestampReader(type: Extract<ColumnType, { name: "timestamp" }>): CellReader {
  const { format, zone, defaultTimezone } = type;
  const home = defaultTimezone === undefined ? undefined : zoneNamed(defaultTimezone);
  return momentCells("timestamp", format, (moment) => {
    if (moment.offset !== undefined) return zone === "forbidden" ? undefined : moment;
    if (zone === "required") return undefined;
    return home === undefined ? moment : inZone(moment, home);
  });
}
