import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { clientOf, SAMPLES, withoutWaiting, workspace } from "./workspace.ts";

test("lost events are found, looked at and sent again", { timeout: 120_000 }, async () => {
  const { run, normalise, port, folder, endpoint } = await workspace();
  const story: string[] = [];
  const tell = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(args);
    story.push(
      normalise(`$ minilake ${args.join(" ")}\n${stdout}--- stderr\n${withoutWaiting(stderr)}--- exit code ${code}\n`),
    );
  };
  // S3 says nothing of what is stored.
  await run(["up", "--port", String(port), "--faults", "seed=1,drop=1"]);
  await run(["ingest", join(SAMPLES, "corrections.csv"), join(SAMPLES, "transactions.csv"), "--no-wait"]);
  await tell("reconcile", "--dry-run");
  await tell("reconcile");
  await tell("reconcile");
  expect((await run(["verify"])).code).toBe(0);
  // Other settings make other receipts.
  writeFileSync(join(folder, "minilake.yaml"), "partition: { timezone: America/Sao_Paulo }\n");
  await tell("reconcile", "corrections.csv");
  await run(["up"]);
  await tell("reconcile", "corrections.csv");
  await tell("reconcile", "--all");
  // Something else was at the lake's rows.
  const place = { Bucket: "curated-transactions", Key: "dt_reference=2026-07-11/corrections.csv" };
  const s3 = clientOf(endpoint);
  await s3.send(new DeleteObjectCommand(place));
  await tell("reconcile");
  s3.destroy();
  await tell("reconcile", "no-such-file.csv");
  await tell("reconcile", "--stage", "polish");
  await tell("reconcile", "--dry");
  expect(story.join("\n")).toMatchSnapshot();
  expect((await run(["verify"])).code).toBe(0);
  await run(["down"]);
});

test("a function that fails is said to, with what to do, and the event can be sent again", {
  timeout: 120_000,
}, async () => {
  const { run, port, endpoint } = await workspace();
  await run(["up", "--port", String(port), "--faults", "seed=1,drop=1"]);
  await run(["ingest", join(SAMPLES, "corrections.csv"), "--no-wait"]);
  const { LambdaClient, UpdateFunctionConfigurationCommand } = await import("@aws-sdk/client-lambda");
  const lambda = new LambdaClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  const FunctionName = "minilake-transactions-curate";
  // No such module: every run fails.
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Handler: "missing.handler" }));
  const failed = await run(["reconcile"]);
  expect(failed.code).toBe(1);
  expect(failed.stdout).toMatch(/corrections\.csv .*it has no receipt +failed/);
  expect(failed.stdout).toMatch(/✖ The function gave up on corrections\.csv: .*missing/);
  expect(failed.stdout).toContain("minilake dlq why");
  expect(failed.stdout).toContain("✖ 0 of 1 file processed, 1 not");
  await run(["up"]);
  const { code, stdout } = await run(["reconcile", "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: true,
    stages: [
      {
        stage: "curate",
        due: [{ key: "corrections.csv", reason: "no-receipt" }],
        outcomes: [{ status: "done", emitted: true, receipt: { rows: { read: 30 } } }],
      },
    ],
  });
  lambda.destroy();
  await run(["down"]);
});
