import { AwsError } from "../awsError.ts";

/** Bytes of an object, `start` inclusive, `end` exclusive. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * The bytes that a Range header asks for; undefined for the whole object, also where the header is malformed or names several ranges.
 * Throws InvalidRange 416.
 */
export function parseRange(text: string | undefined, size: number): ByteRange | undefined {
  const match = text === undefined ? null : /^bytes=(\d*)-(\d*)$/.exec(text.trim());
  if (!match) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const length = Math.min(Number(last), size);
    if (length === 0) throw invalidRange(text!, size);
    return { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) throw invalidRange(text!, size);
  return { start, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}

function invalidRange(requested: string, size: number): AwsError {
  return new AwsError("InvalidRange", "The requested range is not satisfiable", 416, {
    details: { RangeRequested: requested, ActualObjectSize: String(size) },
  });
}
