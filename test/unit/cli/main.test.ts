import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { CommandContext } from "../../../src/cli/context.ts";
import { createProgram, main } from "../../../src/cli/main.ts";
import { captureOutput } from "../ui/capture.ts";

async function minilake(...argv: string[]) {
  const { output, written } = captureOutput();
  const context: CommandContext = {
    output,
    environment: {},
    cwd: "/nowhere",
    stdin: Readable.from([]),
    signal: new AbortController().signal,
    exitCode: 0,
  };
  return { code: await main(argv, context), ...written, context };
}

test("--version prints the version alone", async () => {
  const { code, stdout, stderr } = await minilake("--version");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("help: on stdout, with nothing typed, --help or help", async () => {
  const { code, stdout, stderr } = await minilake();
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatchSnapshot();
  expect((await minilake("--help")).stdout).toBe(stdout);
  expect((await minilake("help")).stdout).toBe(stdout);
});

describe("wrong usage ends with 2 and says the one line that matters", () => {
  test.each([
    [["ingset"], "✖ minilake: unknown command 'ingset'.\n  Did you mean ingest? See: minilake --help\n"],
    [
      ["emulator", "--prot", "1"],
      "✖ minilake emulator: unknown option '--prot'.\n  Did you mean --port? See: minilake emulator --help\n",
    ],
    [["--bakend"], "✖ minilake: unknown option '--bakend'.\n  See: minilake --help\n"],
    [
      ["emulator", "--port", "99999"],
      "✖ minilake emulator: --port 99999: a port is a whole number from 0 (any free one) to 65535.\n  See: minilake emulator --help\n",
    ],
  ])("%j", async (argv, expected) => {
    const { code, stdout, stderr } = await minilake(...argv);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: "", stderr: expected });
  });

  test("with --json the error is JSON on stdout as well", async () => {
    const { code, stdout } = await minilake("emulator", "--json", "--port", "x");
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: "Usage",
        message: "minilake emulator: --port x: a port is a whole number from 0 (any free one) to 65535.",
        hint: "See: minilake emulator --help",
      },
    });
  });
});

describe("every command's help", async () => {
  const { context } = await minilake("--version");
  const names = createProgram(context).commands.map((command) => command.name());
  test.each(names.filter((name) => name !== "help"))("%s: purpose, options, examples", async (name) => {
    const { code, stdout, stderr } = await minilake(name, "--help");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatchSnapshot();
    expect(stdout).toMatch(/\nExamples:\n {2}.*minilake /);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });
});
