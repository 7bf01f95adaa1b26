import { mkdtempSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateRoleCommand, IAMClient, ListRolesCommand } from "@aws-sdk/client-iam";
import { LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../src/emulator/server.ts";
import { refusal, trust } from "./policies.ts";
import { type Target, target } from "./target.ts";

let t: Target;
let bucket: string;
beforeAll(async () => {
  t = await target();
  bucket = t.uniqueName("bucket");
  await t.s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await t.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "k", Body: "hello" }));
});
afterAll(() => t.close());

const onlyEmbedded = (process.env.MINILAKE_TARGET ?? "embedded") === "embedded";

type Options = {
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  systemClockOffset?: number;
  region?: string;
};

/** The same harmless call to each service, with these credentials. */
function calls(options: Options, endpoint = t.endpoint) {
  const client = { endpoint, region: t.region, maxAttempts: 1, ...options };
  return {
    s3: () => new S3Client({ ...client, forcePathStyle: true }).send(new ListBucketsCommand({})),
    iam: () => new IAMClient(client).send(new ListRolesCommand({})),
    sts: () => new STSClient(client).send(new GetCallerIdentityCommand({})),
    sqs: () => new SQSClient(client).send(new ListQueuesCommand({})),
    lambda: () => new LambdaClient(client).send(new ListFunctionsCommand({})),
    logs: () => new CloudWatchLogsClient(client).send(new DescribeLogGroupsCommand({})),
  };
}

const isJson = (service: string) => service === "lambda" || service === "logs";
/** JSON services other than the REST ones answer 400 to every caller's mistake. */
const statusOf = (service: string) => (service === "logs" ? 400 : 403);

/** A plain request, unsigned unless the URL or the headers are. */
function send(
  url: string,
  options: { method?: string; headers?: Record<string, string | string[]>; body?: string } = {},
) {
  const { hostname, port, origin } = new URL(url);
  // Not URL's own path, which has no dot segments any more.
  const path = url.slice(origin.length);
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const { method = "GET", headers = {} } = options;
    const outgoing = httpRequest({ hostname, port, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    outgoing.on("error", reject);
    outgoing.end(options.body);
  });
}

