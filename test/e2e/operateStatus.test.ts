import { join } from "node:path";
import { expect, test } from "vitest";
import { SAMPLES, waitFor, workspace } from "./workspace.ts";

test("status --watch without a terminal: a line for each change, until Ctrl-C", { timeout: 120_000 }, async () => {
  const { run, port } = await workspace();
  await run(["up", "--port", String(port)]);
  const watched = await run(["status", "--watch", "--interval", "50ms"], {
    meanwhile: async (soFar, kill) => {
      await waitFor("the first line", () => soFar.stdout.includes("\n") || undefined);
      await run(["ingest", join(SAMPLES, "corrections.csv")]);
      await waitFor("the rows", () => soFar.stdout.includes("curated 28 objects, 30 rows") || undefined);
      kill("SIGINT");
    },
  });
  expect(watched).toMatchObject({ code: 130, stderr: "" });
  const lines = watched.stdout.trimEnd().split("\n");
  expect(lines[0]).toMatch(
    /^\S+Z {2}raw 0 objects, 0 rows; curated 0 objects, 0 rows; quarantine 0 objects, 0 rows; backlog 0; dead letters 0$/,
  );
  expect(lines.at(-1)).toMatch(/raw 1 object, 30 rows; curated 28 objects, 30 rows; .*; backlog 0; dead letters 0$/);
  const changes = lines.map((line) => line.slice(line.indexOf(" ")));
  expect(changes.filter((line, index) => line === changes[index - 1])).toEqual([]);
  const json = await run(["status", "--watch", "--json"], {
    meanwhile: async (soFar, kill) => {
      await waitFor("a line", () => soFar.stdout.includes("\n") || undefined);
      kill("SIGINT");
    },
  });
  expect(JSON.parse(json.stdout)).toMatchObject({
    layers: [{ layer: "raw", rows: 30 }, { layer: "curated", rows: 30 }, {}, {}],
    partitions: expect.arrayContaining([expect.objectContaining({ day: "2026-07-11", objects: 1 })]),
  });
  await run(["down"]);
});
