import { expect, test } from "vitest";
import { createSteps } from "../../../src/ui/steps.ts";
import { captureOutput } from "./capture.ts";

test("results go to stdout, progress and problems to stderr", () => {
  const { output, written } = captureOutput();
  output.print("result");
  output.note("progress");
  output.json({ rows: 1 }, true);
  expect(written).toEqual({ stdout: 'result\n{"rows":1}\n', stderr: "progress\n" });
});

test("a reader that has gone is not written to again; the other stream goes on", () => {
  const { output, written } = captureOutput();
  output.close(output.stdout);
  output.print("lost");
  output.note("kept");
  expect(written).toEqual({ stdout: "", stderr: "kept\n" });
});

test.each([
  [{ terminal: true }, true],
  [{ terminal: false }, false],
  [{ terminal: true, environment: { NO_COLOR: "1" } }, false],
  [{ terminal: true, environment: { NO_COLOR: "" } }, true],
  [{ terminal: false, environment: { FORCE_COLOR: "1" } }, true],
  [{ terminal: true, environment: { FORCE_COLOR: "0" } }, false],
  [{ terminal: true, environment: { TERM: "dumb" } }, false],
])("colours with %o: %s", async (options, expected) => {
  const { output } = captureOutput(options);
  expect(output.hasColours("stdout")).toBe(expected);
  expect((await output.colours("stdout")).red("x") !== "x").toBe(expected);
});

test("without a terminal each step is one plain line, written when it ends", async () => {
  const { output, written } = captureOutput();
  const steps = await createSteps(output);
  steps.start("Making buckets");
  steps.update("Making buckets: 2 of 4");
  expect(written.stderr).toBe("");
  steps.succeed("5 buckets made");
  steps.start("Waiting");
  steps.start("Deploying");
  steps.fail();
  steps.stop();
  expect(written).toEqual({ stdout: "", stderr: "✔ 5 buckets made\n✔ Waiting\n✖ Deploying\n" });
});