describe.runIf(onlyEmbedded)("signatures", () => {
  it("every region is accepted", async () => {
    for (const region of ["us-east-1", "ap-southeast-2"]) {
      for (const call of Object.values(calls({ credentials: t.credentials, region }))) await call();
    }
  });

  it("a wrong secret", async () => {
    const { s3, ...others } = calls({ credentials: { accessKeyId: "test", secretAccessKey: "wrong" } });
    const refused = await refusal(s3());
    expect(refused).toMatchObject({
      name: "SignatureDoesNotMatch",
      status: 403,
      message:
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    });
    expect(refused.error).toMatchObject({
      AWSAccessKeyId: "test",
      SignatureProvided: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(refused.error.StringToSign).toMatch(/^AWS4-HMAC-SHA256\n\d{8}T\d{6}Z\n/);
    expect(refused.error.CanonicalRequest).toMatch(/^GET\n\/\n/);
    for (const [service, call] of Object.entries(others)) {
      expect(await refusal(call())).toMatchObject({
        name: isJson(service) ? "InvalidSignatureException" : "SignatureDoesNotMatch",
        status: statusOf(service),
        message:
          "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
      });
    }
  });

  it("a key that nobody was given", async () => {
    const { s3, ...others } = calls({ credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x" } });
    expect(await refusal(s3())).toMatchObject({
      name: "InvalidAccessKeyId",
      status: 403,
      message: "The AWS Access Key Id you provided does not exist in our records.",
    });
    for (const [service, call] of Object.entries(others)) {
      expect(await refusal(call())).toMatchObject({
        name: isJson(service) ? "UnrecognizedClientException" : "InvalidClientTokenId",
        status: statusOf(service),
        message: "The security token included in the request is invalid.",
      });
    }
  });

  it("a clock that is twenty minutes wrong", async () => {
    for (const [minutes, verdict] of [
      [-20, "Signature expired"],
      [20, "Signature not yet current"],
    ] as const) {
      const { s3, ...others } = calls({ credentials: t.credentials, systemClockOffset: minutes * 60_000 });
      const refused = await refusal(s3());
      expect(refused).toMatchObject({ name: "RequestTimeTooSkewed", status: 403 });
      expect(refused.error.MaxAllowedSkewMilliseconds).toBe("900000");
      for (const [service, call] of Object.entries(others)) {
        const { status, message } = await refusal(call());
        expect([status, message.startsWith(`${verdict}: `)]).toEqual([statusOf(service), true]);
      }
    }
  });

  it("no signature at all", async () => {
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const iam = await send(`${t.endpoint}/`, {
      method: "POST",
      headers: form,
      body: "Action=ListRoles&Version=2010-05-08",
    });
    expect(iam.status).toBe(403);
    expect(iam.body).toContain("<Code>MissingAuthenticationToken</Code>");
    const lambda = await send(`${t.endpoint}/2015-03-31/functions/`);
    expect(lambda.status).toBe(403);
    const s3 = await send(`${t.endpoint}/${bucket}/k`);
    expect(s3.status).toBe(403);
    expect(s3.body).toContain("<Code>AccessDenied</Code><Message>Access Denied</Message>");
  });

  it.each<[string, string, number]>([
    ["AWS test:c2lnbmF0dXJl", "InvalidRequest", 400],
    [
      "AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/s3/aws4_request, Signature=00",
      "AuthorizationHeaderMalformed",
      400,
    ],
    [
      "AWS4-HMAC-SHA256 Credential=test/20261123/s3/aws4_request, SignedHeaders=host, Signature=00",
      "AuthorizationHeaderMalformed",
      400,
    ],
  ])("the header %s is refused", async (authorization, code, status) => {
    const answer = await send(`${t.endpoint}/${bucket}/k`, { headers: { authorization } });
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(`<Code>${code}</Code>`);
  });

  it("a body other than the signed one", async () => {
    const iam = new IAMClient({ endpoint: t.endpoint, region: t.region, credentials: t.credentials, maxAttempts: 1 });
    iam.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { body: string };
        request.body = request.body.replace("ListRoles", "ListUsers");
        return next(args);
      },
      { step: "finalizeRequest", priority: "low" },
    );
    expect(await refusal(iam.send(new ListRolesCommand({})))).toMatchObject({
      name: "SignatureDoesNotMatch",
      status: 403,
    });
    iam.destroy();
  });

  it("a request may be sent again as it is while it is fresh", async () => {
    const sts = new STSClient({ endpoint: t.endpoint, region: t.region, credentials: t.credentials });
    let signed: { headers: Record<string, string>; body: string } | undefined;
    sts.middlewareStack.add(
      (next) => (args) => {
        signed = args.request as typeof signed;
        return next(args);
      },
      { step: "finalizeRequest", priority: "low" },
    );
    await sts.send(new GetCallerIdentityCommand({}));
    const again = await send(`${t.endpoint}/`, { method: "POST", headers: signed!.headers, body: signed!.body });
    expect(again.body).toContain(`:${t.accountId}:root`);
    sts.destroy();
  });

  it("an x-amz- header that was not signed", async () => {
    const s3 = new S3Client({
      endpoint: t.endpoint,
      region: t.region,
      credentials: t.credentials,
      forcePathStyle: true,
      maxAttempts: 1,
    });
    s3.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers["x-amz-acl"] = "public-read";
        return next(args);
      },
      { step: "finalizeRequest", priority: "low" },
    );
    const refused = await refusal(s3.send(new PutObjectCommand({ Bucket: bucket, Key: "acl", Body: "x" })));
    expect(refused).toMatchObject({
      name: "AccessDenied",
      status: 403,
      message: "There were headers present in the request which were not signed",
    });
    expect(refused.error.HeadersNotSigned).toBe("x-amz-acl");
    s3.destroy();
  });

  it("header values with runs of blanks and letters beyond ASCII", async () => {
    const Metadata = { note: "a   b  c", place: "Zürich" };
    await t.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "meta", Body: "x", Metadata }));
    const read = await t.s3.send(new GetObjectCommand({ Bucket: bucket, Key: "meta" }));
    expect(read.Metadata?.note?.replace(/ +/g, " ")).toBe("a b c");
  });

  it.each(["a b+c&d=e/f", "ü/日本/🦆", "~!*'()[]{}%41%2F", "a//b/./c/../d", ";,:@$#?"])("the key %s", async (Key) => {
    await t.s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Key }));
    const { Body } = await t.s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
    expect(await Body?.transformToString()).toBe(Key);
    const url = await getSignedUrl(t.s3, new GetObjectCommand({ Bucket: bucket, Key }));
    expect((await send(url)).body).toBe(Key);
  });
});

