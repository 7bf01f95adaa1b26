import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { clientOf, SAMPLES, waitFor, withoutWaiting, workspace } from "./workspace.ts";

const CORRECTIONS = readFileSync(join(SAMPLES, "corrections.csv"), "utf8");

test("standard input, globs, prefixes and gzip become objects of the keys one expects", {
  timeout: 120_000,
}, async () => {
  const { run, folder, port, endpoint } = await workspace();
  await run(["up", "--port", String(port)]);
  writeFileSync(join(folder, "a b.csv"), CORRECTIONS);
  writeFileSync(join(folder, "ação.csv.gz"), gzipSync(CORRECTIONS));
  const piped = await run(["ingest", "-", "--key", "from/pipe.csv"], { input: CORRECTIONS });
  expect({ code: piped.code, stderr: withoutWaiting(piped.stderr) }).toEqual({ code: 0, stderr: "" });
  const unnamed = await run(["ingest", "-"], { input: CORRECTIONS });
  expect(unnamed).toEqual({
    code: 2,
    stdout: "",
    stderr: "✖ What comes from a pipe has no name to store it under.\n  Give it one: --key orders.csv\n",
  });
  const { code, stdout } = await run(["ingest", "*.csv*", "--prefix", "2026/", "--json"]);
  expect(code).toBe(0);
  const keys = JSON.parse(stdout).outcomes.map(({ key }: { key: string }) => key);
  expect(keys).toEqual(["2026/a b.csv", "2026/ação.csv.gz"]);
  const curated = await clientOf(endpoint).send(
    new GetObjectCommand({ Bucket: "curated-transactions", Key: "dt_reference=2026-07-11/2026/a b.csv" }),
  );
  expect(await curated.Body?.transformToString()).toContain("00095000,2026-07-11,ACC-0093");
  expect((await run(["verify"])).stdout).toContain("90 rows of 3 raw objects");
  await run(["down"]);
});

test("--no-wait returns with the upload; an overwrite replaces what came from the older version", {
  timeout: 120_000,
}, async () => {
  const { run, folder, port } = await workspace();
  await run(["up", "--port", String(port)]);
  const rows = (days: string[]) => `id,day\n${days.map((day, index) => `${index},${day}`).join("\n")}\n`;
  writeFileSync(join(folder, "days.csv"), rows(["2026-07-01", "2026-07-02", "2026-07-03"]));
  const first = await run(["ingest", "days.csv", "--no-wait"]);
  expect(first.code).toBe(0);
  expect(first.stdout).toContain("1 file uploaded to s3://raw-transactions/");
  await waitFor("an empty backlog", async () => {
    const { stages } = JSON.parse((await run(["status", "--json"])).stdout);
    return stages[0].backlog.objects === 0 || undefined;
  });
  writeFileSync(join(folder, "days.csv"), rows(["2026-07-02"]));
  expect((await run(["ingest", "days.csv"])).code).toBe(0);
  const verified = JSON.parse((await run(["verify", "--json"])).stdout);
  expect(verified.ok).toBe(true);
  expect(verified.partitions.map(({ partition }: { partition: string }) => partition)).toEqual(["2026-07-02"]);
  await run(["down"]);
});

test("events that are doubled, delayed and out of order change nothing", { timeout: 120_000 }, async () => {
  const { run, folder, port } = await workspace();
  const faults = "seed=11,duplicate=0.5,delay=0..200ms,reorder=0.5,throttle=0.2,slowdown=0.05";
  const up = await run(["up", "--port", String(port), "--faults", faults]);
  expect(up.code).toBe(0);
  for (let version = 0; version < 3; version++) {
    for (let file = 0; file < 5; file++) {
      const lines = Array.from(
        { length: 20 + file },
        (_, row) => `${file}-${row},2026-07-0${1 + ((row + version) % 4)}`,
      );
      writeFileSync(join(folder, `file-${file}.csv`), `id,day\n${lines.join("\n")}\n`);
    }
    const fed = await run(["ingest", "*.csv", ...(version < 2 ? ["--no-wait"] : [])]);
    expect({ version, code: fed.code }).toEqual({ version, code: 0 });
  }
  const verified = await run(["verify"]);
  expect(verified.stdout).toContain("✔ 110 rows of 5 raw objects");
  expect(verified.code).toBe(0);
  await run(["down"]);
});
