import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketCorsCommand,
  DeleteBucketEncryptionCommand,
  DeleteBucketLifecycleCommand,
  DeleteBucketOwnershipControlsCommand,
  DeleteBucketPolicyCommand,
  DeleteBucketTaggingCommand,
  DeleteObjectCommand,
  DeletePublicAccessBlockCommand,
  GetBucketAccelerateConfigurationCommand,
  GetBucketAclCommand,
  GetBucketCorsCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketLoggingCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  GetBucketReplicationCommand,
  GetBucketRequestPaymentCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetBucketWebsiteCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type LifecycleRule,
  ListBucketsCommand,
  PutBucketAclCommand,
  PutBucketCorsCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketReplicationCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { refusal, signedRequest, xmlText } from "./s3SignedRequest.ts";
import { type Target, target } from "./target.ts";

let t: Target;
let Bucket: string;

beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());
beforeEach(async () => {
  Bucket = t.uniqueName("bucket");
  await t.s3.send(new CreateBucketCommand({ Bucket }));
});

const isOurs = process.env.MINILAKE_TARGET === undefined;

describe("a bucket", () => {
  test("tells its region with every list, and even to those who may not read it", async () => {
    const path = `/${Bucket}`;
    const anonymous = await signedRequest(t, { method: "HEAD", path, isSigned: false });
    expect([anonymous.status, anonymous.headers["x-amz-bucket-region"]]).toEqual([403, t.region]);
    for (const query of ["", "list-type=2"]) {
      const listed = await signedRequest(t, { method: "GET", path, query });
      expect([listed.status, listed.headers["x-amz-bucket-region"]]).toEqual([200, t.region]);
    }
  });

  test("is there, is listed, and is gone after a delete", async () => {
    const head = await t.s3.send(new HeadBucketCommand({ Bucket }));
    expect(head).toMatchObject({
      BucketRegion: "us-east-1",
      BucketArn: `arn:aws:s3:::${Bucket}`,
      AccessPointAlias: false,
    });
    const { Buckets } = await t.s3.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toContain(Bucket);
    expect((await t.s3.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBeUndefined();
    expect((await t.s3.send(new DeleteBucketCommand({ Bucket }))).$metadata.httpStatusCode).toBe(204);
    expect(await refusal(t.s3.send(new HeadBucketCommand({ Bucket })))).toMatchObject({ status: 404 });
    expect(await refusal(t.s3.send(new DeleteBucketCommand({ Bucket })))).toMatchObject({
      status: 404,
      code: "NoSuchBucket",
    });
  });

  test("can be made again by its owner in us-east-1, but not with tags", async () => {
    const again = await t.s3.send(new CreateBucketCommand({ Bucket }));
    expect(again.Location).toBe(`/${Bucket}`);
    const tagged = t.s3.send(
      new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { Tags: [{ Key: "a", Value: "1" }] } }),
    );
    expect(await refusal(tagged)).toMatchObject({ status: 409, code: "BucketAlreadyOwnedByYou" });
  });

  test.each(["Upper", "under_score", "ab", "-dash", "a..b", "192.168.1.1", "x".repeat(64)])(
    "cannot be called %s",
    async (name) => {
      const reply = await signedRequest(t, { method: "PUT", path: `/${name}` });
      expect([reply.status, reply.code, xmlText(reply.body, "BucketName")]).toEqual([400, "InvalidBucketName", name]);
    },
  );

  test("cannot name us-east-1 as its location there", async () => {
    const body =
      "<CreateBucketConfiguration><LocationConstraint>us-east-1</LocationConstraint></CreateBucketConfiguration>";
    const reply = await signedRequest(t, { method: "PUT", path: `/${t.uniqueName("b")}`, body });
    expect([reply.status, reply.code]).toEqual([400, "InvalidLocationConstraint"]);
  });

  test("that is not empty stays", async () => {
    await t.s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" }));
    expect(await refusal(t.s3.send(new DeleteBucketCommand({ Bucket })))).toEqual({
      status: 409,
      code: "BucketNotEmpty",
      message: "The bucket you tried to delete is not empty",
    });
    await t.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    await t.s3.send(new DeleteObjectCommand({ Bucket, Key: "k" }));
    expect(await refusal(t.s3.send(new DeleteBucketCommand({ Bucket })))).toEqual({
      status: 409,
      code: "BucketNotEmpty",
      message: "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
    });
  });

  test("is listed by prefix, page by page", async () => {
    const prefix = t.uniqueName("page");
    for (const n of ["a", "b", "c"]) await t.s3.send(new CreateBucketCommand({ Bucket: `${prefix}-${n}` }));
    const one = await t.s3.send(new ListBucketsCommand({ Prefix: prefix, MaxBuckets: 2 }));
    expect(one.Buckets?.map(({ Name, BucketRegion }) => [Name, BucketRegion])).toEqual([
      [`${prefix}-a`, "us-east-1"],
      [`${prefix}-b`, "us-east-1"],
    ]);
    const two = await t.s3.send(new ListBucketsCommand({ Prefix: prefix, ContinuationToken: one.ContinuationToken }));
    expect(two.Buckets?.map(({ Name }) => Name)).toEqual([`${prefix}-c`]);
    const bad = t.s3.send(new ListBucketsCommand({ BucketRegion: "eu-east-1" }));
    expect(await refusal(bad)).toMatchObject({ status: 400, code: "InvalidArgument" });
  });

  test("has an owner that can be expected", async () => {
    const head = (ExpectedBucketOwner: string) => t.s3.send(new GetBucketAclCommand({ Bucket, ExpectedBucketOwner }));
    await head(t.accountId);
    expect(await refusal(head("111111111111"))).toMatchObject({ status: 403, code: "AccessDenied" });
    expect(await refusal(head("0000"))).toMatchObject({ status: 400, code: "InvalidBucketOwnerAWSAccountID" });
    const policy = (ExpectedBucketOwner: string) =>
      t.s3.send(new GetBucketPolicyCommand({ Bucket, ExpectedBucketOwner }));
    expect(await refusal(policy("0000"))).toMatchObject({ status: 400, code: "InvalidBucketOwnerAWSAccountID" });
    expect(await refusal(policy("111111111111"))).toMatchObject({ status: 403, code: "AccessDenied" });
  });

  test("takes one sub-resource in a query", async () => {
    const reply = await signedRequest(t, { method: "GET", path: `/${Bucket}`, query: "acl&policy" });
    expect([reply.status, reply.code]).toEqual([400, "InvalidArgument"]);
    expect(xmlText(reply.body, "Message")).toBe("Conflicting query string parameters: acl, policy");
    const onObject = await signedRequest(t, { method: "GET", path: `/${Bucket}/k`, query: "tagging&torrent" });
    expect(xmlText(onObject.body, "Message")).toBe("Conflicting query string parameters: tagging, torrent");
  });
});

