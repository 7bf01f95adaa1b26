import { createHash } from "node:crypto";
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetAccountSettingsCommand,
  GetFunctionCodeSigningConfigCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  GetFunctionRecursionConfigCommand,
  GetRuntimeManagementConfigCommand,
  ListFunctionsCommand,
  ListTagsCommand,
  PublishLayerVersionCommand,
  PutFunctionRecursionConfigCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { invoke, makeFunction, makeRole, untilActive, zipOf } from "./lambdaPackages.ts";
import { type Target, target, waitFor } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

const CODE = `export const handler = async () => "one";`;
const arnOf = (name: string) => `arn:aws:lambda:${t.region}:${t.accountId}:function:${name}`;
const refused = (name: string, status: number, message?: string | RegExp) => ({
  name,
  $metadata: expect.objectContaining({ httpStatusCode: status }),
  ...(message === undefined ? {} : { message: typeof message === "string" ? message : expect.stringMatching(message) }),
});

describe("creating", () => {
  test("the answer is Pending, with AWS's defaults; Active follows with another revision", async () => {
    const FunctionName = t.uniqueName("function");
    const Role = await makeRole(t, []);
    const ZipFile = await zipOf({ "index.mjs": CODE });
    const created = await t.lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Runtime: "nodejs22.x",
        Handler: "index.handler",
        Role,
        Code: { ZipFile },
        Tags: { a: "1" },
      }),
    );
    const { $metadata, ...configuration } = created;
    expect($metadata.httpStatusCode).toBe(201);
    expect(configuration).toEqual({
      Architectures: ["x86_64"],
      CodeSha256: createHash("sha256").update(ZipFile).digest("base64"),
      CodeSize: ZipFile.length,
      Description: "",
      EphemeralStorage: { Size: 512 },
      FunctionArn: arnOf(FunctionName),
      FunctionName,
      Handler: "index.handler",
      LastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/),
      LoggingConfig: { LogFormat: "Text", LogGroup: `/aws/lambda/${FunctionName}` },
      MemorySize: 128,
      PackageType: "Zip",
      RevisionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      Role,
      Runtime: "nodejs22.x",
      RuntimeVersionConfig: { RuntimeVersionArn: expect.stringMatching(/^arn:aws:lambda:.*::runtime:[0-9a-f]{64}$/) },
      SnapStart: { ApplyOn: "None", OptimizationStatus: "Off" },
      State: "Pending",
      StateReason: "The function is being created.",
      StateReasonCode: "Creating",
      Timeout: 3,
      TracingConfig: { Mode: "PassThrough" },
      Version: "$LATEST",
    });
    await untilActive(t, FunctionName);
    const { Configuration, Code, Tags } = await t.lambda.send(new GetFunctionCommand({ FunctionName }));
    expect(Configuration).toMatchObject({ State: "Active", LastUpdateStatus: "Successful" });
    expect(Configuration?.RevisionId).not.toBe(created.RevisionId);
    expect(Configuration).not.toHaveProperty("StateReason");
    expect(Tags).toEqual({ a: "1" });
    expect(Code?.RepositoryType).toBe("S3");
    const download = await fetch(Code!.Location!);
    expect(Buffer.from(await download.arrayBuffer()).equals(ZipFile)).toBe(true);
    const forged = await fetch(Code!.Location!.replace(/.$/, (last) => (last === "0" ? "1" : "0")));
    expect(forged.status).toBe(403);
    await t.lambda.send(new DeleteFunctionCommand({ FunctionName }));
    await expect(t.lambda.send(new GetFunctionCommand({ FunctionName }))).rejects.toMatchObject(
      refused("ResourceNotFoundException", 404, `Function not found: ${arnOf(FunctionName)}`),
    );
  });

  test("everything that was set comes back as it was", async () => {
    const settings = {
      Description: "curates",
      Timeout: 30,
      MemorySize: 256,
      EphemeralStorage: { Size: 1024 },
      Environment: { Variables: { STAGE: "1" } },
      TracingConfig: { Mode: "PassThrough" as const },
      Architectures: ["x86_64" as const],
      LoggingConfig: { LogFormat: "JSON" as const, LogGroup: "/custom/group" },
    };
    const FunctionName = await makeFunction(t, CODE, settings);
    const configuration = await t.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    expect(configuration).toMatchObject({
      ...settings,
      LoggingConfig: { ...settings.LoggingConfig, ApplicationLogLevel: "INFO", SystemLogLevel: "INFO" },
    });
    const empty = await makeFunction(t, CODE, { Environment: {} });
    expect(await t.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: empty }))).toMatchObject({
      Environment: { Variables: {} },
    });
  });

  test("code in S3, and code that is not there", async () => {
    const Bucket = t.uniqueName("bundles");
    await t.s3.send(new CreateBucketCommand({ Bucket }));
    await t.s3.send(new PutObjectCommand({ Bucket, Key: "a/b.zip", Body: await zipOf({ "index.mjs": CODE }) }));
    const FunctionName = await makeFunction(t, {}, { Code: { S3Bucket: Bucket, S3Key: "a/b.zip" } });
    expect((await invoke(t, FunctionName)).payload).toBe("one");
    await expect(makeFunction(t, {}, { Code: { S3Bucket: Bucket, S3Key: "gone.zip" } })).rejects.toMatchObject(
      refused(
        "InvalidParameterValueException",
        400,
        "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.",
      ),
    );
  });

  test("what AWS refuses", async () => {
    const Role = await makeRole(t, []);
    const FunctionName = await makeFunction(t, CODE, { Role });
    const again = (options: object) => makeFunction(t, CODE, { Role, ...options });
    await expect(again({ FunctionName })).rejects.toMatchObject(
      refused("ResourceConflictException", 409, `Function already exist: ${FunctionName}`),
    );
    await expect(again({ Runtime: "nodejs99.x" })).rejects.toMatchObject(
      refused(
        "InvalidParameterValueException",
        400,
        /^Value nodejs99\.x at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: \[nodejs20\.x, .*\] or be a valid ARN$/,
      ),
    );
    await expect(again({ Role: "r1" })).rejects.toMatchObject(
      refused(
        "ValidationException",
        400,
        "1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+",
      ),
    );
    await expect(
      t.lambda.send(
        new CreateFunctionCommand({
          FunctionName: t.uniqueName("function"),
          Runtime: "nodejs22.x",
          Handler: "index.handler",
          Role: `arn:aws:iam::${t.accountId}:role/not-there`,
          Code: { ZipFile: await zipOf({ "index.mjs": CODE }) },
        }),
      ),
    ).rejects.toMatchObject(
      refused("InvalidParameterValueException", 400, "The role defined for the function cannot be assumed by Lambda."),
    );
    await expect(again({ Code: { ZipFile: Buffer.from("no zip") } })).rejects.toMatchObject(
      refused(
        "InvalidParameterValueException",
        400,
        "Could not unzip uploaded file. Please check your file, then try to upload again.",
      ),
    );
    await expect(again({ Environment: { Variables: { AWS_REGION: "x" } } })).rejects.toMatchObject(
      refused(
        "InvalidParameterValueException",
        400,
        /reserved keys that are currently not supported for modification\. Reserved keys used in this request: AWS_REGION$/,
      ),
    );
    await expect(again({ Environment: { Variables: { BIG: "x".repeat(4096) } } })).rejects.toMatchObject(
      refused("InvalidParameterValueException", 400, /exceeded the 4KB limit\. String measured: \{"BIG":"x+"\}$/),
    );
    await expect(again({ Architectures: ["x86_64", "arm64"] })).rejects.toMatchObject(
      refused(
        "ValidationException",
        400,
        /Value '\[x86_64, arm64\]' at 'architectures' failed to satisfy constraint: Member must have length less than or equal to 1$/,
      ),
    );
    await expect(again({ Timeout: 901 })).rejects.toMatchObject(
      refused(
        "ValidationException",
        400,
        /at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900$/,
      ),
    );
    await expect(again({ MemorySize: 127 })).rejects.toMatchObject(
      refused("ValidationException", 400, /at 'memorySize' .* greater than or equal to 128$/),
    );
    const huge = makeFunction(t, {}, { Role, Code: { ZipFile: Buffer.alloc(52_428_801) } });
    await expect(huge).rejects.toMatchObject(
      refused("RequestEntityTooLargeException", 413, "Zipped size must be smaller than 52428800 bytes"),
    );
  });

  test("a package without files, and tags that Lambda does not take, are refused", async () => {
    const Role = await makeRole(t, []);
    const again = (options: object) => makeFunction(t, CODE, { Role, ...options });
    const empty = refused("InvalidParameterValueException", 400, "Uploaded file must be a non-empty zip");
    await expect(again({ Code: { ZipFile: new Uint8Array() } })).rejects.toMatchObject(empty);
    await expect(again({ Code: { ZipFile: await zipOf({}) } })).rejects.toMatchObject(empty);
    const invalid = refused("InvalidParameterValueException", 400);
    await expect(again({ Tags: { "aws:own": "x" } })).rejects.toMatchObject(invalid);
    await expect(again({ Tags: { ["k".repeat(129)]: "x" } })).rejects.toMatchObject(invalid);
    await expect(again({ Tags: { k: "v".repeat(257) } })).rejects.toMatchObject(invalid);
    const tags = Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`k${n}`, "v"]));
    await expect(again({ Tags: tags })).rejects.toMatchObject(
      refused("InvalidParameterValueException", 400, "Number of tags exceeds resource tag limit."),
    );
  });

  test("names and ARNs that are too long, and a version that is to be deleted of no function", async () => {
    const Role = await makeRole(t, []);
    const long = "a".repeat(65);
    const tooLong = (value: string, limit: number) =>
      `1 validation error detected: Value '${value}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to ${limit}`;
    await expect(makeFunction(t, CODE, { Role, FunctionName: long })).rejects.toMatchObject(
      refused("InvalidParameterValueException", 400, tooLong(long, 64)),
    );
    const arn = arnOf("a".repeat(141 - arnOf("").length));
    await expect(makeFunction(t, CODE, { Role, FunctionName: arn })).rejects.toMatchObject(
      refused("ValidationException", 400, tooLong(arn, 140)),
    );
    await expect(
      t.lambda.send(new DeleteFunctionCommand({ FunctionName: "not-there", Qualifier: "1" })),
    ).rejects.toMatchObject(refused("ResourceNotFoundException", 404, `Function not found: ${arnOf("not-there")}`));
  });

  test.runIf((process.env.MINILAKE_TARGET ?? "embedded") === "embedded")(
    "what this endpoint does not do is refused by name",
    async () => {
      const Role = await makeRole(t, []);
      const make = (options: object) => makeFunction(t, CODE, { Role, ...options });
      await expect(make({ Runtime: "java21" })).rejects.toMatchObject(
        refused("NotImplemented", 501, /the Lambda runtime java21/),
      );
      await expect(make({ Layers: [`arn:aws:lambda:${t.region}:${t.accountId}:layer:l:1`] })).rejects.toMatchObject(
        refused("NotImplemented", 501, /lambda layers/),
      );
      await expect(make({ VpcConfig: { SubnetIds: ["subnet-1"] } })).rejects.toMatchObject(
        refused("NotImplemented", 501, /VpcConfig/),
      );
      await expect(
        t.lambda.send(new PublishLayerVersionCommand({ LayerName: "l", Content: { ZipFile: Buffer.from("x") } })),
      ).rejects.toMatchObject(refused("NotImplemented", 501, /lambda:PublishLayerVersion/));
    },
  );
});

