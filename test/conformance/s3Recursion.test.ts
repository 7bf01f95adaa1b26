import { AddPermissionCommand } from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  ListObjectVersionsCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LOGGING, makeFunction, makeRole } from "./lambdaPackages.ts";
import { type Target, target, waitFor } from "./target.ts";

const reports: string[] = [];
let t: Target;
beforeAll(async () => {
  t = await target({ report: (message) => reports.push(message) });
});
afterAll(() => t.close());

const WRITES_BACK = `
  import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
  const s3 = new S3Client({ endpoint: process.env.ENDPOINT, forcePathStyle: true });
  export const handler = ({ Records: [{ s3: { bucket, object } }] }) =>
    s3.send(new PutObjectCommand({ Bucket: bucket.name, Key: object.key, Body: "once more" }));
`;

/** The function with the AWS SDK inside, as one file. */
async function packaged(code: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    minify: true,
    platform: "node",
    format: "esm",
    mainFields: ["module", "main"],
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
  return outputFiles[0]!.text;
}

test("a function that writes to the bucket that triggers it is stopped after 16 rounds, and that is reported", async () => {
  const Bucket = t.uniqueName("loop");
  await t.s3.send(new CreateBucketCommand({ Bucket }));
  await t.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
  const FunctionName = await makeFunction(t, await packaged(WRITES_BACK), {
    Role: await makeRole(t, [...LOGGING, "s3:PutObject"]),
    Environment: { Variables: { ENDPOINT: t.endpoint } },
    Timeout: 20,
  });
  await t.lambda.send(
    new AddPermissionCommand({
      FunctionName,
      StatementId: "s3",
      Action: "lambda:InvokeFunction",
      Principal: "s3.amazonaws.com",
      SourceArn: `arn:aws:s3:::${Bucket}`,
      SourceAccount: t.accountId,
    }),
  );
  const LambdaFunctionArn = `arn:aws:lambda:${t.region}:${t.accountId}:function:${FunctionName}`;
  await t.s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket,
      NotificationConfiguration: {
        LambdaFunctionConfigurations: [{ LambdaFunctionArn, Events: ["s3:ObjectCreated:*"] }],
      },
    }),
  );
  await t.s3.send(new PutObjectCommand({ Bucket, Key: "again", Body: "first" }));
  const report = await waitFor(() => reports.find((one) => one.includes(FunctionName)), { timeoutMs: 30_000 });
  expect(report).toContain("was stopped after 16 rounds: what it writes triggers it again");
  const { Versions } = await t.s3.send(new ListObjectVersionsCommand({ Bucket }));
  expect(Versions).toHaveLength(1 + 16);
}, 60_000);
