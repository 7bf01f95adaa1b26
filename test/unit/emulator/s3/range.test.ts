import { expect, test } from "vitest";
import { AwsError } from "../../../../src/emulator/awsError.ts";
import { parseRange } from "../../../../src/emulator/s3/range.ts";

/** Recorded from AWS for an object of 10 bytes; `end` is exclusive. */
test.each([
  ["bytes=0-8", { start: 0, end: 9 }],
  ["bytes=1-1", { start: 1, end: 2 }],
  ["bytes=1-", { start: 1, end: 10 }],
  ["bytes=-2", { start: 8, end: 10 }],
  ["bytes=-15", { start: 0, end: 10 }],
  ["bytes=0-100", { start: 0, end: 10 }],
  ["bytes=5-2", undefined],
  ["bytes=0-1,3-4", undefined],
  ["bytes=-", undefined],
  ["bits=0-1", undefined],
  [undefined, undefined],
])("%s", (text, expected) => {
  expect(parseRange(text, 10)).toEqual(expected);
});

test.each(["bytes=-0", "bytes=100-200", "bytes=10-"])("%s cannot be satisfied", (text) => {
  expect(() => parseRange(text, 10)).toThrow(AwsError);
});
