import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { LambdaClient, UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { expect, onTestFinished, test } from "vitest";
import { withoutWaiting, workspace } from "./workspace.ts";

const FunctionName = "minilake-transactions-curate";

/** A lake, and a way to break its function: `up` mends it. */
async function breakableLake() {
  const place = await workspace();
  const lambda = new LambdaClient({
    endpoint: place.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  onTestFinished(() => lambda.destroy());
  await place.run(["up", "--port", String(place.port)]);
  for (const name of ["one.csv", "two.csv"]) writeFileSync(join(place.folder, name), "id,day\n1,2026-07-01\n");
  return {
    ...place,
    // No such module: every run fails.
    breakFunction: () => lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Handler: "gone.handler" })),
    deadLetters: async () => JSON.parse((await place.run(["dlq", "list", "--json"])).stdout),
  };
}

test("dead letters: why, and sent again once the cause is mended", { timeout: 120_000 }, async () => {
  const { run, normalise, breakFunction, deadLetters } = await breakableLake();
  const story: string[] = [];
  const tell = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(args);
    const text = `$ minilake ${args.join(" ")}\n${stdout}--- stderr\n${withoutWaiting(stderr)}--- exit code ${code}\n`;
    story.push(
      normalise(text)
        .replaceAll(/of version \S+/g, "of version <version>")
        .replaceAll(/(Cannot find module 'gone').*/g, "$1")
        .replaceAll(/(?: {4}<instant> {2}(?:ran .*|Runtime\.ImportModuleError.*)\n)+/g, "    <lines of the log>\n"),
    );
  };
  await tell("dlq");
  await breakFunction();
  expect((await run(["ingest", "one.csv"])).code).toBe(1);
  await tell("dlq", "list");
  await tell("dlq", "why");
  await tell("dlq", "why", "two.csv");
  await tell("dlq", "replay");
  // It failed again: there is one message about it, as before.
  expect(await deadLetters()).toMatchObject({
    count: 1,
    letters: [{ objects: [{ key: "one.csv", upToDate: false }] }],
  });
  await run(["up"]);
  await tell("dlq", "replay", "one.csv");
  await tell("dlq", "replay");
  expect(story.join("\n")).toMatchSnapshot();
  expect(await deadLetters()).toMatchObject({ count: 0, letters: [] });
  expect((await run(["verify"])).stdout).toContain("1 row of 1 raw object = 1 in 1 partition");
  await run(["down"]);
});

test("a dead letter of a file that is in the lake by now is only taken out; purge asks first", {
  timeout: 120_000,
}, async () => {
  const { run, breakFunction, deadLetters } = await breakableLake();
  await breakFunction();
  await Promise.all([run(["ingest", "one.csv"]), run(["ingest", "two.csv"])]);
  expect(await deadLetters()).toMatchObject({ count: 2 });
  // Looking has put them back.
  expect(await deadLetters()).toMatchObject({ count: 2, letters: [{ event: "ObjectCreated:Put" }, {}] });
  await run(["up"]);
  await run(["reconcile", "one.csv"]);
  expect((await run(["dlq", "list", "one.csv"])).stdout).toMatch(/one\.csv +ObjectCreated:Put +in the lake/);
  const replayed = await run(["dlq", "replay", "one.csv"]);
  expect(replayed.stdout).toMatch(/one\.csv +up to date already +taken out/);
  expect(await deadLetters()).toMatchObject({
    count: 1,
    letters: [{ objects: [{ key: "two.csv", upToDate: false }] }],
  });
  const asked = await run(["dlq", "purge"]);
  expect(asked).toMatchObject({
    code: 2,
    stdout: "",
    stderr:
      '✖ Delete 1 dead letter of the lake "transactions"? 1 of them speaks of files that are not in the lake. There is no terminal to ask on.\n' +
      "  Look at what would be deleted with: minilake dlq list. Then run this command again with --yes.\n",
  });
  expect(await deadLetters()).toMatchObject({ count: 1 });
  expect((await run(["dlq", "purge", "--yes"])).stdout).toBe(
    "✔ 1 dead letter deleted.\n  What they were about is not in the lake yet: minilake reconcile\n",
  );
  expect((await run(["dlq", "purge"])).stdout).toBe("✔ The dead-letter queue is empty.\n");
  expect((await run(["reconcile"])).stdout).toMatch(/two\.csv .*it has no receipt +done, 1 row/);
  await run(["down"]);
});
