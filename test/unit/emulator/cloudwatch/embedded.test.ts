import { describe, expect, it } from "vitest";
import { readEmbedded } from "../../../../src/emulator/cloudwatch/embedded.ts";

const TIMESTAMP = 1_800_000_000_000;
const directive = { Namespace: "lake", Dimensions: [["service"]], Metrics: [{ Name: "rows", Unit: "Count" }] };
const root = (more: object = {}, directives: unknown = [directive]) => ({
  _aws: { Timestamp: TIMESTAMP, CloudWatchMetrics: directives },
  service: "curate",
  rows: 42,
  note: "a field of the log",
  ...more,
});
const datum = {
  namespace: "lake",
  name: "rows",
  dimensions: { service: "curate" },
  unit: "Count",
  timestamp: TIMESTAMP,
  resolution: 60,
  values: [[42, 1]],
};

describe("readEmbedded", () => {
  it.each([
    ["a whole line", JSON.stringify(root())],
    ["a line with its end", `${JSON.stringify(root())}\n`],
    ["a line of Node's console", `2026-01-01T00:00:00.000Z\t8d3c-1\tINFO\t${JSON.stringify(root(), null, 1)}\n`],
  ])("reads %s", (_what, message) => {
    expect(readEmbedded(message)).toEqual([datum]);
  });

  it("makes one series per dimension set, with several values and high resolution", () => {
    const many = {
      Namespace: "lake",
      Dimensions: [["service"], [], ["service", "stage"]],
      Metrics: [{ Name: "rows" }, { Name: "ms", Unit: "Milliseconds", StorageResolution: 1 }],
    };
    const data = readEmbedded(JSON.stringify(root({ stage: "raw", ms: [1, 2.5] }, [many])));
    expect(data.map(({ name, dimensions }) => [name, dimensions])).toEqual([
      ["rows", { service: "curate" }],
      ["ms", { service: "curate" }],
      ["rows", {}],
      ["ms", {}],
      ["rows", { service: "curate", stage: "raw" }],
      ["ms", { service: "curate", stage: "raw" }],
    ]);
    expect(data[0]).toMatchObject({ unit: "None", resolution: 60 });
    expect(data[1]).toMatchObject({
      unit: "Milliseconds",
      resolution: 1,
      values: [
        [1, 1],
        [2.5, 1],
      ],
    });
  });

  it.each([
    ["no JSON", '"_aws" is mentioned'],
    ["damaged JSON", '{"_aws":'],
    ["no directives", JSON.stringify({ _aws: { Timestamp: TIMESTAMP } })],
    ["no time stamp", JSON.stringify({ ...root(), _aws: { CloudWatchMetrics: [directive] } })],
    ["a dimension that is missing", JSON.stringify(root({ service: undefined }))],
    ["a dimension that is a number", JSON.stringify(root({ service: 1 }))],
    ["a value that is text", JSON.stringify(root({ rows: "42" }))],
    ["more than 100 values", JSON.stringify(root({ rows: Array(101).fill(1) }))],
    ["an unknown unit", JSON.stringify(root({}, [{ ...directive, Metrics: [{ Name: "rows", Unit: "Rows" }] }]))],
    ["no namespace", JSON.stringify(root({}, [{ ...directive, Namespace: undefined }]))],
    ["101 metrics", JSON.stringify(root({}, [{ ...directive, Metrics: Array(101).fill({ Name: "rows" }) }]))],
  ])("finds nothing in a message with %s", (_what, message) => {
    expect(readEmbedded(message)).toEqual([]);
  });

  it("keeps the good directive beside a broken one", () => {
    expect(readEmbedded(JSON.stringify(root({}, [{ Namespace: "x" }, directive])))).toEqual([datum]);
  });
});
