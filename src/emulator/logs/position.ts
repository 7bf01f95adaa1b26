import { invalidParameter } from "./errors.ts";
import type { Position } from "./store.ts";

const DIGITS = 56;
const NUMBER_DIGITS = 20;

/** 56 digits, as AWS's event ids and tokens have; they order as the events do. */
export const positionDigits = ({ timestamp, number }: Position) =>
  String(timestamp).padStart(DIGITS - NUMBER_DIGITS, "0") + String(number).padStart(NUMBER_DIGITS, "0");

/** Throws InvalidParameterException for what no answer of ours contained. */
export function parsePosition(digits: string): Position {
  const timestamp = Number(digits.slice(0, DIGITS - NUMBER_DIGITS));
  const number = Number(digits.slice(DIGITS - NUMBER_DIGITS));
  if (!/^\d{56}$/.test(digits) || !Number.isSafeInteger(timestamp) || !Number.isSafeInteger(number)) {
    throw invalidParameter("The specified nextToken is invalid.");
  }
  return { timestamp, number };
}
