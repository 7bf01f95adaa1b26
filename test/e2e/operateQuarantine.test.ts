import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SAMPLES, withoutWaiting, workspace } from "./workspace.ts";

test("quarantine: which rows, why, and what a change of the settings moves", { timeout: 120_000 }, async () => {
  const { run, normalise, port, folder } = await workspace();
  const story: string[] = [];
  const tell = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(args);
    story.push(
      normalise(`$ minilake ${args.join(" ")}\n${stdout}--- stderr\n${withoutWaiting(stderr)}--- exit code ${code}\n`),
    );
  };
  await run(["up", "--port", String(port)]);
  await tell("quarantine", "list");
  await tell("quarantine", "replay");
  writeFileSync(join(folder, "two-dates.csv"), "id,ordered,shipped\n1,2026-07-01,2026-07-03\n2,2026-07-02,soon\n");
  await run(["ingest", join(SAMPLES, "transactions.csv"), join(SAMPLES, "corrections.csv"), "two-dates.csv"]);
  await tell("quarantine");
  await tell("quarantine", "list", "--rule", "encoding");
  await tell("quarantine", "show", "transactions.csv", "--limit", "5");
  await tell("quarantine", "show", "transactions.csv", "--rule", "encoding", "--csv");
  await tell("quarantine", "show", "two-dates.csv");
  await tell("quarantine", "show", "corrections.csv");
  await tell("quarantine", "show", "transactions.csv", "--rule", "no-such-rule");
  await tell("quarantine", "replay");
  writeFileSync(join(folder, "minilake.yaml"), "partition: { column: shipped }\n");
  await run(["up"]);
  await tell("quarantine", "replay", "two-dates.csv");
  await tell("quarantine", "replay", "two-dates.csv");
  await tell("quarantine", "show", "two-dates.csv");
  expect(story.join("\n")).toMatchSnapshot();

  const listed = JSON.parse((await run(["quarantine", "list", "--json"])).stdout);
  expect(listed.files).toContainEqual(
    expect.objectContaining({ key: "two-dates.csv", whole: false, records: 1, byRule: { "partition-date": 1 } }),
  );
  const shown = JSON.parse((await run(["quarantine", "show", "transactions.csv", "--json"])).stdout);
  expect(shown.files[0].records).toHaveLength(52);
  const replayed = JSON.parse((await run(["quarantine", "replay", "two-dates.csv", "--json"])).stdout);
  expect(replayed).toMatchObject({
    ok: true,
    outcomes: [{ status: "done", before: { rows: { rejected: 1 } }, receipt: { rows: { rejected: 1 } } }],
  });
  expect((await run(["verify", "two-dates.csv"])).code).toBe(0);
  await run(["down"]);
});
