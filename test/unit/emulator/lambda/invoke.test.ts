import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  GetFunctionCommand,
  InvokeCommand,
} from "@aws-sdk/client-lambda";
import { expect, test } from "vitest";
import { waitFor } from "../../../conformance/target.ts";
import { type LambdaEndpoint, lambdaEndpoint, ROLE, zipOf } from "./endpoint.ts";

const SOURCE = { service: "s3.amazonaws.com", arn: "arn:aws:s3:::raw", accountId: "000000000000" };
const ARN = "arn:aws:lambda:us-east-1:000000000000:function:f";

async function createNode(
  endpoint: LambdaEndpoint,
  code: string | Record<string, string>,
  options: Partial<CreateFunctionCommandInput> = {},
) {
  const ZipFile = await zipOf(typeof code === "string" ? { "index.mjs": code } : code);
  await endpoint.lambda.send(
    new CreateFunctionCommand({
      FunctionName: "f",
      Runtime: "nodejs20.x",
      Handler: "index.handler",
      Role: ROLE,
      Code: { ZipFile },
      ...options,
    }),
  );
  await waitFor(async () => {
    const { Configuration } = await endpoint.lambda.send(new GetFunctionCommand({ FunctionName: "f" }));
    return Configuration?.State === "Active";
  });
}

async function call(endpoint: LambdaEndpoint, payload: unknown = {}) {
  const answer = await endpoint.lambda.send(
    new InvokeCommand({ FunctionName: "f", Payload: JSON.stringify(payload), LogType: "Tail" }),
  );
  return {
    error: answer.FunctionError,
    payload: JSON.parse(Buffer.from(answer.Payload!).toString("utf8")),
    tail: Buffer.from(answer.LogResult ?? "", "base64").toString("utf8"),
    requestId: answer.$metadata.requestId,
    version: answer.ExecutedVersion,
  };
}

test("a function answers with what its handler returns", async () => {
  const endpoint = await lambdaEndpoint();
  await createNode(endpoint, `export const handler = async (event) => ({ got: event.n + 1 });`);
  const answer = await call(endpoint, { n: 41 });
  expect(answer).toMatchObject({ error: undefined, payload: { got: 42 }, version: "$LATEST" });
  expect(answer.tail).toMatch(
    /^INIT_START .*\nSTART RequestId: .*\nEND RequestId: .*\nREPORT RequestId: .*Init Duration: /,
  );
});

test("an S3 event that was delivered in a transaction runs the function, and what was undone does not", async () => {
  const endpoint = await lambdaEndpoint();
  await createNode(endpoint, `export const handler = async (event) => console.log("ran", event.key);`);
  expect(() =>
    endpoint.store.transaction(() => {
      endpoint.service.deliver(ARN, '{"key":"undone"}', SOURCE);
      throw new Error("undone");
    }),
  ).toThrow("undone");
  endpoint.store.transaction(() => endpoint.service.deliver(ARN, '{"key":"kept"}', SOURCE));
  await waitFor(() => endpoint.logs.some(({ message }) => message.startsWith("REPORT")));
  const lines = endpoint.logs.map(({ message }) => message);
  expect(lines.filter((line) => line.includes("\tINFO\tran"))).toEqual([expect.stringMatching(/\tran kept\n$/)]);
});
