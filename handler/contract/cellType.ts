import type { ColumnType } from "../../src/contract/compiledContract.ts";
import { DateType, TimestampType, TimeType } from "./moments.ts";
import { NumericType } from "./numericType.ts";

/**
 * Reads the cells of one column: bytes [start, end) of UTF-8, never empty. It keeps what it last read, so that checks can
 * compare it without reading it again.
 */
export interface CellType {
  /** True when the cell is of the type. */
  read(bytes: Uint8Array, start: number, end: number): boolean;
  /** After `read`: bytes of `conformed` that stand for the cell in trusted, or -1 when it stays as it is. */
  readonly conformedLength: number;
  readonly conformed: Uint8Array;
  /** What compares the cell that was last read with a limit: below zero when the cell is smaller. */
  comparison(limit: string): () => number;
  /** What tells whether the cell that was last read is a multiple of `unit`. */
  multiple(unit: string): () => boolean;
}

const NOTHING = new Uint8Array(0);

function isIncomparable(): never {
  throw new Error("the contract compares a column whose type has no order");
}

class TextType implements CellType {
  readonly conformedLength = -1;
  readonly conformed = NOTHING;
  readonly comparison = isIncomparable;
  readonly multiple = isIncomparable;

  read(_bytes: Uint8Array, _start: number, _end: number): boolean {
    return true;
  }
}

class BooleanType extends TextType {
  override read(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start === 1) return bytes[start] === 48 || bytes[start] === 49;
    return spells(bytes, start, end, TRUE) || spells(bytes, start, end, FALSE);
  }
}

const TRUE = Buffer.from("true");
const FALSE = Buffer.from("false");

/** In any case of letters. */
function spells(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) if ((bytes[start + i]! | 32) !== word[i]) return false;
  return true;
}

export function cellTypeOf(type: ColumnType): CellType {
  switch (type.name) {
    case "string":
      return new TextType();
    case "boolean":
      return new BooleanType();
    case "integer":
    case "number":
      return new NumericType(type);
    case "date":
      return new DateType(type.format);
    case "time":
      return new TimeType(type.format);
    case "timestamp":
      return new TimestampType(type);
  }
}
