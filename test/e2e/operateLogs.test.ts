import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { LambdaClient, UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { expect, test } from "vitest";
import { SAMPLES, waitFor, workspace } from "./workspace.ts";

test("logs: what each file came to, what failed, everything of one run, and as it happens", {
  timeout: 120_000,
}, async () => {
  const { run, normalise, port, folder, endpoint } = await workspace();
  const story: string[] = [];
  const tell = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(args);
    const text = normalise(`$ minilake ${args.join(" ")}\n${stdout}--- stderr\n${stderr}--- exit code ${code}\n`);
    story.push(text.replace(/since \d{4}-\d\d-\d\dT\d\d:\d\dZ/g, "since <minute>"));
  };
  await run(["up", "--port", String(port)]);
  await tell("logs");
  await run(["ingest", join(SAMPLES, "transactions.csv")]);
  await tell("logs");
  await run(["reconcile", "--all"]);
  writeFileSync(join(folder, "undated.csv"), "id,name\n1,Ana\n");
  await run(["ingest", "undated.csv"]);
  await tell("logs", "curate", "--since", "1h");
  await tell("logs", "--errors");
  await tell("logs", "polish");
  await tell("logs", "--since", "yesterday");
  expect(story.join("\n")).toMatchSnapshot();

  const lines = (await run(["logs", "--json"])).stdout.trimEnd().split("\n");
  const outcome = lines.map((line) => JSON.parse(line)).find(({ kind }) => kind === "outcome");
  expect(outcome).toMatchObject({
    stage: "curate",
    level: "WARN",
    record: { key: "transactions.csv", rows_read: 5000 },
  });
  const one = await run(["logs", "--request", outcome.requestId]);
  expect(one.stdout.trimEnd().split("\n")).toEqual([
    expect.stringContaining(`run ${outcome.requestId}`),
    expect.stringContaining("done      transactions.csv  5,000 rows, 52 rejected"),
    expect.stringContaining("END RequestId"),
    expect.stringMatching(/ran .*, \d+ of 1,769 MB/),
  ]);

  const lambda = new LambdaClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  const FunctionName = "minilake-transactions-curate";
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Handler: "missing.handler" }));
  const followed = await run(["logs", "--follow", "--errors"], {
    meanwhile: async (soFar, kill) => {
      await run(["ingest", join(SAMPLES, "corrections.csv"), "--no-wait"]);
      await waitFor("the error in the log", () => /missing/.test(soFar.stdout) || undefined);
      kill("SIGINT");
    },
  });
  expect(followed).toMatchObject({ code: 130, stderr: "" });
  expect(followed.stdout).toMatch(/Z {2}.*missing/);
  expect((await run(["logs", "--errors"])).stdout).toMatch(/missing/);
  lambda.destroy();
  await run(["down"]);
});

test("metrics: runs, rows and durations, as a table and as JSON", { timeout: 120_000 }, async () => {
  const { run, port } = await workspace();
  await run(["up", "--port", String(port)]);
  const before = await run(["metrics"]);
  expect(before.stdout).toContain("No runs in this time.");
  await run(["ingest", SAMPLES]);
  // Metrics are written after the results they speak of.
  const { stages } = await waitFor("three runs", async () => {
    const report = JSON.parse((await run(["metrics", "--json"])).stdout);
    return report.stages[0].metrics.invocations.total === 3 && report.stages[0].memory ? report : undefined;
  });
  expect(stages[0]).toMatchObject({
    stage: "curate",
    metrics: {
      errors: { total: 0 },
      throttles: { total: 0 },
      rowsRead: { total: 5230 },
      rowsRejected: { total: 52 },
      durationP50: { total: expect.any(Number) },
      durationP95: { total: expect.any(Number) },
      lagP95: { total: expect.any(Number) },
    },
    memory: { sizeMb: 1769 },
  });
  const { invocations, durationP50, durationP95, durationMax } = stages[0].metrics;
  expect(invocations.series.reduce((sum: number, value: number | null) => sum + (value ?? 0), 0)).toBe(3);
  expect(durationP50.total).toBeLessThanOrEqual(durationP95.total);
  expect(durationP95.total).toBeLessThanOrEqual(durationMax.total);
  const { code, stdout } = await run(["metrics", "curate", "--since", "10m"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/rows rejected +52 \(1\.0 %\) +█/);
  expect((await run(["metrics", "--since", "tomorrow"])).code).toBe(2);
  await run(["down"]);
});
