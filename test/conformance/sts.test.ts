import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  GetRoleCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  AssumeRoleWithWebIdentityCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  STSClient,
} from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allow, clientOptions, LAMBDA, policy, refusal, s3With, trust } from "./policies.ts";
import { type Target, target } from "./target.ts";

let t: Target;
let bucket: string;
beforeAll(async () => {
  t = await target();
  bucket = t.uniqueName("bucket");
  await t.s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await t.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "in/a.csv", Body: "a" }));
  await t.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "secret/b.csv", Body: "b" }));
});
afterAll(() => t.close());

/** A role that the account may assume, with one inline policy. */
async function newRole(document: string | undefined, more: object = {}): Promise<{ name: string; arn: string }> {
  const name = t.uniqueName("role");
  const command = new CreateRoleCommand({
    RoleName: name,
    AssumeRolePolicyDocument: trust({ AWS: t.accountId }),
    ...more,
  });
  const { Role } = await t.iam.send(command);
  if (document !== undefined) {
    await t.iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: "p", PolicyDocument: document }));
  }
  return { name, arn: Role!.Arn! };
}

const assume = (RoleArn: string, more: Partial<AssumeRoleCommandInput> = {}) =>
  t.sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "work", ...more }));

async function s3As(RoleArn: string, more: Partial<AssumeRoleCommandInput> = {}) {
  return s3With(t, (await assume(RoleArn, more)).Credentials!);
}

const denied = (
  role: string,
  action: string,
  resource: string,
  why = `because no identity-based policy allows the ${action} action`,
) => ({
  name: "AccessDenied",
  status: 403,
  message: `User: arn:aws:sts::${t.accountId}:assumed-role/${role}/work is not authorized to perform: ${action} on resource: "${resource}" ${why}`,
});

describe("identities", () => {
  it("the account root", async () => {
    const identity = await t.sts.send(new GetCallerIdentityCommand({}));
    expect(identity).toMatchObject({
      UserId: t.accountId,
      Account: t.accountId,
      Arn: `arn:aws:iam::${t.accountId}:root`,
    });
  });

  it("a role's session, which needs no permission to ask", async () => {
    const { name, arn } = await newRole(policy({ Effect: "Deny", Action: "*", Resource: "*" }));
    const { Credentials, AssumedRoleUser } = await assume(arn);
    expect(Credentials?.AccessKeyId).toMatch(/^ASIA[A-Z0-9]{16}$/);
    expect(Credentials?.SecretAccessKey).toHaveLength(40);
    const sts = new STSClient(clientOptions(t, Credentials!));
    const identity = await sts.send(new GetCallerIdentityCommand({}));
    sts.destroy();
    const { Role } = await t.iam.send(new GetRoleCommand({ RoleName: name }));
    const sessionArn = `arn:aws:sts::${t.accountId}:assumed-role/${name}/work`;
    expect(identity).toMatchObject({ UserId: `${Role?.RoleId}:work`, Account: t.accountId, Arn: sessionArn });
    expect(AssumedRoleUser).toEqual({ AssumedRoleId: `${Role?.RoleId}:work`, Arn: sessionArn });
  });

  it("a session of the root itself", async () => {
    const { Credentials } = await t.sts.send(new GetSessionTokenCommand({ DurationSeconds: 900 }));
    const sts = new STSClient(clientOptions(t, Credentials!));
    expect((await sts.send(new GetCallerIdentityCommand({}))).Arn).toBe(`arn:aws:iam::${t.accountId}:root`);
    expect(await refusal(sts.send(new GetSessionTokenCommand({})))).toMatchObject({
      name: "AccessDenied",
      status: 403,
      message: "Cannot call GetSessionToken with session credentials",
    });
    const { Account } = await sts.send(new GetAccessKeyInfoCommand({ AccessKeyId: Credentials!.AccessKeyId! }));
    expect(Account).toBe(t.accountId);
    sts.destroy();
  });
});

