import type { ColumnType, CompiledContract } from "../../src/contract/compiledContract.ts";
import { type Fault, shown } from "../destination.ts";
import type { RowCells } from "../rowCells.ts";

/**
 * Cells that the contract lets pass and that a Parquet column of their type cannot hold. The row goes to quarantine, and not a rounded
 * value into the lake: seconds of more than six decimals (Parquet's readers share microseconds), integers of more than 38 digits, and
 * numbers beyond the largest double or float. Dates, booleans, texts and decimals always fit.
 */
export class ParquetRowLimits {
  readonly #columns: LimitedColumn[];

  private constructor(columns: LimitedColumn[]) {
    this.#columns = columns;
  }

  /** Undefined when every cell of such a file fits. `names` are the columns of the file. */
  static of(names: readonly string[], contract: CompiledContract | undefined): ParquetRowLimits | undefined {
    const types = new Map(contract?.columns.map(({ name, type }) => [name, type]));
    const columns = names.flatMap((name, index) => {
      const limit = limitOf(types.get(name));
      return limit ? [{ ...limit, index, name }] : [];
    });
    return columns.length === 0 ? undefined : new ParquetRowLimits(columns);
  }

  /** Of a row as `Destination.plain` gets it. */
  fitsPlain(window: Buffer, start: number, ends: Int32Array): boolean {
    for (const { index, fits } of this.#columns) {
      if (!fits(window, index === 0 ? start : ends[index - 1]! + 1, ends[index]!)) return false;
    }
    return true;
  }

  fitsCells({ bytes, starts, ends }: RowCells): boolean {
    return this.#columns.every(({ index, fits }) => fits(bytes, starts[index]!, ends[index]!));
  }

  /** Why a row does not fit; undefined when it does. */
  fault(texts: readonly string[]): Fault | undefined {
    for (const { index, name, fits, limit } of this.#columns) {
      const cell = Buffer.from(texts[index]!);
      if (fits(cell, 0, cell.length)) continue;
      const message = `${name} is ${shown(texts[index]!)}, and Parquet holds ${limit}; shorten the value, or declare the column as a string in the contract`;
      return { rule: "parquet-type", column: name, message };
    }
    return undefined;
  }
}

interface Limit {
  /** The cell is bytes [start, end). */
  fits: (bytes: Buffer, start: number, end: number) => boolean;
  /** For people. */
  limit: string;
}

interface LimitedColumn extends Limit {
  index: number;
  name: string;
}

const DECIMALS = 6;
const MOST_DIGITS = 38;
const POINT = 46;
const ZERO = 48;
const NINE = 57;
const PLUS = 43;
const MINUS = 45;
const LOWER_E = 101;
const UPPER_E = 69;

function limitOf(type: ColumnType | undefined): Limit | undefined {
  switch (type?.name) {
    case "time":
      return microseconds("HH:MM:SS.".length);
    case "timestamp":
      return microseconds("YYYY-MM-DDTHH:MM:SS.".length);
    case "integer":
      if (type.bits !== "i128" && type.bits !== "u128") return undefined;
      return { fits: hasFewDigits, limit: `integers of up to ${MOST_DIGITS} digits` };
    case "number": {
      if (type.decimal !== undefined) return undefined;
      const round = type.bits === 32 ? Math.fround : (value: number) => value;
      return {
        fits: (bytes, start, end) => isBelowInfinity(bytes, start, end, round),
        limit: type.bits === 32 ? "32-bit numbers up to 3.4e38" : "64-bit numbers up to 1.8e308",
      };
    }
    default:
      return undefined;
  }
}

/** head  bytes up to and with the decimal point, when there is one */
function microseconds(head: number): Limit {
  return {
    limit: "microseconds",
    fits: (bytes, start, end) => {
      if (end - start <= head + DECIMALS || bytes[start + head - 1] !== POINT) return true;
      for (let at = start + head + DECIMALS; at < end; at++) {
        const byte = bytes[at]!;
        if (byte < ZERO || byte > NINE) return true;
        if (byte !== ZERO) return false;
      }
      return true;
    },
  };
}

function hasFewDigits(bytes: Buffer, start: number, end: number): boolean {
  if (end - start <= MOST_DIGITS) return true;
  let at = start;
  if (bytes[at] === PLUS || bytes[at] === MINUS) at++;
  while (bytes[at] === ZERO && at < end) at++;
  return end - at <= MOST_DIGITS;
}

function isBelowInfinity(bytes: Buffer, start: number, end: number, round: (value: number) => number): boolean {
  let exponent = false;
  for (let at = start; at < end; at++) if (bytes[at] === LOWER_E || bytes[at] === UPPER_E) exponent = true;
  // Below 1e38, and so within both.
  if (!exponent && end - start <= MOST_DIGITS) return true;
  return Number.isFinite(round(Number(bytes.toString("latin1", start, end))));
}
