import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { GetFunctionCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { GetObjectCommand, ListBucketsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { zipOf } from "../conformance/lambdaPackages.ts";
import { waitFor } from "../conformance/target.ts";
import { answers, type ClientEndpoint, endpointForClient } from "./programs.ts";
import { terraformMirror } from "./terraformMirror.ts";

/*
 * The provider waits for most of this test's minutes: about 25 s until a queue's attributes have been the same for a while, and
 * as long as 55 s for a lifecycle configuration. The endpoint answers at once.
 */
const APPLY_MS = 240_000;
const TEST_MS = 600_000;

const mirror = terraformMirror();
const missing =
  "reason" in mirror ? mirror.reason : answers("python3", ["-c", "import boto3"]) ? undefined : "python3 has no boto3";

// Writes what it reads in upper case. boto3 is the machine's: it comes with Lambda's Python, and with no package here.
const CURATE = `
import json, os, urllib.parse
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        s3.put_object(Bucket=os.environ["CURATED"], Key="curated/" + key, Body=body.upper())
        print("curated", key, len(body), "bytes")
    return {"records": len(event["Records"]), "function": context.function_name}
`;
const HELLO = `exports.handler = async (event, context) => ({ hello: event.name, version: context.functionVersion });`;

describe.skipIf(missing !== undefined)(`Terraform's AWS provider${missing ? ` (skipped: ${missing})` : ""}`, () => {
  let e: ClientEndpoint;
  let terraform: (...args: string[]) => ReturnType<ClientEndpoint["run"]>;
  let s3: S3Client;
  let lambda: LambdaClient;

  beforeAll(async () => {
    e = await endpointForClient();
    const folder = join(e.folder, "lake");
    mkdirSync(folder);
    cpSync(join(dirname(fileURLToPath(import.meta.url)), "terraform/main.tf"), join(folder, "main.tf"));
    writeFileSync(join(e.folder, "python.zip"), await zipOf({ "curate.py": CURATE }));
    writeFileSync(join(e.folder, "node.zip"), await zipOf({ "index.js": HELLO }));
    const environment = {
      TF_VAR_endpoint: e.endpoint,
      TF_VAR_python_zip: join(e.folder, "python.zip"),
      TF_VAR_node_zip: join(e.folder, "node.zip"),
      TF_CLI_CONFIG_FILE: join(e.folder, "no-settings"),
      TF_IN_AUTOMATION: "true",
      TF_INPUT: "false",
      CHECKPOINT_DISABLE: "true",
    };
    terraform = (...args) => e.run("terraform", args, { cwd: folder, environment, timeoutMs: APPLY_MS });
    const keys = { accessKeyId: "test", secretAccessKey: "test" };
    s3 = new S3Client({ endpoint: e.endpoint, region: "us-east-1", credentials: keys, forcePathStyle: true });
    lambda = new LambdaClient({ endpoint: e.endpoint, region: "us-east-1", credentials: keys });
    const initialised = await terraform("init", "-no-color", `-plugin-dir=${"folder" in mirror ? mirror.folder : ""}`);
    expect(initialised).toMatchObject({ code: 0, stderr: "" });
  }, 120_000);

  afterAll(async () => {
    s3?.destroy();
    lambda?.destroy();
    await e?.close();
  });

  const expectNoChanges = async (...variables: string[]) => {
    const { code, stdout } = await terraform("plan", "-detailed-exitcode", "-no-color", ...variables);
    expect(stdout).toContain("No changes. Your infrastructure matches the configuration.");
    expect(code).toBe(0);
  };

  it("makes a lake, finds nothing to change, updates it in place, and removes it", { timeout: TEST_MS }, async () => {
    const applied = await terraform("apply", "-auto-approve", "-no-color", "-parallelism=30");
    expect(applied.stderr).toBe("");
    expect(applied.stdout).toMatch(/Apply complete! Resources: \d+ added, 0 changed, 0 destroyed/);
    expect(applied.stdout).toMatch(/account = "000000000000"/);
    expect(applied.stdout).toMatch(/node_version = "1"/);

    await expectNoChanges();

    const changed = await terraform("apply", "-auto-approve", "-no-color", "-parallelism=30", "-var=stage=two");
    expect(changed.stderr).toBe("");
    expect(changed.stdout).toMatch(/Apply complete! Resources: 0 added, [1-9]\d* changed, 0 destroyed/);
    expect(changed.stdout).toMatch(/node_version = "2"/);
    await expectNoChanges("-var=stage=two");

    await s3.send(new PutObjectCommand({ Bucket: "tf-raw", Key: "in/a b+ü.csv", Body: "id,name\n1,Anne\n" }));
    const output = await waitFor(
      async () => {
        const got = await s3.send(new GetObjectCommand({ Bucket: "tf-curated", Key: "curated/in/a b+ü.csv" }));
        return got.Body!.transformToString();
      },
      { what: "the Python function's output" },
    );
    expect(output).toBe("ID,NAME\n1,ANNE\n");

    const invoked = await lambda.send(
      new InvokeCommand({ FunctionName: "tf-node", Qualifier: "live", Payload: JSON.stringify({ name: "lake" }) }),
    );
    expect(JSON.parse(invoked.Payload!.transformToString())).toEqual({ hello: "lake", version: "2" });

    const destroyed = await terraform("destroy", "-auto-approve", "-no-color", "-parallelism=30", "-refresh=false");
    expect(destroyed).toMatchObject({ code: 0, stderr: "" });
    expect(destroyed.stdout).toMatch(/Destroy complete! Resources: \d+ destroyed/);
    expect((await s3.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
    await expect(lambda.send(new GetFunctionCommand({ FunctionName: "tf-python" }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });
});
