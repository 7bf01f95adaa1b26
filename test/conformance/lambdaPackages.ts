import { createRequire } from "node:module";
import { PassThrough } from "node:stream";
import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  DeleteFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  type InvokeCommandInput,
} from "@aws-sdk/client-lambda";
import type { Archiver } from "archiver";
import { onTestFinished } from "vitest";
import { type Target, waitFor } from "./target.ts";

// Its types are of another major version than itself.
const archiver = createRequire(import.meta.url)("archiver") as (format: "zip", options: object) => Archiver;

/** A deployment package of these files. */
export async function zipOf(files: Record<string, string | Buffer>): Promise<Buffer> {
  const archive = archiver("zip", { zlib: { level: 6 } });
  const out = new PassThrough();
  archive.pipe(out);
  for (const [name, content] of Object.entries(files)) archive.append(content, { name });
  const chunks: Buffer[] = [];
  out.on("data", (chunk: Buffer) => chunks.push(chunk));
  await archive.finalize();
  return Buffer.concat(chunks);
}

/** A role that `service` may assume, allowed to do `actions` on everything; removed when the test ends. Returns its ARN. */
export async function makeRole(t: Target, actions: string[], service = "lambda.amazonaws.com"): Promise<string> {
  const RoleName = t.uniqueName("role");
  const { Role } = await t.iam.send(
    new CreateRoleCommand({
      RoleName,
      AssumeRolePolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
      }),
    }),
  );
  if (actions.length > 0) {
    await t.iam.send(
      new PutRolePolicyCommand({
        RoleName,
        PolicyName: "allowed",
        PolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }],
        }),
      }),
    );
  }
  onTestFinished(async () => {
    if (actions.length > 0) await t.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: "allowed" }));
    await t.iam.send(new DeleteRoleCommand({ RoleName }));
  });
  return Role!.Arn!;
}

export const LOGGING = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"];

/** Makes a Node function and waits until it is Active; removed when the test ends. Returns its name. */
export async function makeFunction(
  t: Target,
  code: string | Record<string, string>,
  options: Partial<CreateFunctionCommandInput> = {},
): Promise<string> {
  const FunctionName = options.FunctionName ?? t.uniqueName("function");
  const ZipFile = await zipOf(typeof code === "string" ? { "index.mjs": code } : code);
  const input = {
    FunctionName,
    Runtime: "nodejs22.x" as const,
    Handler: "index.handler",
    Role: options.Role ?? (await makeRole(t, LOGGING)),
    Code: { ZipFile },
    ...options,
  };
  // A new role cannot be assumed everywhere at once; anything else is the test's to see.
  let failure: unknown;
  await waitFor(
    () =>
      t.lambda.send(new CreateFunctionCommand(input)).catch((error: Error) => {
        if (error.message.includes("cannot be assumed by Lambda")) return undefined;
        failure = error;
        return true;
      }),
    { timeoutMs: 60_000, what: "the role to be assumable" },
  );
  if (failure) throw failure;
  onTestFinished(async () => {
    await t.lambda.send(new DeleteFunctionCommand({ FunctionName })).catch(() => undefined);
  });
  await untilActive(t, FunctionName);
  return FunctionName;
}

export async function untilActive(t: Target, FunctionName: string): Promise<void> {
  await waitFor(
    async () => {
      const { Configuration } = await t.lambda.send(new GetFunctionCommand({ FunctionName }));
      return Configuration?.State === "Active" && Configuration.LastUpdateStatus === "Successful";
    },
    { timeoutMs: 60_000, what: `${FunctionName} to be Active` },
  );
}

export async function invoke(
  t: Target,
  FunctionName: string,
  payload: unknown = {},
  options: Partial<InvokeCommandInput> = {},
) {
  const answer = await t.lambda.send(
    new InvokeCommand({ FunctionName, Payload: JSON.stringify(payload), LogType: "Tail", ...options }),
  );
  return {
    status: answer.StatusCode,
    error: answer.FunctionError,
    payload: JSON.parse(Buffer.from(answer.Payload ?? "null").toString("utf8") || "null"),
    tail: Buffer.from(answer.LogResult ?? "", "base64").toString("utf8"),
    version: answer.ExecutedVersion,
  };
}
