import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { isListening, waitFor, withoutWaiting, workspace } from "./workspace.ts";

test("demo tells the whole life of a lake and leaves nothing", { timeout: 120_000 }, async () => {
  const { run, folder } = await workspace();
  const { code, stdout, stderr } = await run(["demo"], { environment: { TMPDIR: folder } });
  expect({ code, stderr: withoutWaiting(stderr) }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("Nothing lost, nothing doubled.");
  expect(stdout).toContain("nothing is left");
  for (const command of ["up", "ingest", "verify", "down"]) expect(stdout).toContain(`$ minilake ${command}`);
  expect(readdirSync(folder)).toEqual([]);
  const port = Number(/--endpoint-url=http:\/\/127\.0\.0\.1:(\d+)/.exec(stdout)?.[1]);
  expect(await isListening(port)).toBe(false);
});

test("demo, interrupted, ends with 130 and leaves nothing", { timeout: 120_000 }, async () => {
  const { run, folder } = await workspace();
  const { code, stdout } = await run(["demo"], {
    environment: { TMPDIR: folder },
    meanwhile: async (soFar, kill) => {
      await waitFor("the second chapter", () => soFar.stdout.includes("2. Feed") || undefined);
      kill("SIGINT");
    },
  });
  expect(code).toBe(130);
  expect(stdout).not.toContain("8. Take it away");
  expect(readdirSync(folder)).toEqual([]);
});

test("demo --json is one document", { timeout: 120_000 }, async () => {
  const { run, folder } = await workspace();
  const { code, stdout } = await run(["demo", "--json"], { environment: { TMPDIR: folder } });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ verify: { ok: true }, nothingLeft: true });
});