describe("changing", () => {
  test("new code is InProgress, then runs; another revision is refused", async () => {
    const FunctionName = await makeFunction(t, CODE);
    expect((await invoke(t, FunctionName)).payload).toBe("one");
    const ZipFile = await zipOf({ "index.mjs": `export const handler = async () => "two";` });
    const updated = await t.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }));
    expect(updated).toMatchObject({
      State: "Active",
      LastUpdateStatus: "InProgress",
      LastUpdateStatusReason: "The function is being created.",
      LastUpdateStatusReasonCode: "Creating",
      CodeSha256: createHash("sha256").update(ZipFile).digest("base64"),
    });
    await untilActive(t, FunctionName);
    expect((await invoke(t, FunctionName)).payload).toBe("two");
    await expect(
      t.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile, RevisionId: updated.RevisionId })),
    ).rejects.toMatchObject(
      refused(
        "PreconditionFailedException",
        412,
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
      ),
    );
  });

  test("a second change while one is InProgress is refused", async () => {
    const FunctionName = await makeFunction(t, CODE);
    const change = (Timeout: number) =>
      t.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout }));
    // InProgress lasts a moment only: side by side, the second of a pair meets it sooner or later.
    const refusal = await waitFor(async () => {
      await untilActive(t, FunctionName);
      const outcomes = await Promise.allSettled([change(5), change(6)]);
      return outcomes.find((outcome) => outcome.status === "rejected")?.reason as unknown;
    });
    expect(refusal).toMatchObject(
      refused(
        "ResourceConflictException",
        409,
        `The operation cannot be performed at this time. An update is in progress for resource: ${arnOf(FunctionName)}`,
      ),
    );
  });

  test("DryRun changes nothing", async () => {
    const FunctionName = await makeFunction(t, CODE);
    const before = await t.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    const ZipFile = await zipOf({ "index.mjs": "export {}" });
    await t.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile, DryRun: true }));
    const after = await t.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    expect([after.CodeSha256, after.RevisionId]).toEqual([before.CodeSha256, before.RevisionId]);
  });

  test("a changed environment reaches the next invocation, and members that are absent stay", async () => {
    const FunctionName = await makeFunction(t, `export const handler = async () => process.env.STAGE ?? "none";`, {
      Environment: { Variables: { STAGE: "1" } },
      Timeout: 9,
    });
    expect((await invoke(t, FunctionName)).payload).toBe("1");
    await t.lambda.send(
      new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables: { STAGE: "2" } } }),
    );
    await untilActive(t, FunctionName);
    expect((await invoke(t, FunctionName)).payload).toBe("2");
    const configuration = await t.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    expect(configuration).toMatchObject({ Timeout: 9, Handler: "index.handler" });
    await t.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables: {} } }));
    await untilActive(t, FunctionName);
    expect((await invoke(t, FunctionName)).payload).toBe("none");
  });

  test("tags", async () => {
    const FunctionName = await makeFunction(t, CODE, { Tags: { a: "1" } });
    const Resource = arnOf(FunctionName);
    await t.lambda.send(new TagResourceCommand({ Resource, Tags: { b: "2", "with space": "ü" } }));
    await t.lambda.send(new UntagResourceCommand({ Resource, TagKeys: ["a"] }));
    const { Tags } = await t.lambda.send(new ListTagsCommand({ Resource }));
    expect(Tags).toEqual({ b: "2", "with space": "ü" });
    await expect(t.lambda.send(new ListTagsCommand({ Resource: `${Resource}:1` }))).rejects.toMatchObject(
      refused(
        "InvalidParameterValueException",
        400,
        "Tags on function aliases and versions are not supported. Please specify a function ARN.",
      ),
    );
    await expect(t.lambda.send(new TagResourceCommand({ Resource, Tags: {} }))).rejects.toMatchObject(
      refused("InvalidParameterValueException", 400, "An error occurred and the request cannot be processed."),
    );
    await expect(t.lambda.send(new ListTagsCommand({ Resource: "arn:aws:something" }))).rejects.toMatchObject(
      refused("ValidationException", 400),
    );
  });

  test("the small configurations", async () => {
    const FunctionName = await makeFunction(t, CODE);
    const signing = await t.lambda.send(new GetFunctionCodeSigningConfigCommand({ FunctionName }));
    expect([signing.FunctionName, signing.CodeSigningConfigArn]).toEqual([FunctionName, ""]);
    expect(await t.lambda.send(new GetRuntimeManagementConfigCommand({ FunctionName }))).toMatchObject({
      UpdateRuntimeOn: "Auto",
      FunctionArn: arnOf(FunctionName),
    });
    expect(await t.lambda.send(new GetFunctionRecursionConfigCommand({ FunctionName }))).toMatchObject({
      RecursiveLoop: "Terminate",
    });
    await t.lambda.send(new PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop: "Allow" }));
    expect(await t.lambda.send(new GetFunctionRecursionConfigCommand({ FunctionName }))).toMatchObject({
      RecursiveLoop: "Allow",
    });
    const { AccountLimit } = await t.lambda.send(new GetAccountSettingsCommand({}));
    expect(AccountLimit).toMatchObject({
      CodeSizeUnzipped: 262144000,
      CodeSizeZipped: 52428800,
      ConcurrentExecutions: 1000,
    });
  });
});

