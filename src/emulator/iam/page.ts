import { AwsError } from "../awsError.ts";
import type { Parameters } from "./parameters.ts";

export interface Page<T> {
  items: T[];
  IsTruncated: boolean;
  /** Undefined on the last page. */
  Marker: string | undefined;
}

/**
 * One page of a list, by the parameters MaxItems (1 to 1,000, default 100) and Marker.
 * `nameOf` is unique among the items; they are returned in its order.
 */
export function paginate<T>(input: Parameters, all: Iterable<T>, nameOf: (item: T) => string): Page<T> {
  const limit = input.integer("MaxItems", 1, 1000, 100);
  const marker = input.optionalText("Marker", { min: 1 });
  input.check();
  const after = marker === undefined ? undefined : decodeMarker(marker);
  const sorted = [...all].sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
  const rest = after === undefined ? sorted : sorted.filter((item) => nameOf(item) > after);
  const items = rest.slice(0, limit);
  const IsTruncated = rest.length > limit;
  return { items, IsTruncated, Marker: IsTruncated ? encodeMarker(nameOf(items.at(-1)!)) : undefined };
}

const encodeMarker = (name: string) => Buffer.from(`1:${name}`, "utf8").toString("base64");

function decodeMarker(marker: string): string {
  const text = Buffer.from(marker, "base64").toString("utf8");
  if (!text.startsWith("1:")) throw new AwsError("ValidationError", `Invalid Marker: ${marker}`, 400);
  return text.slice(2);
}
