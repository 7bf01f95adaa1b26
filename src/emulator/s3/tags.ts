import { AwsError } from "../awsError.ts";
import {
  childOf,
  childrenOf,
  element,
  malformedXml,
  onlyChildren,
  parseXml,
  requiredText,
  wrap,
  type XmlElement,
} from "../protocols/restXml.ts";
import { invalidArgument } from "./errors.ts";
import type { Tag } from "./records.ts";

const MAX_OBJECT_TAGS = 10;
const MAX_BUCKET_TAGS = 50;
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

const invalidTag = (message: string, key?: string) =>
  new AwsError("InvalidTag", message, 400, { details: key === undefined ? {} : { TagKey: key } });

/** Tags of a `Tagging` document. Throws MalformedXML, InvalidTag, BadRequest 400. */
export function parseTagging(body: Buffer, kind: "object" | "bucket"): Tag[] {
  const root = parseXml(body, "Tagging");
  onlyChildren(root, "TagSet");
  const set = childOf(root, "TagSet");
  if (!set) throw malformedXml();
  return parseTagSet(set, kind);
}

/** Tags of an element that holds `Tag` elements. */
export function parseTagSet(set: XmlElement, kind: "object" | "bucket"): Tag[] {
  onlyChildren(set, "Tag");
  const tags = childrenOf(set, "Tag").map((tag): Tag => [requiredText(tag, "Key"), requiredText(tag, "Value")]);
  checkTags(tags, kind);
  return tags;
}

/** Throws InvalidTag, BadRequest 400. */
export function checkTags(tags: readonly Tag[], kind: "object" | "bucket"): void {
  if (kind === "object" && tags.length > MAX_OBJECT_TAGS) {
    throw new AwsError("BadRequest", `Object tags cannot be greater than ${MAX_OBJECT_TAGS}`);
  }
  if (kind === "bucket" && tags.length > MAX_BUCKET_TAGS) {
    throw new AwsError("BadRequest", `Bucket tag count cannot be greater than ${MAX_BUCKET_TAGS}`);
  }
  const seen = new Set<string>();
  for (const [key, value] of tags) {
    if (seen.has(key)) throw invalidTag("Cannot provide multiple Tags with the same key", key);
    seen.add(key);
    if (key.toLowerCase().startsWith("aws:")) {
      if (kind === "bucket") throw invalidTag("System tags cannot be added/updated by requester");
      throw invalidTag("Your TagKey cannot be prefixed with aws:", key);
    }
    if (key === "" || [...key].length > 128 || !ALLOWED.test(key)) {
      throw invalidTag("The TagKey you have provided is invalid", key);
    }
    if ([...value].length > 256 || !ALLOWED.test(value)) {
      throw invalidTag("The TagValue you have provided is invalid", key);
    }
  }
}

/** Tags of the header `x-amz-tagging: a=b&c=d`; undefined when there are none. Throws InvalidArgument, InvalidTag 400. */
export function parseTaggingHeader(text: string | undefined): Tag[] | undefined {
  if (text === undefined || text === "") return undefined;
  const pairs = text.split("&").filter((pair) => pair !== "");
  if (pairs.length === 0) return undefined;
  const tags = pairs.map((pair): Tag => {
    const [key = "", value = "", ...rest] = pair.split("=");
    try {
      if (rest.length === 0 && key !== "") return [decodePart(key), decodePart(value)];
    } catch {}
    throw invalidTaggingHeader(text);
  });
  if (new Set(tags.map(([key]) => key)).size < tags.length) throw invalidTaggingHeader(text);
  checkTags(tags, "object");
  return tags;
}

const decodePart = (text: string) => decodeURIComponent(text.replaceAll("+", " "));

const invalidTaggingHeader = (value: string) =>
  invalidArgument(
    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
    "x-amz-tagging",
    value,
  );

export function tagSetXml(tags: readonly Tag[]): string {
  return wrap(
    "TagSet",
    tags.map(([key, value]) => wrap("Tag", element("Key", key) + element("Value", value))).join(""),
  );
}
