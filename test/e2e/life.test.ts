import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DeleteFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { clientOf, isListening, isRunning, SAMPLES, withoutWaiting, workspace } from "./workspace.ts";

const FILE = join(SAMPLES, "transactions.csv");

test("up, up again, ingest, verify, status, down: as a person sees it", { timeout: 120_000 }, async () => {
  const { run, normalise, port, folder, endpointPid } = await workspace();
  const story: string[] = [];
  const tell = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(args);
    const command = args.join(" ").replace(FILE, "transactions.csv");
    story.push(
      normalise(`$ minilake ${command}\n${stdout}--- stderr\n${withoutWaiting(stderr)}--- exit code ${code}\n`),
    );
  };
  await tell("plan", "--port", String(port));
  expect(existsSync(join(folder, ".minilake"))).toBe(false);
  await tell("up", "--port", String(port));
  await tell("up");
  await tell("ingest", FILE, "--explain");
  await tell("verify");
  await tell("status");
  const pid = endpointPid();
  await tell("down");
  await tell("down");
  expect(story.join("\n")).toMatchSnapshot();
  expect({
    process: pid !== undefined && isRunning(pid) && !isZombie(pid),
    port: await isListening(port),
    data: existsSync(join(folder, ".minilake")),
  }).toEqual({ process: false, port: false, data: false });
});

test("--json: each command prints one JSON document, and nothing else, on stdout", { timeout: 120_000 }, async () => {
  const { run, port } = await workspace();
  const json = async (...args: string[]) => {
    const { code, stdout } = await run([...args, "--json"]);
    return { code, value: JSON.parse(stdout) };
  };
  const planned = await json("plan", "--port", String(port), "--detailed-exitcode");
  expect(planned).toMatchObject({ code: 2, value: { lake: "transactions", changed: true } });
  const up = await json("up", "--port", String(port));
  expect(up).toMatchObject({
    code: 0,
    value: {
      backend: "embedded",
      endpoint: `http://127.0.0.1:${port}`,
      changed: true,
      buckets: { raw: "raw-transactions" },
    },
  });
  expect(await json("plan", "--detailed-exitcode")).toMatchObject({ code: 0, value: { changed: false } });
  const again = await json("up");
  expect(again.value.changed).toBe(false);
  expect(new Set(again.value.resources.map(({ change }: { change: string }) => change))).toEqual(
    new Set(["unchanged"]),
  );
  const fed = await json("ingest", SAMPLES);
  expect(fed).toMatchObject({ code: 0, value: { ok: true } });
  expect(
    fed.value.outcomes.map(({ key, receipts }: { key: string; receipts: { rows: object }[] }) => [
      key,
      receipts[0]?.rows,
    ]),
  ).toEqual([
    ["corrections.csv", expect.objectContaining({ read: 30, accepted: 30, rejected: 0 })],
    ["transactions-2026-10.csv", expect.objectContaining({ read: 200, accepted: 200, rejected: 0 })],
    ["transactions.csv", expect.objectContaining({ read: 5000, accepted: 4948, rejected: 52 })],
  ]);
  const verified = await json("verify");
  expect(verified).toMatchObject({
    code: 0,
    value: { ok: true, findings: [], totals: { rowsRead: 5230, rowsStored: 5178 } },
  });
  const status = await json("status");
  expect(status).toMatchObject({
    code: 0,
    value: { deadLetters: 0, stages: [{ backlog: { objects: 0 }, rows: { read: 5230 } }] },
  });
  expect(await json("down")).toMatchObject({ code: 0, value: { leftovers: [], left: [], stopped: true } });
});

