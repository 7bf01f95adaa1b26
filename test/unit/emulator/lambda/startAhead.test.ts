import { readdirSync } from "node:fs";
import { join } from "node:path";
import { UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { describe, expect, test } from "vitest";
import { waitFor } from "../../../conformance/target.ts";
import { type LambdaEndpoint, lambdaEndpoint } from "./endpoint.ts";
import { call, createFunction, deliver } from "./functions.ts";

const environments = ({ folder }: LambdaEndpoint) => readdirSync(join(folder, "lambda/environments"));

const FUNCTIONS = {
  node: {
    files: {
      "index.mjs": `console.log("loaded");
        export const handler = async () => ({ argv: process.argv.slice(2), aws: Object.keys(process.env).includes("AWS_SESSION_TOKEN") });`,
    },
    options: {},
  },
  python: {
    files: {
      "app.py": `
import os, sys
print("loaded")
def handler(event, context):
    return {"argv": sys.argv[1:], "aws": "AWS_SESSION_TOKEN" in os.environ}
`,
    },
    options: { Runtime: "python3.12", Handler: "app.handler" },
  },
} as const;

describe.each(Object.entries(FUNCTIONS))("a %s function that was made", (_name, { files, options }) => {
  test("has an environment waiting, in which nothing of it runs before the first invocation", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, files, options);
    await waitFor(() => environments(endpoint).length === 1);
    const [waiting] = environments(endpoint);
    expect(endpoint.logs).toEqual([]);
    const first = await call(endpoint);
    expect(first.payload).toEqual({ argv: [], aws: true });
    expect(first.tail).toMatch(/^INIT_START .*\nloaded\n|^INIT_START .*\n.*\tINFO\tloaded\n/);
    expect(first.tail).toMatch(/Init Duration: [\d.]+ ms/);
    expect((await call(endpoint)).tail).not.toContain("loaded");
    expect(environments(endpoint)).toEqual([waiting]);
  });
});

test("a change of the function ends what waits for it, and another one waits", async () => {
  const endpoint = await lambdaEndpoint();
  await createFunction(endpoint, `export const handler = async () => process.env.STAGE;`);
  await waitFor(() => environments(endpoint).length === 1);
  const [before] = environments(endpoint);
  const Environment = { Variables: { STAGE: "changed" } };
  await endpoint.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: "f", Environment }));
  await waitFor(() => environments(endpoint).length === 1 && environments(endpoint)[0] !== before);
  expect((await call(endpoint)).payload).toBe("changed");
});

test("at most two wait, for the latest functions, and they leave room for others", async () => {
  const endpoint = await lambdaEndpoint({ concurrency: 2 });
  for (const FunctionName of ["f", "g", "h"]) {
    await createFunction(endpoint, `export const handler = async () => process.env.AWS_LAMBDA_FUNCTION_NAME;`, {
      FunctionName,
    });
  }
  await waitFor(() => environments(endpoint).length === 2);
  for (const FunctionName of ["f", "g", "h"]) {
    expect((await call(endpoint, {}, { FunctionName })).payload).toBe(FunctionName);
  }
  await waitFor(() => environments(endpoint).length <= 2);
});

test("an event behind an invocation that takes long gets an environment of its own", async () => {
  const endpoint = await lambdaEndpoint();
  await createFunction(
    endpoint,
    `export const handler = async ({ n }) => {
       console.log("event " + n);
       if (n === 1) await new Promise(() => setInterval(() => {}, 1000));
     };`,
    { Timeout: 60 },
  );
  await call(endpoint, { n: 0 });
  const started = () => endpoint.logs.flatMap(({ message }) => /event \d/.exec(message) ?? []).map(String);
  deliver(endpoint, { n: 1 });
  await waitFor(() => started().includes("event 1"));
  deliver(endpoint, { n: 2 });
  await waitFor(() => started().includes("event 2"));
});