describe.runIf(onlyEmbedded)("temporary credentials", () => {
  async function session() {
    const RoleName = t.uniqueName("role");
    const AssumeRolePolicyDocument = trust({ AWS: t.accountId });
    const { Role } = await t.iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    const command = new AssumeRoleCommand({ RoleArn: Role!.Arn!, RoleSessionName: "work", DurationSeconds: 900 });
    const { AccessKeyId, SecretAccessKey, SessionToken } = (await t.sts.send(command)).Credentials!;
    return { accessKeyId: AccessKeyId!, secretAccessKey: SecretAccessKey!, sessionToken: SessionToken! };
  }

  it("need their token", async () => {
    const { sessionToken: _, ...credentials } = await session();
    const { s3, sts } = calls({ credentials });
    expect(await refusal(s3())).toMatchObject({ name: "InvalidAccessKeyId", status: 403 });
    expect(await refusal(sts())).toMatchObject({ name: "InvalidClientTokenId", status: 403 });
  });

  it("do not take another's token", async () => {
    const [one, other] = [await session(), await session()];
    const { s3, sts, lambda } = calls({ credentials: { ...one, sessionToken: other.sessionToken } });
    expect(await refusal(s3())).toMatchObject({
      name: "InvalidToken",
      status: 400,
      message: "The provided token is malformed or otherwise invalid.",
    });
    expect(await refusal(sts())).toMatchObject({ name: "InvalidClientTokenId", status: 403 });
    expect(await refusal(lambda())).toMatchObject({ name: "UnrecognizedClientException", status: 403 });
  });
});

describe.runIf(onlyEmbedded)("presigned URLs", () => {
  const url = (more: object = {}) =>
    getSignedUrl(t.s3, new GetObjectCommand({ Bucket: bucket, Key: "k" }), { expiresIn: 60, ...more });

  it("read and write without further credentials", async () => {
    expect(await (await fetch(await url())).text()).toBe("hello");
    const put = await getSignedUrl(t.s3, new PutObjectCommand({ Bucket: bucket, Key: "put" }), { expiresIn: 60 });
    expect((await fetch(put, { method: "PUT", body: "uploaded" })).status).toBe(200);
    const { Body } = await t.s3.send(new GetObjectCommand({ Bucket: bucket, Key: "put" }));
    expect(await Body?.transformToString()).toBe("uploaded");
  });

  it("are for one method, one key, one set of parameters", async () => {
    const good = await url();
    for (const [bad, method] of [
      [good.replace("/k?", "/l?"), "GET"],
      [good, "PUT"],
      [`${good}&response-content-type=text/html`, "GET"],
    ] as const) {
      const answer = await send(bad, { method });
      expect(answer.status).toBe(403);
      expect(answer.body).toContain("<Code>SignatureDoesNotMatch</Code>");
    }
  });

  it("expire", async () => {
    const signingDate = new Date(Date.now() - 61_000);
    const answer = await send(await url({ signingDate }));
    expect(answer.status).toBe(403);
    expect(answer.body).toContain(
      "<Code>AccessDenied</Code><Message>Request has expired</Message><X-Amz-Expires>60</X-Amz-Expires><Expires>",
    );
  });

  it("miss a parameter, or have a bad one", async () => {
    const good = await url();
    const broken: [string, number, string][] = [
      [
        good.replace(/&X-Amz-Expires=\d+/, ""),
        400,
        "Query-string authentication version 4 requires the X-Amz-Algorithm",
      ],
      [good.replace(/X-Amz-Expires=\d+/, "X-Amz-Expires=604801"), 400, "X-Amz-Expires must be less than a week"],
      [good.replace(/X-Amz-Expires=\d+/, "X-Amz-Expires=soon"), 400, "X-Amz-Expires should be a number"],
    ];
    for (const [bad, status, message] of broken) {
      const answer = await send(bad);
      expect([answer.status, answer.body.includes(message)]).toEqual([status, true]);
    }
  });

  it("do not go together with an Authorization header", async () => {
    const answer = await send(await url(), { headers: { authorization: "AWS4-HMAC-SHA256 Credential=x" } });
    expect(answer.status).toBe(400);
    expect(answer.body).toContain("<Code>InvalidArgument</Code><Message>Only one auth mechanism allowed;");
  });
});

describe.runIf(onlyEmbedded)("the strict endpoint", () => {
  let strict: Emulator;
  const dataDir = mkdtempSync(join(tmpdir(), "minilake-strict-"));
  beforeAll(async () => {
    strict = await startEmulator({ dataDir, port: 0, strict: true });
  });
  afterAll(async () => {
    await strict.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it("takes the keys that it issued, and test/test no more", async () => {
    expect(strict.credentials.accessKeyId).toMatch(/^AKIA[A-Z0-9]{16}$/);
    expect(strict.credentials.secretAccessKey).toHaveLength(40);
    for (const call of Object.values(calls({ credentials: strict.credentials }, strict.endpoint))) await call();
    for (const [service, call] of Object.entries(calls({ credentials: t.credentials }, strict.endpoint))) {
      expect((await refusal(call())).status).toBe(statusOf(service));
    }
  });

  it("issues the root's keys once", async () => {
    const credentials = { ...strict.credentials };
    await strict.close();
    strict = await startEmulator({ dataDir, port: 0, strict: true });
    expect(strict.credentials).toMatchObject({
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
    });
  });
});
