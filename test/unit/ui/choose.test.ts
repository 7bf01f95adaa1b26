import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { MinilakeError } from "../../../src/errors.ts";
import { choose } from "../../../src/ui/choose.ts";
import { captureOutput } from "./capture.ts";

const otherwise = new MinilakeError("Usage", "Nobody said which.", { hint: "--which NAME" });

function terminalThatSays(text: string): NodeJS.ReadStream {
  const input = new PassThrough();
  input.end(text);
  return Object.assign(input, { isTTY: true }) as unknown as NodeJS.ReadStream;
}

function ask(answer: string, terminal = true) {
  const { output, written } = captureOutput({ terminal });
  const options = { otherwise, input: terminalThatSays(answer) };
  return { written, answer: choose(output, "Which one?", ["ordered", "shipped"], options) };
}

describe("a choice", () => {
  test.each([
    ["2\n", 1],
    ["ordered\n", 0],
    [" shipped \n", 1],
    ["3\n\nx\n".replace("x", "1"), 0],
  ])("answered with %j is %i", async (text, expected) => {
    const { written, answer } = ask(text);
    expect(await answer).toBe(expected);
    expect(written.stdout).toBe("");
    expect(written.stderr).toMatch(/^Which one\?\n {2}1 {2}ordered\n {2}2 {2}shipped\nNumber or name \[1-2\]: /);
  });

  test("three wrong answers, or none, are no choice", async () => {
    await expect(ask("0\n9\nx\n1\n").answer).rejects.toBe(otherwise);
    await expect(ask("").answer).rejects.toBe(otherwise);
  });

  test("that nobody can make is an error which names the option; nothing is asked", async () => {
    const { written, answer } = ask("1\n", false);
    await expect(answer).rejects.toBe(otherwise);
    expect(written.stderr).toBe("");
  });
});
