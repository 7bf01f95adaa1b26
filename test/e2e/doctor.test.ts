import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { workspace } from "./workspace.ts";

interface Found {
  ok: boolean;
  checks: { name: string; state: string; found: string; advice?: string }[];
}

test("doctor says what is there and what to do about the rest", async () => {
  const { run, port, folder } = await workspace();
  const doctor = async (...args: string[]) => {
    const { code, stdout } = await run(["doctor", "--port", String(port), "--json", ...args]);
    const report = JSON.parse(stdout) as Found;
    return { code, ok: report.ok, of: (name: string) => report.checks.find((check) => check.name === name) };
  };
  const fresh = await doctor();
  expect({ code: fresh.code, ok: fresh.ok }).toEqual({ code: 0, ok: true });
  expect(fresh.of(`port ${port}`)).toMatchObject({ state: "ok", found: "free; minilake up starts the endpoint there" });
  expect(fresh.of("definition")).toMatchObject({ found: "lake transactions, defaults, no minilake.yaml" });
  const { stdout } = await run(["doctor", "--port", String(port)]);
  expect(stdout).toMatch(/^minilake \d+\.\d+\.\d+, the embedded endpoint at http:/);
  expect(stdout).toContain("✔ Everything that this lake needs is there.");

  const server = createServer().listen(port, "127.0.0.1");
  onTestFinished(() => void server.close());
  const taken = await doctor();
  expect(taken.of(`port ${port}`)).toMatchObject({ state: "bad", advice: `Stop it, or: --port ${port + 4}` });
  expect({ code: taken.code, ok: taken.ok }).toEqual({ code: 1, ok: false });

  writeFileSync(join(folder, "minilake.yaml"), "lake: sales\nformt: csv\n");
  const misspelt = await doctor();
  expect(misspelt.of("definition")).toMatchObject({
    state: "bad",
    found: 'minilake.yaml line 2, column 1: there is no setting "formt"',
    advice: "Did you mean format?",
  });
});

test("doctor of another endpoint asks it", async () => {
  const { run, port } = await workspace();
  const { code, stdout } = await run(["doctor", "--endpoint-url", `http://127.0.0.1:${port}`]);
  expect(code).toBe(1);
  expect(stdout).toContain(`nothing listens at http://127.0.0.1:${port}`);
});
