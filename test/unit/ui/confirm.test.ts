import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { confirm } from "../../../src/ui/confirm.ts";
import { captureOutput } from "./capture.ts";

function terminalThatSays(text: string): NodeJS.ReadStream {
  const input = new PassThrough();
  input.end(text);
  return Object.assign(input, { isTTY: true }) as unknown as NodeJS.ReadStream;
}

describe("a question", () => {
  test.each([
    ["y\n", true],
    ["YES\n", true],
    ["\n", false],
    ["n\n", false],
    ["yeah\n", false],
  ])("answered with %j is %s", async (answer, expected) => {
    const { output, written } = captureOutput({ terminal: true });
    expect(await confirm(output, "Remove it?", { input: terminalThatSays(answer) })).toBe(expected);
    expect(written.stderr).toContain("Remove it? [y/N]");
    expect(written.stdout).toBe("");
  });

  test("that nobody can answer is an error which names the option", async () => {
    const { output } = captureOutput({ terminal: false });
    await expect(confirm(output, "Remove it?", { input: terminalThatSays("y\n") })).rejects.toMatchObject({
      code: "Usage",
      hint: expect.stringContaining("--yes"),
    });
  });
});
