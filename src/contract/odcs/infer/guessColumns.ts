import type { ColumnType } from "../../compiledContract.ts";
import type { ColumnProfile } from "./columnProfile.ts";
import { COMPACT_DATE, type DateGuess, type DateStyle } from "./dateStyles.ts";
import type { FileProfile } from "./fileProfile.ts";
import type { NumberStyle } from "./numberStyles.ts";
import type { Misses } from "./tally.ts";

/** What is guessed about a column, and why. */
export interface ColumnGuess {
  name: string;
  type: ColumnType["name"];
  /** Of `logicalTypeOptions`: format, timezone. */
  options: [key: string, value: string | boolean][];
  physicalType?: string;
  /** Of `customProperties`. */
  separators: [property: string, value: string | string[]][];
  required: boolean;
  /** All that the column has, when that is little. */
  values?: string[];
  isKey: boolean;
  /** Cells that are not of the type: rather mistakes in the file. */
  misses?: Misses;
  /** A person must decide: days and months can be read either way. */
  isAmbiguous: boolean;
  /** Sentences for the person who reads the contract. */
  why: string[];
}

export interface GuessOptions {
  /** Where nothing shows whether 02/03 is in February or March. @default "day-first" */
  dateOrder?: "day-first" | "month-first";
}

/** With fewer rows nothing is said about keys and enumerations. */
const FEW_ROWS = 10;
/** Of an enumeration each value is there so often. */
const TIMES_EACH = 5;
const ENUMERATION = { rows: 100, most: 12, longest: 30 };
/** Digits that a decimal has at least, so that a larger number than those of the file is one as well. */
const DECIMAL_DIGITS = 18;
const MOST_DIGITS = 38;

export function guessColumns(profile: FileProfile, options: GuessOptions = {}): ColumnGuess[] {
  return profile.columns.map((column) => guessColumn(column, profile, options));
}

function guessColumn(column: ColumnProfile, profile: FileProfile, options: GuessOptions): ColumnGuess {
  const guess: ColumnGuess = {
    name: column.name,
    type: "string",
    options: [],
    separators: [],
    required: column.empty === 0,
    isKey: column.isKey && profile.rows >= FEW_ROWS,
    isAmbiguous: false,
    why: [],
  };
  if (column.filled === 0) {
    guess.why.push(`always empty in ${rows(profile.rows)}, so nothing is known of it`);
    return guess;
  }
  const dates = column.dates.guess(options.dateOrder);
  if (dates) guessDate(guess, column, dates, profile, options.dateOrder);
  else if (column.wantsDate && column.compactDates.count === 0) {
    guess.type = "date";
    guess.options.push(["format", COMPACT_DATE.format!]);
    guess.why.push("eight digits that are all dates");
  } else if (column.booleans.count === 0) guess.type = "boolean";
  else if (!guessNumber(guess, column)) guessText(guess, column);
  return guess;
}

function guessDate(
  guess: ColumnGuess,
  column: ColumnProfile,
  dates: DateGuess,
  profile: FileProfile,
  order: GuessOptions["dateOrder"],
): void {
  const { style, misses, ambiguous } = dates;
  guess.type = style.type;
  if (style.format !== undefined) guess.options.push(["format", style.format]);
  if (ambiguous !== undefined && order !== undefined) {
    guess.why.push(`${said(style)}, as was said: no value of the ${rows(column.filled)} shows it`);
  } else if (ambiguous !== undefined) {
    guess.isAmbiguous = true;
    guess.why.push(
      `CHECK THIS: ${said(style)} or ${said(ambiguous)}? Both fit all ${rows(column.filled)}; if it is the other, write format: ${ambiguous.format}`,
    );
  } else if (style.order !== undefined) {
    guess.why.push(`${said(style)}: some value has a number above 12 in the place of the day`);
  }
  if (style.type === "timestamp" && style.format === undefined) {
    const { withOffset, withoutOffset } = column.dates;
    if (misses.count === 0 && (withOffset === 0 || withoutOffset === 0))
      guess.options.push(["timezone", withOffset > 0]);
    if (withoutOffset > 0)
      guess.why.push("no offset from UTC in the cells; defaultTimezone: Europe/Lisbon would say where they are");
  }
  if (misses.count > 0) {
    guess.misses = misses;
    guess.why.push(
      `${misses.count} of ${rows(column.filled)} are no ${style.type} like the others, first ${example(misses.first!)}: they go to quarantine`,
    );
  }
  if (column.empty > 0) guess.why.push(`empty in ${column.empty} of ${rows(profile.rows)}`);
}