describe("what was never configured", () => {
  test("answers as Terraform and the SDKs expect", async () => {
    const get = async (command: object) => {
      try {
        const { $metadata, ...rest } = (await t.s3.send(command as GetBucketAclCommand)) as { $metadata: object };
        return rest;
      } catch (error) {
        return `${(error as { $metadata: { httpStatusCode: number } }).$metadata.httpStatusCode} ${(error as Error).name}`;
      }
    };
    const at = { Bucket };
    expect({
      policy: await get(new GetBucketPolicyCommand(at)),
      policyStatus: await get(new GetBucketPolicyStatusCommand(at)),
      cors: await get(new GetBucketCorsCommand(at)),
      website: await get(new GetBucketWebsiteCommand(at)),
      lifecycle: await get(new GetBucketLifecycleConfigurationCommand(at)),
      replication: await get(new GetBucketReplicationCommand(at)),
      objectLock: await get(new GetObjectLockConfigurationCommand(at)),
      tagging: await get(new GetBucketTaggingCommand(at)),
      encryption: await get(new GetBucketEncryptionCommand(at)),
      publicAccessBlock: await get(new GetPublicAccessBlockCommand(at)),
      ownership: await get(new GetBucketOwnershipControlsCommand(at)),
      versioning: await get(new GetBucketVersioningCommand(at)),
      accelerate: await get(new GetBucketAccelerateConfigurationCommand(at)),
      logging: await get(new GetBucketLoggingCommand(at)),
      requestPayment: await get(new GetBucketRequestPaymentCommand(at)),
      acl: await get(new GetBucketAclCommand(at)),
    }).toEqual({
      policy: "404 NoSuchBucketPolicy",
      policyStatus: "404 NoSuchBucketPolicy",
      cors: "404 NoSuchCORSConfiguration",
      website: "404 NoSuchWebsiteConfiguration",
      lifecycle: "404 NoSuchLifecycleConfiguration",
      replication: "404 ReplicationConfigurationNotFoundError",
      objectLock: "404 ObjectLockConfigurationNotFoundError",
      tagging: "404 NoSuchTagSet",
      encryption: {
        ServerSideEncryptionConfiguration: {
          Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" }, BucketKeyEnabled: false }],
        },
      },
      publicAccessBlock: {
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          IgnorePublicAcls: true,
          BlockPublicPolicy: true,
          RestrictPublicBuckets: true,
        },
      },
      ownership: { OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] } },
      versioning: {},
      accelerate: {},
      logging: {},
      requestPayment: { Payer: "BucketOwner" },
      acl: {
        Owner: { ID: expect.stringMatching(/^[0-9a-f]{64}$/) },
        Grants: [
          {
            Grantee: { Type: "CanonicalUser", ID: expect.stringMatching(/^[0-9a-f]{64}$/) },
            Permission: "FULL_CONTROL",
          },
        ],
      },
    });
  });
});