describe("finding", () => {
  test("lists come in pages, without states", async () => {
    const Role = await makeRole(t, []);
    const names = [];
    for (let n = 0; n < 3; n++) names.push(await makeFunction(t, CODE, { Role }));
    const found: string[] = [];
    let Marker: string | undefined;
    do {
      const page = await t.lambda.send(new ListFunctionsCommand({ MaxItems: 2, Marker }));
      expect(page.Functions!.length).toBeLessThanOrEqual(2);
      for (const { FunctionName, State, RuntimeVersionConfig } of page.Functions!) {
        found.push(FunctionName!);
        expect([State, RuntimeVersionConfig]).toEqual([undefined, undefined]);
      }
      Marker = page.NextMarker;
    } while (Marker);
    expect(found).toEqual(expect.arrayContaining(names));
  });

  test("by name, partial ARN and ARN; qualifiers that disagree; other regions", async () => {
    const name = await makeFunction(t, CODE);
    for (const FunctionName of [name, `${t.accountId}:function:${name}`, arnOf(name), `${arnOf(name)}:$LATEST`]) {
      const { Configuration } = await t.lambda.send(new GetFunctionCommand({ FunctionName }));
      expect(Configuration?.FunctionName).toBe(name);
    }
    await expect(
      t.lambda.send(new GetFunctionCommand({ FunctionName: `${name}:1`, Qualifier: "2" })),
    ).rejects.toMatchObject(
      refused(
        "InvalidParameterValueException",
        400,
        "The derived qualifier from the function name does not match the specified qualifier.",
      ),
    );
    await expect(
      t.lambda.send(new GetFunctionCommand({ FunctionName: arnOf(name).replace(t.region, "eu-west-3") })),
    ).rejects.toMatchObject(
      refused(
        "ResourceNotFoundException",
        404,
        `Functions from 'eu-west-3' are not reachable in this region ('${t.region}')`,
      ),
    );
    await expect(invoke(t, "not-there")).rejects.toMatchObject(
      refused("ResourceNotFoundException", 404, `Function not found: ${arnOf("not-there")}:$LATEST`),
    );
    await expect(t.lambda.send(new GetFunctionCommand({ FunctionName: name, Qualifier: "9" }))).rejects.toMatchObject(
      refused("ResourceNotFoundException", 404, `Function not found: ${arnOf(name)}:9`),
    );
  });

  test.runIf((process.env.MINILAKE_TARGET ?? "embedded") === "embedded")(
    "a function is still there, and Active, after a restart",
    async () => {
      const FunctionName = await makeFunction(t, CODE);
      expect((await invoke(t, FunctionName)).payload).toBe("one");
      await t.restart();
      const { Configuration } = await t.lambda.send(new GetFunctionCommand({ FunctionName }));
      expect(Configuration?.State).toBe("Active");
      expect((await invoke(t, FunctionName)).payload).toBe("one");
    },
  );
});