function said({ order }: DateStyle): string {
  return order === "day-first" ? "day before month" : "month before day";
}

function guessNumber(guess: ColumnGuess, column: ColumnProfile): boolean {
  const { numbers, filled } = column;
  const found = numbers.guess();
  if (!found) return false;
  const { style, misses, integerBits, digits, ambiguous } = found;
  if (numbers.leadingZero) {
    guess.why.push(
      `text, because a number loses what stands in front of its digits, as in ${example(numbers.leadingZero)}`,
    );
    return false;
  }
  if (misses.count > 0) {
    guess.why.push(
      `text, because ${misses.count} of ${rows(filled)} are no number, first ${example(misses.first!)}; the others are`,
    );
    return false;
  }
  const isPlain = style.decimal === "." && style.group === undefined;
  if (ambiguous !== undefined && !isPlain) {
    guess.why.push(
      `text, because nothing shows whether ${describe(style)} or ${describe(ambiguous)} is meant: every separator has three digits behind it`,
    );
    return false;
  }
  if (integerBits === undefined && digits !== undefined && digits.fraction === 0) {
    guess.why.push("text, because the numbers are longer than any integer type");
    return false;
  }
  if (style.group !== undefined) guess.separators.push(["minilakeGroupSeparators", [style.group]]);
  if (integerBits !== undefined) {
    guess.type = "integer";
    if (integerBits !== "i64") guess.options.push(["format", integerBits]);
    return true;
  }
  guess.type = "number";
  if (style.decimal === ",") guess.separators.push(["minilakeDecimalSeparator", ","]);
  if (digits !== undefined && digits.whole + digits.fraction <= MOST_DIGITS) {
    const precision = digits.whole + digits.fraction <= DECIMAL_DIGITS ? DECIMAL_DIGITS : MOST_DIGITS;
    guess.physicalType = `decimal(${precision},${digits.fraction})`;
    guess.why.push(`never more than ${digits.fraction} digits behind the ${style.decimal === "," ? "comma" : "point"}`);
  }
  if (ambiguous !== undefined)
    guess.why.push("every number has three digits behind the point: check that it is no thousands separator");
  return true;
}

function describe({ decimal, group }: NumberStyle): string {
  return group === undefined ? `a decimal ${decimal === "," ? "comma" : "point"}` : `a "${group}" between thousands`;
}

function guessText(guess: ColumnGuess, column: ColumnProfile): void {
  const { values, filled, format } = column;
  if (filled >= FEW_ROWS && format !== undefined) guess.options.push(["format", format]);
  const counts = [...(values?.values() ?? [])];
  const isEnumeration =
    values !== undefined &&
    !guess.isKey &&
    filled >= ENUMERATION.rows &&
    // Remarks that are chosen from a few are no enumeration either.
    filled > column.empty &&
    [...values.keys()].every((value) => value.length <= ENUMERATION.longest) &&
    counts.length >= 2 &&
    counts.length <= ENUMERATION.most &&
    counts.every((count) => count >= TIMES_EACH);
  if (!isEnumeration) return;
  guess.values = [...values.keys()].sort();
  guess.why.push(`just these ${values.size} values in ${rows(filled)}`);
}

export function rows(count: number): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? "row" : "rows"}`;
}

/** A cell for a comment: on one line and not long. */
function example({ text, line }: { text: string; line: number }): string {
  const shown = JSON.stringify(text.length > 30 ? `${text.slice(0, 29)}…` : text);
  return `${shown} in line ${line}`;
}
