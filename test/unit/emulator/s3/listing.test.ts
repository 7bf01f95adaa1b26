import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { afterPrefix, listPage, urlEncodeKey } from "../../../../src/emulator/s3/listing.ts";
import { pageStart } from "../../../../src/emulator/s3/objectListing.ts";

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What S3 lists, worked out from all keys at once: an independent, slow model. */
function model(keys: readonly string[], prefix: string, delimiter: string): string[] {
  const lines = new Set<string>();
  for (const key of [...keys].sort(byBytes)) {
    if (!key.startsWith(prefix)) continue;
    const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    lines.add(at < 0 ? `key ${key}` : `prefix ${key.slice(0, at + delimiter.length)}`);
  }
  return [...lines];
}

function pages(keys: readonly string[], prefix: string, delimiter: string, maxItems: number): string[] {
  const sorted = [...keys].sort(byBytes);
  const lines: string[] = [];
  let marker = "";
  for (let page = 0; page <= keys.length; page++) {
    const result = listPage({
      entriesFrom: (start) => sorted.filter((key) => byBytes(key, start) >= 0).map((key) => ({ key, entry: key })),
      prefix,
      delimiter,
      ...pageStart(prefix, delimiter, marker),
      maxItems,
    });
    expect(result.items.length).toBeLessThanOrEqual(maxItems);
    lines.push(...result.items.map((item) => ("prefix" in item ? `prefix ${item.prefix}` : `key ${item.key}`)));
    if (!result.isTruncated) return lines;
    const last = result.items.at(-1)!;
    marker = "prefix" in last ? last.prefix : last.key;
  }
  throw new Error("the listing does not end");
}

const character = fc.constantFrom("a", "b", "/", "\0", "é", "\ud7ff", "\ue000", "\uffff", "😀", "\u{10ffff}", "-");
const key = fc.array(character, { minLength: 1, maxLength: 6 }).map((characters) => characters.join(""));
const short = fc.array(character, { maxLength: 2 }).map((characters) => characters.join(""));

describe("a listing", () => {
  test("read page by page is every key or common prefix once, in UTF-8 byte order", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(key, { maxLength: 25 }),
        short,
        fc.oneof(fc.constant("/"), fc.constant(""), short),
        fc.integer({ min: 1, max: 5 }),
        (keys, prefix, delimiter, maxItems) => {
          expect(pages(keys, prefix, delimiter, maxItems)).toEqual(model(keys, prefix, delimiter));
        },
      ),
      { numRuns: 1500 },
    );
  });

  test("of no items is empty and not truncated", () => {
    const entriesFrom = () => [{ key: "a", entry: "a" }];
    expect(listPage({ entriesFrom, prefix: "", delimiter: "", start: "", maxItems: 0 })).toEqual({
      items: [],
      isTruncated: false,
    });
  });
});

test("afterPrefix follows all that starts with the prefix, and nothing else", () => {
  fc.assert(
    fc.property(key, key, (prefix, other) => {
      const after = afterPrefix(prefix);
      if (after === undefined) return;
      expect(byBytes(prefix + other, after)).toBeLessThan(0);
      if (!other.startsWith(prefix) && byBytes(other, prefix) > 0) {
        expect(byBytes(other, after)).toBeGreaterThanOrEqual(0);
      }
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ["in/a b.csv", "in/a+b.csv"],
  ["dt=2026-01-01/x", "dt%3D2026-01-01/x"],
  ["a@b+c~d*e(1)!'", "a%40b%2Bc%7Ed*e%281%29%21%27"],
  ["é😀", "%C3%A9%F0%9F%98%80"],
])("%s is written as %s", (plain, encoded) => {
  expect(urlEncodeKey(plain)).toBe(encoded);
  expect(decodeURIComponent(encoded.replace(/\+/g, " "))).toBe(plain);
});
