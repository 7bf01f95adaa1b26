import {
  type CreateFunctionCommandInput,
  InvokeCommand,
  type InvokeCommandInput,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  type UpdateFunctionConfigurationCommandInput,
} from "@aws-sdk/client-lambda";
import { describe, expect, test } from "vitest";
import { lambdaEndpoint, zipOf } from "./endpoint.ts";
import { createFunction } from "./functions.ts";

const CODE = `export const handler = async () => 1;`;
const KEY = "arn:aws:kms:us-east-1:000000000000:key/1";
const isArm = process.arch === "arm64";

const unsupported = (member: string) => ({
  name: "NotImplemented",
  message: expect.stringContaining(member),
  $metadata: { httpStatusCode: 501 },
});

describe("members that would have no effect are refused by name", () => {
  const settings: [string, Partial<UpdateFunctionConfigurationCommandInput>][] = [
    ["KMSKeyArn", { KMSKeyArn: KEY }],
    ["TracingConfig", { TracingConfig: { Mode: "Active" } }],
  ];
  test.each(settings)("%s", async (member, options) => {
    const endpoint = await lambdaEndpoint();
    await expect(createFunction(endpoint, CODE, options as Partial<CreateFunctionCommandInput>)).rejects.toMatchObject(
      unsupported(member),
    );
    await createFunction(endpoint, CODE, { TracingConfig: { Mode: "PassThrough" }, KMSKeyArn: "" });
    const update = new UpdateFunctionConfigurationCommand({ FunctionName: "f", ...options });
    await expect(endpoint.lambda.send(update)).rejects.toMatchObject(unsupported(member));
  });

  test("of code and versions", async () => {
    const endpoint = await lambdaEndpoint();
    const ZipFile = await zipOf({ "index.mjs": CODE });
    const PublishTo = "LATEST_PUBLISHED" as const;
    for (const options of [{ PublishTo }, { Code: { ZipFile, SourceKMSKeyArn: KEY } }]) {
      const member = "PublishTo" in options ? "PublishTo" : "SourceKMSKeyArn";
      await expect(createFunction(endpoint, CODE, options)).rejects.toMatchObject(unsupported(member));
    }
    await createFunction(endpoint, CODE);
    const code = { FunctionName: "f", ZipFile };
    for (const [member, command] of [
      ["PublishTo", new UpdateFunctionCodeCommand({ ...code, PublishTo })],
      ["SourceKMSKeyArn", new UpdateFunctionCodeCommand({ ...code, SourceKMSKeyArn: KEY })],
    ] as const) {
      await expect(endpoint.lambda.send(command)).rejects.toMatchObject(unsupported(member));
    }
    await expect(
      endpoint.lambda.send(new PublishVersionCommand({ FunctionName: "f", PublishTo })),
    ).rejects.toMatchObject(unsupported("PublishTo"));
  });

  test.skipIf(isArm)("an architecture that this machine is not", async () => {
    const endpoint = await lambdaEndpoint();
    await expect(createFunction(endpoint, CODE, { Architectures: ["arm64"] })).rejects.toMatchObject(
      unsupported("Architectures"),
    );
  });

  const calls: [string, Partial<InvokeCommandInput>][] = [
    ["TenantId", { TenantId: "blue" }],
    ["DurableExecutionName", { DurableExecutionName: "once" }],
  ];
  test.each(calls)("Invoke's %s", async (member, options) => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, CODE);
    for (const InvocationType of ["RequestResponse", "Event", "DryRun"] as const) {
      const command = new InvokeCommand({ FunctionName: "f", InvocationType, ...options });
      await expect(endpoint.lambda.send(command)).rejects.toMatchObject(unsupported(member));
    }
  });
});