describe("a configuration comes back as it was put, and goes with its delete:", () => {
  test("policy", async () => {
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: { Effect: "Deny", Principal: "*", Action: "s3:DeleteObject", Resource: `arn:aws:s3:::${Bucket}/*` },
    });
    await t.s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    expect((await t.s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toBe(Policy);
    const { PolicyStatus } = await t.s3.send(new GetBucketPolicyStatusCommand({ Bucket }));
    expect(PolicyStatus?.IsPublic).toBe(false);
    for (let time = 0; time < 2; time++) await t.s3.send(new DeleteBucketPolicyCommand({ Bucket }));
    expect(await refusal(t.s3.send(new GetBucketPolicyCommand({ Bucket })))).toMatchObject({ status: 404 });
  });

  test.each([
    ["not JSON", "Policies must be valid JSON and the first byte must be '{'"],
    ["{}", "Missing required field Statement"],
    ...(
      [
        [{ Principal: { AWS: "somebody" } }, "Invalid principal in policy"],
        [{ Principal: { Service: "lambda" } }, "Invalid principal in policy"],
        [{ Principal: { Aws: "*" } }, "Invalid principal in policy"],
        [{ Principal: "somebody" }, "Invalid principal in policy"],
        [{ Conditions: { Bool: { "aws:SecureTransport": "false" } } }, "Unknown field Conditions"],
      ] as const
    ).map(([slip, message]): [string, string] => {
      const all = { Effect: "Deny", Principal: "*", Action: "s3:*", Resource: "*", ...slip };
      return [JSON.stringify({ Version: "2012-10-17", Statement: [all] }), message];
    }),
  ])("policy %s is MalformedPolicy", async (Policy, message) => {
    const put = t.s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    expect(await refusal(put)).toEqual({ status: 400, code: "MalformedPolicy", message });
  });

  test("policy of a role that is not there is MalformedPolicy, in a condition it may stand", async () => {
    const role = `arn:aws:iam::${t.accountId}:role/${t.uniqueName("nobody")}`;
    const put = (statement: object) => {
      const all = { Effect: "Deny", Action: "s3:*", Resource: `arn:aws:s3:::${Bucket}/none/*`, ...statement };
      const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [all] });
      return t.s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    };
    expect(await refusal(put({ Principal: { AWS: ["*", role] } }))).toEqual({
      status: 400,
      code: "MalformedPolicy",
      message: "Invalid principal in policy",
    });
    await put({ Principal: "*", Condition: { ArnEquals: { "aws:PrincipalArn": role } } });
    await t.s3.send(new DeleteBucketPolicyCommand({ Bucket }));
  });

  test("a public policy only once public policies are not blocked", async () => {
    const Policy = JSON.stringify({
      Statement: [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${Bucket}/*` }],
    });
    const put = () => t.s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    expect(await refusal(put())).toMatchObject({ status: 403, code: "AccessDenied" });
    await t.s3.send(new DeletePublicAccessBlockCommand({ Bucket }));
    await put();
    const { PolicyStatus } = await t.s3.send(new GetBucketPolicyStatusCommand({ Bucket }));
    expect(PolicyStatus?.IsPublic).toBe(true);
  });

  test("tags", async () => {
    const TagSet = [
      { Key: "team", Value: "data" },
      { Key: "é", Value: "" },
    ];
    const put = await t.s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
    expect(put.$metadata.httpStatusCode).toBe(204);
    expect((await t.s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet).toEqual(TagSet);
    await t.s3.send(new DeleteBucketTaggingCommand({ Bucket }));
    const gone = { status: 404, code: "NoSuchTagSet" };
    expect(await refusal(t.s3.send(new GetBucketTaggingCommand({ Bucket })))).toMatchObject(gone);
    const system = t.s3.send(
      new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: [{ Key: "aws:x", Value: "" }] } }),
    );
    expect(await refusal(system)).toMatchObject({
      status: 400,
      code: "InvalidTag",
      message: "System tags cannot be added/updated by requester",
    });
  });

  test("versioning", async () => {
    const status = async () => (await t.s3.send(new GetBucketVersioningCommand({ Bucket }))).Status;
    for (const Status of ["Enabled", "Suspended"] as const) {
      await t.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
      expect(await status()).toBe(Status);
    }
    const empty = await signedRequest(t, {
      method: "PUT",
      path: `/${Bucket}`,
      query: "versioning",
      body: "<VersioningConfiguration/>",
    });
    expect([empty.status, empty.code]).toEqual([400, "IllegalVersioningConfigurationException"]);
  });

  test("encryption", async () => {
    const Rules = [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" as const }, BucketKeyEnabled: true }];
    await t.s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } }));
    const get = () => t.s3.send(new GetBucketEncryptionCommand({ Bucket }));
    expect((await get()).ServerSideEncryptionConfiguration?.Rules).toEqual(Rules);
    const withKey = [
      { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" as const, KMSMasterKeyID: "key" } },
    ];
    const put = new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules: withKey } });
    expect(await refusal(t.s3.send(put))).toMatchObject({ status: 400, code: "InvalidArgument" });
    await t.s3.send(new DeleteBucketEncryptionCommand({ Bucket }));
    expect((await get()).ServerSideEncryptionConfiguration?.Rules?.[0]?.BucketKeyEnabled).toBe(false);
  });

  test("public access block", async () => {
    const PublicAccessBlockConfiguration = {
      BlockPublicAcls: true,
      IgnorePublicAcls: false,
      BlockPublicPolicy: false,
      RestrictPublicBuckets: true,
    };
    await t.s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }));
    const get = () => t.s3.send(new GetPublicAccessBlockCommand({ Bucket }));
    expect((await get()).PublicAccessBlockConfiguration).toEqual(PublicAccessBlockConfiguration);
    await t.s3.send(new DeletePublicAccessBlockCommand({ Bucket }));
    expect(await refusal(get())).toMatchObject({ status: 404, code: "NoSuchPublicAccessBlockConfiguration" });
  });

  test("ownership controls", async () => {
    const OwnershipControls = { Rules: [{ ObjectOwnership: "BucketOwnerPreferred" as const }] };
    await t.s3.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls }));
    const get = () => t.s3.send(new GetBucketOwnershipControlsCommand({ Bucket }));
    expect((await get()).OwnershipControls).toEqual(OwnershipControls);
    await t.s3.send(new DeleteBucketOwnershipControlsCommand({ Bucket }));
    expect(await refusal(get())).toMatchObject({ status: 404, code: "OwnershipControlsNotFoundError" });
  });

  test("CORS is refused by name: web pages have no way in that it could open", async () => {
    const CORSRules = [{ AllowedMethods: ["GET"], AllowedOrigins: ["*"] }];
    const refused = await refusal(t.s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } })));
    expect(refused).toMatchObject({ status: 501, code: "NotImplemented" });
    expect(refused.message).toContain("s3:PutBucketCors");
    await t.s3.send(new DeleteBucketCorsCommand({ Bucket }));
    const gone = { status: 404, code: "NoSuchCORSConfiguration" };
    expect(await refusal(t.s3.send(new GetBucketCorsCommand({ Bucket })))).toMatchObject(gone);
  });

  const rules: LifecycleRule[] = [
    { ID: "old style", Status: "Disabled", Prefix: "a/", Expiration: { Date: new Date("2031-01-01T00:00:00Z") } },
    {
      ID: "and",
      Status: "Enabled",
      Filter: { And: { Prefix: "tmp/", Tags: [{ Key: "t", Value: "1" }], ObjectSizeGreaterThan: 5 } },
      Expiration: { Days: 3 },
      NoncurrentVersionExpiration: { NoncurrentDays: 2, NewerNoncurrentVersions: 1 },
    },
    {
      ID: "uploads",
      Status: "Enabled",
      Filter: { Prefix: "" },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
    },
  ];

  test("lifecycle", async () => {
    const put = (more: object = {}) =>
      t.s3.send(
        new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: rules }, ...more }),
      );
    expect((await put()).TransitionDefaultMinimumObjectSize).toBe("all_storage_classes_128K");
    await put({ TransitionDefaultMinimumObjectSize: "varies_by_storage_class" });
    const got = await t.s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
    expect(got.Rules).toEqual(rules);
    expect(got.TransitionDefaultMinimumObjectSize).toBe("varies_by_storage_class");
    await t.s3.send(new DeleteBucketLifecycleCommand({ Bucket }));
    const gone = refusal(t.s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket })));
    expect(await gone).toMatchObject({ status: 404, code: "NoSuchLifecycleConfiguration" });
  });

  test("objects tell when a lifecycle rule will expire them", async () => {
    await t.s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: rules } }));
    const put = (Key: string) => t.s3.send(new PutObjectCommand({ Bucket, Key, Body: "123456", Tagging: "t=1" }));
    expect((await put("tmp/x")).Expiration).toMatch(
      /^expiry-date="\w{3}, \d\d \w{3} \d{4} 00:00:00 GMT", rule-id="and"$/,
    );
    expect((await put("kept/x")).Expiration).toBeUndefined();
    const head = await t.s3.send(new HeadObjectCommand({ Bucket, Key: "tmp/x" }));
    expect(head.Expiration).toContain('rule-id="and"');
  });
});

describe("access control lists", () => {
  test.each([
    ["nothing", {}, "", "MissingSecurityHeader"],
    ["a canned one and a document", { "x-amz-acl": "private" }, "<AccessControlPolicy/>", "UnexpectedContent"],
    ["a document that is none", {}, "<AccessControlPolicy>", "MalformedACLError"],
    ["a document without a list", {}, "<AccessControlPolicy/>", "MalformedACLError"],
  ])("cannot be put as %s", async (_what, headers, body, code) => {
    const reply = await signedRequest(t, {
      method: "PUT",
      path: `/${Bucket}`,
      query: "acl",
      headers: headers as Record<string, string>,
      body,
    });
    expect([reply.status, reply.code]).toEqual([400, code]);
  });

  test("say only what is so: the owner alone", async () => {
    await t.s3.send(new PutBucketAclCommand({ Bucket, ACL: "private" }));
    const open = t.s3.send(new PutBucketAclCommand({ Bucket, ACL: "public-read" }));
    expect(await refusal(open)).toMatchObject({ status: 400, code: "AccessControlListNotSupported" });
    const put = (ACL: "public-read" | "bucket-owner-full-control") =>
      t.s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x", ACL }));
    await put("bucket-owner-full-control");
    expect(await refusal(put("public-read"))).toMatchObject({ status: 400, code: "AccessControlListNotSupported" });
    const unknown = await signedRequest(t, {
      method: "PUT",
      path: `/${Bucket}/k`,
      headers: { "x-amz-acl": "nobody" },
      body: "x",
    });
    expect([unknown.status, unknown.code, xmlText(unknown.body, "ArgumentName")]).toEqual([
      400,
      "InvalidArgument",
      "x-amz-acl",
    ]);
  });
});

test("a public access control list is refused where those are blocked", async () => {
  const bucket = t.uniqueName("acl");
  const ObjectOwnership = "ObjectWriter" as const;
  const open = t.s3.send(new CreateBucketCommand({ Bucket: bucket, ACL: "public-read", ObjectOwnership }));
  expect(await refusal(open)).toMatchObject({ status: 400, code: "InvalidBucketAclWithBlockPublicAccessError" });
  await t.s3.send(new CreateBucketCommand({ Bucket: bucket, ObjectOwnership }));
  for (const [command, action] of [
    [new PutBucketAclCommand({ Bucket: bucket, ACL: "public-read" }), "s3:PutBucketAcl"],
    [new PutObjectCommand({ Bucket: bucket, Key: "k", Body: "x", ACL: "public-read" }), "s3:PutObject"],
  ] as const) {
    expect(await refusal(t.s3.send(command as PutObjectCommand))).toEqual({
      status: 403,
      code: "AccessDenied",
      message: expect.stringMatching(`perform: ${action} on resource: .* prevented by the BlockPublicAcls setting`),
    });
  }
});

test.skipIf(!isOurs)("a bucket in another region is refused, with what helps", async () => {
  const CreateBucketConfiguration = { LocationConstraint: "eu-west-1" } as const;
  const call = t.s3.send(new CreateBucketCommand({ Bucket: t.uniqueName("elsewhere"), CreateBucketConfiguration }));
  expect(await refusal(call)).toMatchObject({ status: 501, message: expect.stringContaining("--region eu-west-1") });
});

test.skipIf(!isOurs)("what has no effect here is refused by name", async () => {
  const replicate = t.s3.send(
    new PutBucketReplicationCommand({
      Bucket,
      ReplicationConfiguration: {
        Role: "r",
        Rules: [{ Status: "Enabled", Destination: { Bucket: "arn:aws:s3:::b" } }],
      },
    }),
  );
  expect(await refusal(replicate)).toEqual({
    status: 501,
    code: "NotImplemented",
    message: expect.stringContaining("s3:PutBucketReplication"),
  });
  const transition: LifecycleRule = {
    Status: "Enabled",
    Filter: { Prefix: "" },
    Transitions: [{ Days: 30, StorageClass: "GLACIER" }],
  };
  const lifecycle = t.s3.send(
    new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [transition] } }),
  );
  expect(await refusal(lifecycle)).toMatchObject({ status: 501, message: expect.stringContaining("Transition") });
});
