import { describe, expect, test } from "vitest";
import { AwsError } from "../../../../src/emulator/awsError.ts";
import {
  checkOverlaps,
  isWanted,
  type NotificationRule,
} from "../../../../src/emulator/s3/notifications/configuration.ts";

function rule(events: string[], prefix?: string, suffix?: string): NotificationRule {
  const filters: NotificationRule["filters"] = [];
  if (prefix !== undefined) filters.push({ name: "Prefix", value: prefix });
  if (suffix !== undefined) filters.push({ name: "Suffix", value: suffix });
  return { id: "x", kind: "Queue", arn: "arn:aws:sqs:us-east-1:000000000000:q", events, filters };
}

const ALL = ["s3:ObjectCreated:*"];
const PUT = ["s3:ObjectCreated:Put"];

describe("overlapping rules", () => {
  test.each([
    ["the same event, no filters", rule(PUT), rule(PUT)],
    ["a wildcard and a member", rule(ALL, "in/"), rule(PUT, "in/")],
    ["one prefix within the other", rule(PUT, "in/"), rule(PUT, "in/2026/")],
    ["a rule with and one without filter", rule(PUT), rule(PUT, "in/", ".csv")],
    ["suffixes that end alike", rule(PUT, "", ".gz"), rule(PUT, "", ".csv.gz")],
  ])("%s: refused", (_what, one, other) => {
    expect(() => checkOverlaps([one, other])).toThrow(AwsError);
  });

  test.each([
    ["different events", rule(PUT), rule(["s3:ObjectRemoved:*"])],
    ["different prefixes", rule(PUT, "a/"), rule(PUT, "b/")],
    ["the same prefix, different suffixes", rule(PUT, "in/", ".csv"), rule(PUT, "in/", ".json")],
    ["the same suffix, different prefixes", rule(ALL, "a/", ".csv"), rule(ALL, "b/", ".csv")],
  ])("%s: accepted", (_what, one, other) => {
    expect(() => checkOverlaps([one, other])).not.toThrow();
  });
});

test.each([
  [rule(ALL, "in/", ".csv"), "s3:ObjectCreated:Copy", "in/a.csv", true],
  [rule(PUT, "in/", ".csv"), "s3:ObjectCreated:Copy", "in/a.csv", false],
  [rule(ALL, "in/", ".csv"), "s3:ObjectCreated:Put", "out/a.csv", false],
  [rule(ALL, "in/", ".csv"), "s3:ObjectCreated:Put", "in/a.json", false],
  [rule(ALL, "a b/é"), "s3:ObjectCreated:Put", "a b/é.csv", true],
  [rule(["s3:ObjectRemoved:*"]), "s3:ObjectCreated:Put", "x", false],
])("wants (case %#)", (one, event, key, expected) => {
  expect(isWanted(one, event, key)).toBe(expected);
});
