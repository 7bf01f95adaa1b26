import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SAMPLES, waitFor, workspace } from "./workspace.ts";

test("what the lake has already is skipped and said so; --dry-run, --again and --junit", {
  timeout: 120_000,
}, async () => {
  const { run, port, folder, normalise } = await workspace();
  expect(await run(["up", "--port", String(port)])).toMatchObject({ code: 0 });
  const before = await run(["ingest", SAMPLES, "--dry-run"]);
  expect(normalise(before.stdout)).toContain(
    "3 files, 411 KiB, would go to s3://raw-transactions/. Nothing was uploaded.",
  );
  expect(await run(["ingest", SAMPLES, "--junit", "results.xml"])).toMatchObject({ code: 0 });
  expect(readFileSync(join(folder, "results.xml"), "utf8")).toContain('tests="3" failures="0"');

  const again = await run(["ingest", SAMPLES]);
  expect(again.code).toBe(0);
  expect(again.stdout).toContain("5,230 rows read = 5,178 in 120 partitions + 52 in quarantine");
  expect(again.stdout).toContain(
    "All of them were in the lake already with the same content, and not uploaded again (--again does).",
  );
  const dry = JSON.parse((await run(["ingest", SAMPLES, "--dry-run", "--json"])).stdout);
  expect(dry.files.map(({ received }: { received: boolean }) => received)).toEqual([true, true, true]);
  const forced = JSON.parse((await run(["ingest", SAMPLES, "--again", "--json"])).stdout);
  expect(forced.outcomes.map(({ received }: { received: boolean }) => received)).toEqual([false, false, false]);
  expect(await run(["verify"])).toMatchObject({ code: 0 });
});

test("--watch ingests files as they become complete, until Ctrl-C", { timeout: 120_000 }, async () => {
  const { run, port, folder } = await workspace();
  expect(await run(["up", "--port", String(port)])).toMatchObject({ code: 0 });
  expect(await run(["ingest", "--watch", "drops"])).toMatchObject({
    code: 1,
    stderr: "✖ drops is no folder that can be watched.\n  Make it: mkdir -p drops\n",
  });
  const drops = join(folder, "drops");
  mkdirSync(drops);
  const file = join(drops, "growing.csv");
  writeFileSync(file, "");
  const watched = await run(["ingest", "--watch", "drops"], {
    meanwhile: async (soFar, kill) => {
      await waitFor("the watch to begin", () => soFar.stderr.includes("Watching drops") || undefined);
      writeFileSync(join(drops, ".hidden.csv"), "id,day\n1,2026-01-01\n");
      appendFileSync(file, "id,day\n1,2026-01-01\n2,2026-01-02\n");
      await waitFor("the first file", () => soFar.stdout.includes("growing.csv") || undefined);
      renameSync(join(drops, ".hidden.csv"), join(drops, "renamed.csv"));
      await waitFor("the second file", () => soFar.stdout.includes("renamed.csv") || undefined);
      kill("SIGINT");
    },
  });
  expect(watched.stdout.replace(/ {2}in .*$/gm, "")).toBe(
    "✔ growing.csv  33 B  2 of 2 rows\n✔ renamed.csv  20 B  1 of 1 rows\n",
  );
  expect(watched.stderr).toContain("Watched drops: 2 files were ingested.");
});