describe("assuming a role", () => {
  it("lasts an hour, or as long as was asked for", async () => {
    const { arn } = await newRole(undefined, { MaxSessionDuration: 7200 });
    const minutes = async (more: Partial<AssumeRoleCommandInput>) => {
      const { Credentials } = await assume(arn, more);
      return Math.round((Credentials!.Expiration!.getTime() - Date.now()) / 60_000);
    };
    expect(await minutes({})).toBe(60);
    expect(await minutes({ DurationSeconds: 900 })).toBe(15);
    expect(await minutes({ DurationSeconds: 7200 })).toBe(120);
    expect(await refusal(assume(arn, { DurationSeconds: 7201 }))).toMatchObject({
      name: "ValidationError",
      status: 400,
      message: "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    });
  });

  it.each<[Partial<AssumeRoleCommandInput>, string]>([
    [
      { RoleSessionName: "Session1:2" },
      "1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
    ],
    [
      { RoleSessionName: "x" },
      "1 validation error detected: Value 'x' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2",
    ],
    [
      { DurationSeconds: 899 },
      "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
    ],
    [
      { DurationSeconds: 43_201 },
      "1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200",
    ],
    [
      { ExternalId: "a b" },
      "1 validation error detected: Value 'a b' at 'externalId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@:\\/-]*",
    ],
    [{ RoleArn: "arn:aws:iam:role/somebody" }, "arn:aws:iam:role/somebody is invalid"],
  ])("%j is refused", async (more, message) => {
    const { arn } = await newRole(undefined);
    expect(await refusal(assume(arn, more))).toMatchObject({ name: "ValidationError", status: 400, message });
  });

  it("needs the trust policy; a missing role sounds the same", async () => {
    const { arn } = await newRole(undefined, { AssumeRolePolicyDocument: trust(LAMBDA) });
    for (const role of [arn, `arn:aws:iam::${t.accountId}:role/missing`]) {
      expect(await refusal(assume(role))).toMatchObject({
        name: "AccessDenied",
        status: 403,
        message: `User: arn:aws:iam::${t.accountId}:root is not authorized to perform: sts:AssumeRole on resource: ${role}`,
      });
    }
  });

  it("meets the conditions of the trust policy", async () => {
    const document = trust(
      { AWS: t.accountId },
      { Condition: { StringEquals: { "sts:ExternalId": "open:sesame" }, StringLike: { "sts:RoleSessionName": "w*" } } },
    );
    const { arn } = await newRole(undefined, { AssumeRolePolicyDocument: document });
    expect((await refusal(assume(arn))).name).toBe("AccessDenied");
    expect((await refusal(assume(arn, { ExternalId: "open:wheat" }))).name).toBe("AccessDenied");
    expect((await refusal(assume(arn, { ExternalId: "open:sesame", RoleSessionName: "other" }))).name).toBe(
      "AccessDenied",
    );
    expect((await assume(arn, { ExternalId: "open:sesame" })).Credentials?.SessionToken).toBeDefined();
  });

  it("from another role: by its own policies when the trust policy names the account, without when it names the role", async () => {
    const first = await newRole(undefined);
    const openToAccount = await newRole(allow("s3:*"));
    const openToFirst = await newRole(allow("s3:*"), { AssumeRolePolicyDocument: trust({ AWS: first.arn }) });
    const sts = new STSClient(clientOptions(t, (await assume(first.arn)).Credentials!));
    const chain = (RoleArn: string, more: object = {}) =>
      sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "chained", ...more }));
    expect((await chain(openToFirst.arn)).AssumedRoleUser?.Arn).toContain(`${openToFirst.name}/chained`);
    expect((await refusal(chain(openToAccount.arn))).name).toBe("AccessDenied");
    await t.iam.send(
      new PutRolePolicyCommand({
        RoleName: first.name,
        PolicyName: "p",
        PolicyDocument: allow("sts:AssumeRole", openToAccount.arn),
      }),
    );
    await chain(openToAccount.arn);
    expect(await refusal(chain(openToAccount.arn, { DurationSeconds: 3601 }))).toMatchObject({
      name: "ValidationError",
      status: 400,
    });
    sts.destroy();
  });

  it("session tags need sts:TagSession, and are keys of conditions", async () => {
    const document = policy({
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::${bucket}/\${aws:PrincipalTag/folder}/*`,
    });
    const Tags = [{ Key: "folder", Value: "in" }];
    const plain = await newRole(document);
    expect((await refusal(assume(plain.arn, { Tags }))).message).toContain("sts:TagSession");
    const both = policy({
      Effect: "Allow",
      Principal: { AWS: t.accountId },
      Action: ["sts:AssumeRole", "sts:TagSession"],
    });
    const tagged = await newRole(document, { AssumeRolePolicyDocument: both });
    const s3 = await s3As(tagged.arn, { Tags });
    expect((await s3.send(new GetObjectCommand({ Bucket: bucket, Key: "in/a.csv" }))).ContentLength).toBe(1);
    expect((await refusal(s3.send(new GetObjectCommand({ Bucket: bucket, Key: "secret/b.csv" })))).name).toBe(
      "AccessDenied",
    );
    s3.destroy();
  });

  it("transitive session tags go on to the next role, and stay as they are", async () => {
    const anyone = { Effect: "Allow", Principal: { AWS: t.accountId }, Action: ["sts:AssumeRole", "sts:TagSession"] };
    const AssumeRolePolicyDocument = policy(anyone);
    const first = await newRole(allow("sts:*"), { AssumeRolePolicyDocument });
    const inFolder = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
    const Condition = { StringEquals: { "aws:PrincipalTag/folder": "in" } };
    const second = await newRole(policy({ ...inFolder, Condition }), { AssumeRolePolicyDocument });
    const Tags = [
      { Key: "folder", Value: "in" },
      { Key: "other", Value: "x" },
    ];
    const read = async (TransitiveTagKeys: string[] | undefined, own?: typeof Tags) => {
      const sts = new STSClient(clientOptions(t, (await assume(first.arn, { Tags, TransitiveTagKeys })).Credentials!));
      const RoleSessionName = "next";
      const command = new AssumeRoleCommand({ RoleArn: second.arn, RoleSessionName, Tags: own });
      const { Credentials } = await sts.send(command).finally(() => sts.destroy());
      const s3 = s3With(t, Credentials!);
      const answer = await s3
        .send(new GetObjectCommand({ Bucket: bucket, Key: "in/a.csv" }))
        .finally(() => s3.destroy());
      return answer.ContentLength;
    };
    expect(await read(["Folder"])).toBe(1);
    expect(await read(["folder"], [{ Key: "more", Value: "y" }])).toBe(1);
    expect((await refusal(read(undefined))).name).toBe("AccessDenied");
    expect((await refusal(read(["other"]))).name).toBe("AccessDenied");
    expect(await refusal(read(["folder"], [{ Key: "folder", Value: "out" }]))).toMatchObject({ status: 400 });
    expect(await refusal(assume(first.arn, { Tags, TransitiveTagKeys: ["none"] }))).toMatchObject({ status: 400 });
  });

  it("a session policy is held against the grammar and its size", async () => {
    const { arn } = await newRole(allow("*"));
    expect(await refusal(assume(arn, { Policy: "{" }))).toMatchObject({
      name: "MalformedPolicyDocumentException",
      status: 400,
    });
    expect((await refusal(assume(arn, { Policy: allow("s3:*", "x".repeat(2048)) }))).name).toBe("ValidationError");
    const { PackedPolicySize } = await assume(arn, { Policy: allow("s3:*") });
    expect(PackedPolicySize).toBeGreaterThan(0);
    const missing = { PolicyArns: [{ arn: "arn:aws:iam::aws:policy/NobodyHasThis" }] };
    expect((await refusal(assume(arn, missing))).status).toBe(400);
  });
});

describe("what the role's policies allow is enforced", () => {
  it("an action, a resource, and AWS's sentence for the rest", async () => {
    const { name, arn } = await newRole(allow("s3:GetObject", `arn:aws:s3:::${bucket}/in/*`));
    const s3 = await s3As(arn);
    expect(
      await (await s3.send(new GetObjectCommand({ Bucket: bucket, Key: "in/a.csv" }))).Body?.transformToString(),
    ).toBe("a");
    expect(await refusal(s3.send(new GetObjectCommand({ Bucket: bucket, Key: "secret/b.csv" })))).toMatchObject(
      denied(name, "s3:GetObject", `arn:aws:s3:::${bucket}/secret/b.csv`),
    );
    expect(
      await refusal(s3.send(new PutObjectCommand({ Bucket: bucket, Key: "in/new.csv", Body: "x" }))),
    ).toMatchObject(denied(name, "s3:PutObject", `arn:aws:s3:::${bucket}/in/new.csv`));
    expect((await refusal(s3.send(new ListBucketsCommand({})))).message).toContain("s3:ListAllMyBuckets");
    // Without s3:ListBucket nobody hears whether a key exists.
    expect((await refusal(s3.send(new GetObjectCommand({ Bucket: bucket, Key: "in/missing" })))).status).toBe(403);
    s3.destroy();
  });

  it("an explicit deny", async () => {
    const document = policy(
      { Effect: "Allow", Action: "s3:*", Resource: "*" },
      { Effect: "Deny", Action: "s3:DeleteObject", Resource: `arn:aws:s3:::${bucket}/*` },
    );
    const { name, arn } = await newRole(document);
    const s3 = await s3As(arn);
    expect(await refusal(s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: "in/a.csv" })))).toMatchObject(
      denied(
        name,
        "s3:DeleteObject",
        `arn:aws:s3:::${bucket}/in/a.csv`,
        "with an explicit deny in an identity-based policy",
      ),
    );
    s3.destroy();
  });

  it("a condition on the prefix of a listing", async () => {
    const document = policy({
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: `arn:aws:s3:::${bucket}`,
      Condition: { StringLike: { "s3:prefix": ["in/*"] } },
    });
    const { arn } = await newRole(document);
    const s3 = await s3As(arn);
    expect((await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: "in/" }))).KeyCount).toBe(1);
    expect((await refusal(s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: "secret/" })))).name).toBe(
      "AccessDenied",
    );
    expect((await refusal(s3.send(new ListObjectsV2Command({ Bucket: bucket })))).name).toBe("AccessDenied");
    s3.destroy();
  });

  it("a session policy narrows, a boundary too", async () => {
    const { arn } = await newRole(allow("s3:*"));
    const narrow = await s3As(arn, { Policy: allow("s3:GetObject") });
    await narrow.send(new GetObjectCommand({ Bucket: bucket, Key: "in/a.csv" }));
    expect(
      (await refusal(narrow.send(new PutObjectCommand({ Bucket: bucket, Key: "in/x", Body: "x" })))).message,
    ).toContain("because no session policy allows the s3:PutObject action");
    narrow.destroy();
    const bounded = await newRole(allow("s3:*"), {
      PermissionsBoundary: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
    });
    const readOnly = await s3As(bounded.arn);
    await readOnly.send(new GetObjectCommand({ Bucket: bucket, Key: "in/a.csv" }));
    expect(
      (await refusal(readOnly.send(new PutObjectCommand({ Bucket: bucket, Key: "in/x", Body: "x" })))).message,
    ).toContain("because no permissions boundary allows the s3:PutObject action");
    readOnly.destroy();
  });

  it("a bucket policy may grant to the role, and deny the root", async () => {
    const { arn } = await newRole(undefined);
    const Bucket = t.uniqueName("bucket");
    await t.s3.send(new CreateBucketCommand({ Bucket }));
    await t.s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" }));
    const s3 = await s3As(arn);
    const get = (client = s3) => client.send(new GetObjectCommand({ Bucket, Key: "k" }));
    expect((await refusal(get())).name).toBe("AccessDenied");
    const grant = policy({
      Effect: "Allow",
      Principal: { AWS: arn },
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::${Bucket}/*`,
    });
    await t.s3.send(new PutBucketPolicyCommand({ Bucket, Policy: grant }));
    expect((await get()).ContentLength).toBe(1);
    const deny = policy({
      Effect: "Deny",
      Principal: "*",
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::${Bucket}/*`,
    });
    await t.s3.send(new PutBucketPolicyCommand({ Bucket, Policy: deny }));
    expect((await refusal(get(t.s3))).message).toContain("with an explicit deny in a resource-based policy");
    s3.destroy();
  });

  it("other services ask too, each with its own code", async () => {
    const { name, arn } = await newRole(allow("s3:*"));
    const options = clientOptions(t, (await assume(arn)).Credentials!);
    const user = `User: arn:aws:sts::${t.accountId}:assumed-role/${name}/work`;
    const iam = new IAMClient(options);
    expect(await refusal(iam.send(new GetRoleCommand({ RoleName: name })))).toMatchObject({
      name: "AccessDenied",
      status: 403,
      message: `${user} is not authorized to perform: iam:GetRole on resource: role ${name} because no identity-based policy allows the iam:GetRole action`,
    });
    const sqs = new SQSClient(options);
    expect((await refusal(sqs.send(new ListQueuesCommand({})))).message).toContain(
      `${user} is not authorized to perform: sqs:listqueues on resource: `,
    );
    iam.destroy();
    sqs.destroy();
  });

  it("a change of the policy is effective on the next request", async () => {
    const { name, arn } = await newRole(allow("s3:GetObject"));
    const s3 = await s3As(arn);
    const get = () => s3.send(new GetObjectCommand({ Bucket: bucket, Key: "in/a.csv" }));
    await get();
    await t.iam.send(new DeleteRolePolicyCommand({ RoleName: name, PolicyName: "p" }));
    expect((await refusal(get())).name).toBe("AccessDenied");
    await t.iam.send(new DeleteRoleCommand({ RoleName: name }));
    expect(await refusal(get())).toMatchObject({ name: "InvalidAccessKeyId", status: 403 });
    s3.destroy();
  });
});

describe.runIf((process.env.MINILAKE_TARGET ?? "embedded") === "embedded")("the embedded endpoint", () => {
  it("refuses federation by name", async () => {
    expect(await refusal(t.sts.send(new GetFederationTokenCommand({ Name: "somebody" })))).toMatchObject({
      status: 501,
      message: "minilake's embedded endpoint does not implement sts:GetFederationToken.",
    });
    // It comes without a signature.
    const RoleArn = `arn:aws:iam::${t.accountId}:role/somebody`;
    const token = { RoleArn, RoleSessionName: "session", WebIdentityToken: "token" };
    expect(await refusal(t.sts.send(new AssumeRoleWithWebIdentityCommand(token)))).toMatchObject({
      status: 501,
      message: "minilake's embedded endpoint does not implement sts:AssumeRoleWithWebIdentity.",
    });
  });

  it("keeps sessions over a restart", async () => {
    const { arn } = await newRole(allow("s3:GetObject"));
    const s3 = await s3As(arn);
    await t.restart();
    expect((await s3.send(new GetObjectCommand({ Bucket: bucket, Key: "in/a.csv" }))).ContentLength).toBe(1);
    s3.destroy();
  });
});
