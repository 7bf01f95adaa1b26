import { invalidParameter } from "./errors.ts";
import { type Input, optionalString } from "./input.ts";

/** A token holds where the last page ended: strings and numbers of the caller's choice. */
export const pageToken = (place: (string | number)[]) => Buffer.from(JSON.stringify(place)).toString("base64url");

/** Throws InvalidParameterException for what is no token. */
export function readPageToken(input: Input): (string | number)[] | undefined {
  const token = optionalString(input, "nextToken");
  if (token === undefined) return undefined;
  try {
    const place: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (Array.isArray(place) && place.every((part) => typeof part === "string" || typeof part === "number")) {
      return place;
    }
  } catch {
    // Answered below.
  }
  throw invalidParameter("The specified nextToken is invalid.");
}

/** The first `limit` items, and the token of the last one when there are more. */
export function takePage<T>(
  items: Iterable<T>,
  limit: number,
  place: (item: T) => (string | number)[],
): { page: T[]; nextToken: string | undefined } {
  const page: T[] = [];
  for (const item of items) {
    if (page.length === limit) return { page, nextToken: pageToken(place(page[limit - 1] as T)) };
    page.push(item);
  }
  return { page, nextToken: undefined };
}
