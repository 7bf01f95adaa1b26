import { spawn, spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Target, target } from "./target.ts";

const hasBoto3 = spawnSync("python3", ["-c", "import boto3"], { timeout: 20_000 }).status === 0;
if (!hasBoto3) console.warn("auth-boto3: skipped, because there is no python3 with boto3 here");

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

/** Runs a script that knows `client(service, **options)`; resolves with what it printed, as JSON. */
function python(script: string): Promise<unknown> {
  const prelude = `
import json, urllib.error, urllib.request
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
def client(service, key="test", secret="test", token=None, **config):
    return boto3.client(service, endpoint_url="${t.endpoint}", region_name="${t.region}", aws_access_key_id=key,
        aws_secret_access_key=secret, aws_session_token=token, config=Config(retries={"max_attempts": 1}, **config))
def refused(call):
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None
def fetch(url, **options):
    try:
        return urllib.request.urlopen(urllib.request.Request(url, **options), timeout=10).read().decode()
    except urllib.error.HTTPError as error:
        return error.code
`;
  return new Promise((resolve, reject) => {
    const child = spawn("python3", ["-c", prelude + script], { timeout: 25_000, stdio: ["ignore", "pipe", "pipe"] });
    const output: Record<"stdout" | "stderr", string> = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => {
      output.stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      output.stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(output.stdout));
      else reject(new Error(`python3 ended with ${code}:\n${output.stderr}`));
    });
  });
}

describe.runIf(hasBoto3)("boto3", () => {
  it("signs every kind of key, presigns with versions 4 and 2", async () => {
    const Bucket = t.uniqueName("bucket");
    const seen = await python(`
s3, v4, v2 = client("s3"), client("s3", signature_version="s3v4"), client("s3", signature_version="s3")
s3.create_bucket(Bucket="${Bucket}")
keys = ["a b+c.csv", "a//b", "./x", "a/../b", "%41", "ü/日本", "~!*'()&=+$,;:@#?.txt"]
answers = []
for key in keys:
    s3.put_object(Bucket="${Bucket}", Key=key, Body=key.encode(), Metadata={"note": "two  blanks"})
    read = s3.get_object(Bucket="${Bucket}", Key=key)["Body"].read().decode()
    params = {"Bucket": "${Bucket}", "Key": key}
    urls = [c.generate_presigned_url("get_object", Params=params) for c in (v4, v2)]
    answers.append([read == key] + [fetch(url) == key for url in urls] + [fetch(url + "0") for url in urls])
put = v4.generate_presigned_url("put_object", Params={"Bucket": "${Bucket}", "Key": "put", "ContentType": "text/csv"})
fetch(put, data=b"x", method="PUT", headers={"content-type": "text/csv"})
typed = s3.head_object(Bucket="${Bucket}", Key="put")["ContentType"]
noted = {"Bucket": "${Bucket}", "Key": "noted", "ContentType": "text/csv", "Metadata": {"note": "by url"}}
put = v2.generate_presigned_url("put_object", Params=noted)
fetch(put, data=b"x", method="PUT", headers={"content-type": "text/csv"})
head = s3.head_object(Bucket="${Bucket}", Key="noted")
print(json.dumps({"answers": answers, "typed": typed, "noted": [head["ContentType"], head["Metadata"]], "headerOfVersion2": refused(lambda: v2.list_buckets())}))
`);
    // Read, both presigned URLs; then each with a further digit at its end, of the signature (4) or of the expiry (2).
    const each = [true, true, true, 403, 403];
    expect(seen).toEqual({
      answers: Array(7).fill(each),
      typed: "text/csv",
      noted: ["text/csv", { note: "by url" }],
      headerOfVersion2: "InvalidRequest",
    });
  });

  it("makes a role, assumes it and is held to it", async () => {
    const role = t.uniqueName("role");
    const seen = await python(`
iam, sts = client("iam"), client("sts")
def document(statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
account = sts.get_caller_identity()["Account"]
made = iam.create_role(RoleName="${role}", AssumeRolePolicyDocument=document(
    {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}))["Role"]
iam.put_role_policy(RoleName="${role}", PolicyName="p", PolicyDocument=document(
    {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}))
c = sts.assume_role(RoleArn=made["Arn"], RoleSessionName="work")["Credentials"]
keys = dict(key=c["AccessKeyId"], secret=c["SecretAccessKey"], token=c["SessionToken"])
print(json.dumps({
    "arn": client("sts", **keys).get_caller_identity()["Arn"],
    "trust": iam.get_role(RoleName="${role}")["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"],
    "list": refused(lambda: client("s3", **keys).list_buckets()),
    "create": refused(lambda: client("s3", **keys).create_bucket(Bucket="${role}")),
    "iam": refused(lambda: client("iam", **keys).list_roles()),
    "sqs": refused(lambda: client("sqs", **keys).list_queues()),
    "wrongSecret": [refused(lambda: client(name, secret="x").get_caller_identity() if name == "sts" else
        client(name, secret="x").list_buckets()) for name in ("sts", "s3")],
}))
`);
    expect(seen).toMatchObject({
      arn: `arn:aws:sts::${t.accountId}:assumed-role/${role}/work`,
      trust: t.accountId,
      list: null,
      create: "AccessDenied",
      iam: "AccessDenied",
      sqs: expect.stringContaining("AccessDenied"),
      wrongSecret: ["SignatureDoesNotMatch", "SignatureDoesNotMatch"],
    });
  });
});