test("what was changed behind the lake's back is found by verify and repaired by up", {
  timeout: 120_000,
}, async () => {
  const { run, port, endpoint } = await workspace();
  const settings = { endpoint, region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };
  await run(["up", "--port", String(port)]);
  await run(["ingest", join(SAMPLES, "corrections.csv")]);
  await clientOf(endpoint).send(
    new DeleteObjectCommand({ Bucket: "curated-transactions", Key: "dt_reference=2026-07-11/corrections.csv" }),
  );
  const verified = await run(["verify", "--timeout", "60s"]);
  expect(verified.code).toBe(1);
  expect(verified.stdout).toContain("dt_reference=2026-07-11/corrections.csv");
  await new LambdaClient(settings).send(new DeleteFunctionCommand({ FunctionName: "minilake-transactions-curate" }));
  const status = await run(["status"]);
  expect(status.stdout).toContain("Make what is missing: minilake up");
  const repaired = await run(["up"]);
  expect(repaired.stdout).toMatch(/function +minilake-transactions-curate +created/);
  await run(["reconcile", "--all"]);
  expect((await run(["verify"])).code).toBe(0);
  await run(["down"]);
});

test("a contract comes and goes on a lake with files: told in words, applied by reconcile, proved by verify", {
  timeout: 180_000,
}, async () => {
  const { run, port, folder } = await workspace();
  const define = (text: string) => writeFileSync(join(folder, "minilake.yaml"), text);
  const succeed = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(args);
    expect({ args, code, stderr: code === 0 ? "" : stderr }).toEqual({ args, code: 0, stderr: "" });
    return { stdout, stderr };
  };
  define(`port: ${port}\n`);
  await succeed("up");
  await succeed("ingest", FILE);

  define(`port: ${port}\ncontract: ${join(SAMPLES, "transactions.odcs.yaml")}\n`);
  const early = await succeed("status");
  expect(early.stderr).toContain("The lake was brought up with another definition (contract, partition)");
  const planned = await succeed("plan");
  expect(planned.stdout).toContain("! The lake gets the contract minilake-sample-transactions 1.0.0: validate checks");
  expect(planned.stdout).toContain("! 1 file in raw-transactions was made by the older definition and stays so.");
  await succeed("up");
  await succeed("reconcile");
  const checked = await succeed("verify");
  expect(checked.stdout).toContain("Nothing lost, nothing doubled.");
  const status = JSON.parse((await succeed("status", "--json")).stdout);
  expect(
    status.stages.map(({ stage, backlog }: { stage: string; backlog: { objects: number } }) => [
      stage,
      backlog.objects,
    ]),
  ).toEqual([
    ["validate", 0],
    ["curate", 0],
  ]);
  expect(status.deadLetters).toBe(0);

  define(`port: ${port}\n`);
  const without = await succeed("up");
  expect(without.stdout).toMatch(/function +minilake-transactions-validate +removed/);
  expect(without.stdout).toMatch(
    /bucket +trusted-transactions +kept: it holds 1 object; to remove it: minilake up --prune/,
  );
  await succeed("reconcile");
  const pruned = await succeed("up", "--prune");
  expect(pruned.stdout).toMatch(/bucket +trusted-transactions +removed/);
  expect((await succeed("verify")).stdout).toContain("Nothing lost, nothing doubled.");
  expect((await succeed("plan", "--detailed-exitcode")).stdout).toContain("is as it is defined");

  // A contract that is broken by now is in nobody's way.
  define(`port: ${port}\ncontract: gone.yaml\n`);
  expect((await run(["plan"])).code).toBe(2);
  expect((await succeed("down")).stdout).toContain("Nothing is left");
});

test("down --keep-data keeps the buckets, and up takes them up again", { timeout: 120_000 }, async () => {
  const { run, port } = await workspace();
  await run(["up", "--port", String(port)]);
  await run(["ingest", join(SAMPLES, "corrections.csv")]);
  const down = await run(["down", "--keep-data"]);
  expect({ code: down.code, kept: down.stdout.match(/bucket .*kept/g)?.length }).toEqual({ code: 0, kept: 4 });
  expect(await isListening(port)).toBe(false);
  expect((await run(["up"])).code).toBe(0);
  const verified = await run(["verify"]);
  expect(verified.stdout).toContain("30 rows of 1 raw object");
  expect(verified.code).toBe(0);
  await run(["down"]);
});

/** A process that has ended and whose parent, of a container say, has not asked for it yet. */
function isZombie(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
