import { createHash } from "node:crypto";
import { CreateRoleCommand, DeleteRolePolicyCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeletePublicAccessBlockCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketAclCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  PutPublicAccessBlockCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { AssumeRoleCommand } from "@aws-sdk/client-sts";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusal, signedRequest } from "./s3SignedRequest.ts";
import { type Target, target } from "./target.ts";

let t: Target;
let Bucket: string;
const closing: S3Client[] = [];

beforeAll(async () => {
  t = await target();
  Bucket = t.uniqueName("bucket");
  await t.s3.send(new CreateBucketCommand({ Bucket }));
  for (const Key of ["in/1", "out/1"]) await t.s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
});
afterAll(async () => {
  for (const client of closing) client.destroy();
  await t.close();
});

/** A client with the credentials of a role that may do what `statements` say. */
async function asRole(statements: object[]) {
  const RoleName = t.uniqueName("role");
  const { Role } = await t.iam.send(
    new CreateRoleCommand({
      RoleName,
      AssumeRolePolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${t.accountId}:root` }, Action: "sts:AssumeRole" },
        ],
      }),
    }),
  );
  if (statements.length > 0) {
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: statements });
    await t.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument }));
  }
  const { Credentials } = await t.sts.send(new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: "session" }));
  const s3 = new S3Client({
    endpoint: t.endpoint,
    region: t.region,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: {
      accessKeyId: Credentials!.AccessKeyId!,
      secretAccessKey: Credentials!.SecretAccessKey!,
      sessionToken: Credentials!.SessionToken!,
    },
  });
  closing.push(s3);
  return { s3, RoleName, arn: Role!.Arn!, sessionArn: `arn:aws:sts::${t.accountId}:assumed-role/${RoleName}/session` };
}

const allow = (Action: string | string[], Resource: string | string[], more: object = {}) => ({
  Effect: "Allow",
  Action,
  Resource,
  ...more,
});
const bucketArn = () => `arn:aws:s3:::${Bucket}`;
const DENIED = { status: 403, code: "AccessDenied" };

describe("a role", () => {
  test("may do what its policy says, and AWS's words tell what it may not", async () => {
    const role = await asRole([allow("s3:GetObject", `${bucketArn()}/in/*`)]);
    await role.s3.send(new GetObjectCommand({ Bucket, Key: "in/1" }));
    const other = await refusal(role.s3.send(new GetObjectCommand({ Bucket, Key: "out/1" })));
    expect(other).toEqual({
      ...DENIED,
      message: `User: ${role.sessionArn} is not authorized to perform: s3:GetObject on resource: "${bucketArn()}/out/1" because no identity-based policy allows the s3:GetObject action`,
    });
    expect(await refusal(role.s3.send(new PutObjectCommand({ Bucket, Key: "in/2", Body: "x" })))).toMatchObject(DENIED);
    expect(await refusal(role.s3.send(new DeleteObjectCommand({ Bucket, Key: "in/1" })))).toMatchObject(DENIED);
    expect(await refusal(role.s3.send(new HeadObjectCommand({ Bucket, Key: "out/1" })))).toMatchObject({ status: 403 });
    await t.iam.send(new DeleteRolePolicyCommand({ RoleName: role.RoleName, PolicyName: "p" }));
    expect(await refusal(role.s3.send(new GetObjectCommand({ Bucket, Key: "in/1" })))).toMatchObject(DENIED);
  });

  test("learns that a key is missing only with s3:ListBucket", async () => {
    const blind = await asRole([allow("s3:GetObject", `${bucketArn()}/*`)]);
    expect(await refusal(blind.s3.send(new GetObjectCommand({ Bucket, Key: "missing" })))).toMatchObject(DENIED);
    const seeing = await asRole([allow("s3:GetObject", `${bucketArn()}/*`), allow("s3:ListBucket", bucketArn())]);
    const missing = await refusal(seeing.s3.send(new GetObjectCommand({ Bucket, Key: "missing" })));
    expect(missing).toMatchObject({ status: 404, code: "NoSuchKey" });
  });

  test("is held to a prefix when listing", async () => {
    const condition = { Condition: { StringLike: { "s3:prefix": "in/*" } } };
    const { s3 } = await asRole([allow("s3:ListBucket", bucketArn(), condition)]);
    const list = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "in/" }));
    expect(list.Contents?.map(({ Key }) => Key)).toEqual(["in/1"]);
    expect(await refusal(s3.send(new ListObjectsV2Command({ Bucket, Prefix: "out/" })))).toMatchObject(DENIED);
    expect(await refusal(s3.send(new ListObjectsV2Command({ Bucket })))).toMatchObject(DENIED);
  });

  test("deletes many keys as far as it may, key by key", async () => {
    for (const Key of ["in/d", "out/d"]) await t.s3.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
    const { s3 } = await asRole([allow("s3:DeleteObject", `${bucketArn()}/in/*`)]);
    const reply = await s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "in/d" }, { Key: "out/d" }] } }),
    );
    expect(reply.Deleted).toEqual([{ Key: "in/d" }]);
    expect(reply.Errors).toMatchObject([{ Key: "out/d", Code: "AccessDenied" }]);
    await t.s3.send(new HeadObjectCommand({ Bucket, Key: "out/d" }));
  });

  test("needs both ends of a copy, and tagging for tags", async () => {
    const copy = (s3: S3Client) =>
      s3.send(new CopyObjectCommand({ Bucket, Key: "out/copy", CopySource: `${Bucket}/in/1` }));
    const reader = await asRole([allow("s3:GetObject", `${bucketArn()}/*`)]);
    expect(await refusal(copy(reader.s3))).toMatchObject(DENIED);
    const writer = await asRole([allow("s3:PutObject", `${bucketArn()}/*`)]);
    expect(await refusal(copy(writer.s3))).toMatchObject(DENIED);
    const tagged = new PutObjectCommand({ Bucket, Key: "out/t", Body: "x", Tagging: "a=1" });
    expect(await refusal(writer.s3.send(tagged))).toMatchObject(DENIED);
    const both = await asRole([allow(["s3:GetObject", "s3:PutObject"], `${bucketArn()}/*`)]);
    await copy(both.s3);
  });

  test("may be let in, or kept out, by the bucket's policy", async () => {
    const bucket = t.uniqueName("guarded");
    await t.s3.send(new CreateBucketCommand({ Bucket: bucket }));
    await t.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "k", Body: "x" }));
    const stranger = await asRole([]);
    const insider = await asRole([allow("s3:*", "*")]);
    const statement = (Effect: string, AWS: string) => ({
      Effect,
      Principal: { AWS },
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::${bucket}/*`,
    });
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [statement("Allow", stranger.arn), statement("Deny", insider.arn)],
    });
    const get = (s3: S3Client) => s3.send(new GetObjectCommand({ Bucket: bucket, Key: "k" }));
    expect(await refusal(get(stranger.s3))).toMatchObject(DENIED);
    await get(insider.s3);
    await t.s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
    await get(stranger.s3);
    expect(await refusal(get(insider.s3))).toMatchObject({
      ...DENIED,
      message: expect.stringContaining("with an explicit deny in a resource-based policy"),
    });
  });
});

describe("a policy's condition", () => {
  const objects = () => `${bucketArn()}/*`;
  const when = (Condition: object) => ({ Condition });

  test("can tell the tags that objects may get", async () => {
    const { s3 } = await asRole([
      allow(
        ["s3:PutObject", "s3:PutObjectTagging"],
        objects(),
        when({
          StringEquals: { "s3:RequestObjectTag/team": "data" },
          "ForAllValues:StringEquals": { "s3:RequestObjectTagKeys": ["team", "stage"] },
        }),
      ),
    ]);
    const put = (Tagging?: string) => s3.send(new PutObjectCommand({ Bucket, Key: "tagged", Body: "x", Tagging }));
    await put("team=data&stage=raw");
    for (const tagging of [undefined, "team=web", "team=data&owner=me"]) {
      expect(await refusal(put(tagging))).toMatchObject(DENIED);
    }
    const tag = (Value: string) =>
      s3.send(new PutObjectTaggingCommand({ Bucket, Key: "tagged", Tagging: { TagSet: [{ Key: "team", Value }] } }));
    await tag("data");
    expect(await refusal(tag("web"))).toMatchObject(DENIED);
  });

  test("can keep a version from being deleted, and only that", async () => {
    const bucket = t.uniqueName("versioned");
    await t.s3.send(new CreateBucketCommand({ Bucket: bucket }));
    const VersioningConfiguration = { Status: "Enabled" as const };
    await t.s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
    const put = () => t.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "k", Body: "x" }));
    const [kept, other] = [(await put()).VersionId!, (await put()).VersionId!];
    const { s3 } = await asRole([
      allow("s3:DeleteObjectVersion", "*", when({ StringNotEquals: { "s3:VersionId": kept } })),
    ]);
    const remove = (VersionId: string) => s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: "k", VersionId }));
    await remove(other);
    expect(await refusal(remove(kept))).toMatchObject(DENIED);
    const Objects = [{ Key: "k", VersionId: kept }];
    const { Errors } = await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
    expect(Errors).toMatchObject([{ Key: "k", Code: "AccessDenied" }]);
  });

  test("can insist on an ACL", async () => {
    const { s3 } = await asRole([
      allow(
        ["s3:CreateBucket", "s3:PutBucketAcl", "s3:PutObjectAcl"],
        "*",
        when({ StringEquals: { "s3:x-amz-acl": "private" } }),
      ),
    ]);
    const name = t.uniqueName("private");
    expect(await refusal(s3.send(new CreateBucketCommand({ Bucket: name })))).toMatchObject(DENIED);
    await s3.send(new CreateBucketCommand({ Bucket: name, ACL: "private" }));
    await s3.send(new PutBucketAclCommand({ Bucket: name, ACL: "private" }));
    await s3.send(new PutObjectAclCommand({ Bucket, Key: "in/1", ACL: "private" }));
    const other = s3.send(new PutObjectAclCommand({ Bucket, Key: "in/1", ACL: "bucket-owner-full-control" }));
    expect(await refusal(other)).toMatchObject(DENIED);
  });

  test("can insist on conditional writes and deletes", async () => {
    const { s3 } = await asRole([
      allow("s3:*", objects()),
      {
        ...allow("s3:PutObject", objects()),
        Effect: "Deny",
        Condition: { Null: { "s3:if-none-match": "true" }, Bool: { "s3:ObjectCreationOperation": "true" } },
      },
      { ...allow("s3:DeleteObject", objects()), Effect: "Deny", Condition: { Null: { "s3:if-match": "true" } } },
    ]);
    const Key = "once";
    const put = (more: object) => s3.send(new PutObjectCommand({ Bucket, Key, Body: "x", ...more }));
    expect(await refusal(put({}))).toMatchObject(DENIED);
    const { ETag } = await put({ IfNoneMatch: "*" });
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const part = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: "x" }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: part.ETag }] };
    const complete = s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
    expect(await refusal(complete)).toMatchObject(DENIED);
    expect(await refusal(s3.send(new DeleteObjectCommand({ Bucket, Key })))).toMatchObject(DENIED);
    await s3.send(new DeleteObjectCommand({ Bucket, Key, IfMatch: ETag }));
  });
});

describe("a caller without credentials", () => {
  test("gets in through a public bucket policy only", async () => {
    const bucket = t.uniqueName("public");
    await t.s3.send(new CreateBucketCommand({ Bucket: bucket }));
    await t.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "open/k", Body: "hello" }));
    const get = (key: string) => signedRequest(t, { method: "GET", path: `/${bucket}/${key}`, isSigned: false });
    const before = await get("open/k");
    expect([before.status, before.code, before.body.includes("<Message>Access Denied</Message>")]).toEqual([
      403,
      "AccessDenied",
      true,
    ]);
    await t.s3.send(new DeletePublicAccessBlockCommand({ Bucket: bucket }));
    const Policy = JSON.stringify({
      Statement: [
        { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/open/*` },
      ],
    });
    await t.s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
    expect((await get("open/k")).body).toBe("hello");
    expect((await get("closed")).status).toBe(403);
    const put = await signedRequest(t, { method: "PUT", path: `/${bucket}/open/new`, isSigned: false, body: "x" });
    expect([put.status, put.code]).toEqual([403, "AccessDenied"]);
    const restrict = (RestrictPublicBuckets: boolean) =>
      t.s3.send(
        new PutPublicAccessBlockCommand({
          Bucket: bucket,
          PublicAccessBlockConfiguration: { RestrictPublicBuckets },
        }),
      );
    await restrict(true);
    expect((await get("open/k")).status).toBe(403);
    const { s3 } = await asRole([]);
    await s3.send(new GetObjectCommand({ Bucket: bucket, Key: "open/k" }));
    await restrict(false);
    expect((await get("open/k")).status).toBe(200);
  });
});

describe("a presigned URL", () => {
  test("lets its holder do that one thing", async () => {
    const Key = "presigned é+&/k";
    const put = await getSignedUrl(t.s3, new PutObjectCommand({ Bucket, Key }), { expiresIn: 60 });
    expect((await fetch(put, { method: "PUT", body: "by url" })).status).toBe(200);
    const get = new GetObjectCommand({
      Bucket,
      Key,
      ResponseContentType: "text/x",
      ResponseContentDisposition: "inline",
    });
    const url = await getSignedUrl(t.s3, get, { expiresIn: 60 });
    const reply = await fetch(url);
    expect([reply.status, reply.headers.get("content-type"), await reply.text()]).toEqual([200, "text/x", "by url"]);
    const changed = await fetch(url.replace("/k?", "/other?"));
    expect(changed.status).toBe(403);
    expect(await changed.text()).toContain("<Code>SignatureDoesNotMatch</Code>");
    expect((await fetch(url, { method: "DELETE" })).status).toBe(403);
  });

  test("carries headers in its query, which count as if they had been sent", async () => {
    const Key = "presigned/headers";
    const input = { Bucket, Key, Metadata: { origin: "url" }, StorageClass: "STANDARD_IA" } as const;
    const url = await getSignedUrl(t.s3, new PutObjectCommand(input));
    expect(new URL(url).searchParams.get("x-amz-meta-origin")).toBe("url");
    expect((await fetch(url, { method: "PUT", body: "by url" })).status).toBe(200);
    const seen = await t.s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect(seen).toMatchObject({ Metadata: { origin: "url" }, StorageClass: "STANDARD_IA", ContentLength: 6 });
    expect((await fetch(url.replace("origin=url", "origin=me"), { method: "PUT", body: "x" })).status).toBe(403);
  });

  test("can make a copy", async () => {
    const Key = "presigned/copy";
    const url = await getSignedUrl(t.s3, new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/in/1` }));
    const reply = await fetch(url, { method: "PUT" });
    expect([reply.status, await reply.text()]).toEqual([200, expect.stringContaining("<CopyObjectResult")]);
    const copied = await t.s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(await copied.Body!.transformToString()).toBe("x");
  });

  test("has no tags, and no checksum, in its query", async () => {
    const Key = "presigned/without";
    // The SDK puts the checksum of the body that it knows there, which is empty.
    const url = await getSignedUrl(t.s3, new PutObjectCommand({ Bucket, Key, Tagging: "a=1" }));
    expect(new URL(url).searchParams.get("x-amz-tagging")).toBe("a=1");
    expect((await fetch(url, { method: "PUT", body: "of any content" })).status).toBe(200);
    expect((await t.s3.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet).toEqual([]);
  });

  test("may be sent with the hash of its body where it was signed without", async () => {
    const url = await getSignedUrl(t.s3, new GetObjectCommand({ Bucket, Key: "in/1" }));
    const get = (hash: string) => fetch(url, { headers: { "x-amz-content-sha256": hash } });
    expect((await get("UNSIGNED-PAYLOAD")).status).toBe(200);
    const hashed = await get(createHash("sha256").digest("hex"));
    expect([hashed.status, await hashed.text()]).toEqual([403, expect.stringContaining("SignatureDoesNotMatch")]);
  });

  test("with an access control list in its query is held to what the bucket allows", async () => {
    const url = await getSignedUrl(t.s3, new PutObjectCommand({ Bucket, Key: "presigned/acl", ACL: "public-read" }));
    expect((await fetch(url, { method: "PUT", body: "x" })).status).not.toBe(200);
  });
});
