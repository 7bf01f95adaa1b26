import type { ColumnCheck, ColumnType } from "../../contract/compiledContract.ts";
import { type CellReader, cellReader, type TypedCell } from "./cellTypes.ts";
import { compareDecimals, type Decimal, decimalOf, isMultiple } from "./decimal.ts";
import { TEXT_FORMATS } from "./textFormats.ts";

/** True when a cell passes; `cell` is the text as it is in the file. */
export type Check = (cell: string, typed: TypedCell) => boolean;

export function columnCheck(check: ColumnCheck, type: ColumnType): Check {
  switch (check.rule) {
    case "minimum":
      return bound(check.value, type, (order) => order >= 0);
    case "maximum":
      return bound(check.value, type, (order) => order <= 0);
    case "exclusive-minimum":
      return bound(check.value, type, (order) => order > 0);
    case "exclusive-maximum":
      return bound(check.value, type, (order) => order < 0);
    case "multiple-of": {
      const unit = decimalOf(check.value)!;
      return (_, { value }) => isMultiple(value as Decimal, unit);
    }
    case "min-length":
      return (cell) => lengthOf(cell) >= check.value;
    case "max-length":
      return (cell) => lengthOf(cell) <= check.value;
    case "pattern": {
      const pattern = new RegExp(check.value, "u");
      return (cell) => pattern.test(cell);
    }
    case "format":
      return TEXT_FORMATS[check.value];
    case "valid-values": {
      const values = new Set(check.values);
      return (cell) => values.has(cell);
    }
    case "missing-values": {
      const values = new Set(check.values);
      return (cell) => !values.has(cell);
    }
  }
}

/** holds   of the order of a cell against the bound: below zero when the cell is smaller */
function bound(value: string, type: ColumnType, holds: (order: number) => boolean): Check {
  const limit = canonicalReader(type)(value)?.value;
  if (limit === undefined) throw new RangeError(`${value} is no bound for the type ${type.name}`);
  return (_, typed) => holds(orderOf(typed.value!, limit));
}

function orderOf(left: Decimal | bigint, right: Decimal | bigint): number {
  if (typeof left === "bigint" && typeof right === "bigint") return left < right ? -1 : left > right ? 1 : 0;
  return compareDecimals(left as Decimal, right as Decimal);
}

/** Reads canonical text, whatever the cells of the column look like. */
function canonicalReader(type: ColumnType): CellReader {
  switch (type.name) {
    case "integer":
    case "number":
      return (text) => ({ text, value: decimalOf(text) });
    case "date":
    case "time":
      return cellReader({ name: type.name });
    case "timestamp":
      return cellReader({
        name: "timestamp",
        zone: "optional",
        ...(type.defaultTimezone === undefined ? {} : { defaultTimezone: type.defaultTimezone }),
      });
    default:
      return () => undefined;
  }
}

/** In Unicode code points. */
function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}
