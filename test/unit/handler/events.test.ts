import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { laterSequencer, sourceEvents } from "../../../handler/events.ts";

const record = (changes: object = {}, object: object = {}) => ({
  eventVersion: "2.1",
  eventSource: "aws:s3",
  eventTime: "2026-11-23T10:00:00.000Z",
  eventName: "ObjectCreated:Put",
  s3: { bucket: { name: "raw" }, object: { key: "a.csv", size: 1, eTag: "e", sequencer: "0A", ...object } },
  ...changes,
});

describe("events", () => {
  test("keys are decoded: a plus is a space, percent bytes are UTF-8", () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom("a", "/", "+", " ", "%", "é", "😀", "&", "=", "#"),
          minLength: 1,
          maxLength: 30,
        }),
        (key) => {
          const encoded = encodeURIComponent(key).replaceAll("%20", "+");
          expect(sourceEvents({ Records: [record({}, { key: encoded })] })[0]!.key).toBe(key);
        },
      ),
    );
  });

  test.each([
    ["ObjectCreated:Put", "created"],
    ["ObjectCreated:CompleteMultipartUpload", "created"],
    ["s3:ObjectCreated:Copy", "created"],
    ["ObjectRemoved:Delete", "removed"],
    ["ObjectRemoved:DeleteMarkerCreated", "removed"],
  ])("%s is %s", (eventName, kind) => {
    expect(sourceEvents({ Records: [record({ eventName })] })).toEqual([
      { bucket: "raw", key: "a.csv", kind, sequencer: "0A", time: "2026-11-23T10:00:00.000Z" },
    ]);
  });

  test("all records of a payload count, one without a sequencer too", () => {
    const second = record({}, { key: "b.csv", sequencer: undefined });
    expect(sourceEvents({ Records: [record(), second] }).map(({ key, sequencer }) => [key, sequencer])).toEqual([
      ["a.csv", "0A"],
      ["b.csv", null],
    ]);
  });

  test("the test event that S3 sends when the notification is made has none", () => {
    expect(sourceEvents({ Service: "Amazon S3", Event: "s3:TestEvent", Bucket: "raw" })).toEqual([]);
  });

  test.each([
    ["no Records", { detail: {} }, /no Records/],
    ["another version", { Records: [record({ eventVersion: "3.0" })] }, /version 3.0; expected 2.x/],
    ["no key", { Records: [{ eventName: "ObjectCreated:Put", s3: { bucket: { name: "raw" } } }] }, /record 0/],
  ])("a payload with %s is refused", (_what, payload, message) => {
    expect(() => sourceEvents(payload)).toThrow(message);
  });

  test("sequencers of unequal length compare after padding on the right", () => {
    expect(laterSequencer("0055AED6DCD90281E5", "0055AED6DCD90281E6")).toBe("0055AED6DCD90281E6");
    expect(laterSequencer("01", "0055")).toBe("01");
    expect(laterSequencer("A", "A1")).toBe("A1");
    expect(laterSequencer(null, "A1")).toBe("A1");
  });
});
