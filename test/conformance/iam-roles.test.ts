import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePermissionsBoundaryCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  GetUserCommand,
  ListAccountAliasesCommand,
  ListAttachedRolePoliciesCommand,
  ListInstanceProfilesForRoleCommand,
  ListRolePoliciesCommand,
  ListRolesCommand,
  ListRoleTagsCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  paginateListRoles,
  TagRoleCommand,
  UntagRoleCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
  UpdateRoleDescriptionCommand,
} from "@aws-sdk/client-iam";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allow, LAMBDA, policy, refusal, trust } from "./policies.ts";
import { type Target, target } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

async function newRole(more: object = {}): Promise<string> {
  const RoleName = t.uniqueName("role");
  await t.iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust(LAMBDA), ...more }));
  return RoleName;
}

const getRole = async (RoleName: string) => (await t.iam.send(new GetRoleCommand({ RoleName }))).Role!;

describe("roles", () => {
  it("are created, and described with what CreateRole leaves out", async () => {
    const RoleName = t.uniqueName("role");
    const document = trust(LAMBDA);
    const { Role: created } = await t.iam.send(
      new CreateRoleCommand({
        RoleName,
        Path: "/lake/curate/",
        Description: "Reads raw, writes curated",
        MaxSessionDuration: 7200,
        AssumeRolePolicyDocument: document,
        Tags: [{ Key: "minilake:lake", Value: "transactions" }],
      }),
    );
    const arn = `arn:aws:iam::${t.accountId}:role/lake/curate/${RoleName}`;
    expect(created).toMatchObject({ RoleName, Path: "/lake/curate/", Arn: arn });
    expect(created?.RoleId).toMatch(/^AROA[A-Z0-9]{17}$/);
    expect(created?.MaxSessionDuration).toBeUndefined();
    expect(decodeURIComponent(created?.AssumeRolePolicyDocument ?? "")).toBe(document);
    const role = await getRole(RoleName);
    expect(role).toMatchObject({
      Arn: arn,
      RoleId: created?.RoleId,
      Description: "Reads raw, writes curated",
      MaxSessionDuration: 7200,
      Tags: [{ Key: "minilake:lake", Value: "transactions" }],
      RoleLastUsed: {},
    });
    expect(role.CreateDate?.getMilliseconds()).toBe(0);
  });

  it("a document in an answer is percent-encoded as RFC 3986 has it", async () => {
    const document = trust(
      { AWS: "*" },
      { Sid: "All", Condition: { StringEquals: { "sts:ExternalId": "it's (1)!" } } },
    );
    const role = await getRole(await newRole({ AssumeRolePolicyDocument: document }));
    expect(role.AssumeRolePolicyDocument).toContain("it%27s%20%281%29%21");
    expect(decodeURIComponent(role.AssumeRolePolicyDocument!)).toBe(document);
  });

  it("a second one of the name is refused, whatever its case", async () => {
    const RoleName = await newRole();
    for (const name of [RoleName, RoleName.toUpperCase()]) {
      const command = new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: trust(LAMBDA) });
      expect(await refusal(t.iam.send(command))).toMatchObject({
        name: "EntityAlreadyExistsException",
        status: 409,
        message: `Role with name ${name} already exists.`,
      });
    }
  });

  it("one that is missing is NoSuchEntity, for every operation", async () => {
    const RoleName = t.uniqueName("missing");
    const calls = [
      new GetRoleCommand({ RoleName }),
      new DeleteRoleCommand({ RoleName }),
      new ListRolePoliciesCommand({ RoleName }),
      new ListAttachedRolePoliciesCommand({ RoleName }),
      new ListInstanceProfilesForRoleCommand({ RoleName }),
      new TagRoleCommand({ RoleName, Tags: [] }),
      new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument: allow("s3:*") }),
    ];
    for (const command of calls) {
      expect(await refusal(t.iam.send(command as GetRoleCommand))).toMatchObject({
        name: "NoSuchEntityException",
        status: 404,
        message: `The role with name ${RoleName} cannot be found.`,
      });
    }
  });

  it("are listed page by page, without what lists leave out", async () => {
    const prefix = `/${t.uniqueName("path")}/`;
    const names: string[] = [];
    for (let index = 0; index < 5; index++) {
      names.push(await newRole({ Path: prefix, Tags: [{ Key: "a", Value: "b" }] }));
    }
    const pages: number[] = [];
    const seen: string[] = [];
    for await (const page of paginateListRoles({ client: t.iam, pageSize: 2 }, { PathPrefix: prefix })) {
      pages.push(page.Roles?.length ?? 0);
      for (const role of page.Roles ?? []) {
        seen.push(role.RoleName!);
        expect(role.Tags).toBeUndefined();
        expect(role.MaxSessionDuration).toBe(3600);
      }
    }
    expect(pages).toEqual([2, 2, 1]);
    expect(seen).toEqual(names.toSorted());
    const { IsTruncated, Marker } = await t.iam.send(new ListRolesCommand({ PathPrefix: prefix }));
    expect([IsTruncated, Marker]).toEqual([false, undefined]);
  });

  it("are updated, one aspect at a time", async () => {
    const RoleName = await newRole({ Description: "old" });
    await t.iam.send(new UpdateRoleCommand({ RoleName, MaxSessionDuration: 43_200 }));
    expect(await getRole(RoleName)).toMatchObject({ Description: "old", MaxSessionDuration: 43_200 });
    await t.iam.send(new UpdateRoleCommand({ RoleName, Description: "" }));
    expect((await getRole(RoleName)).Description ?? "").toBe("");
    const { Role } = await t.iam.send(new UpdateRoleDescriptionCommand({ RoleName, Description: "new" }));
    expect(Role).toMatchObject({ Description: "new", MaxSessionDuration: 43_200 });
    const document = trust({ Service: ["lambda.amazonaws.com", "glue.amazonaws.com"] });
    await t.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: document }));
    expect(decodeURIComponent((await getRole(RoleName)).AssumeRolePolicyDocument!)).toBe(document);
  });

  it("are deleted once policies are detached, then deleted", async () => {
    const RoleName = await newRole();
    const PolicyArn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
    await t.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    await t.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument: allow("s3:*") }));
    expect(await refusal(t.iam.send(new DeleteRoleCommand({ RoleName })))).toMatchObject({
      name: "DeleteConflictException",
      status: 409,
      message: "Cannot delete entity, must detach all policies first.",
    });
    await t.iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
    expect(await refusal(t.iam.send(new DeleteRoleCommand({ RoleName })))).toMatchObject({
      name: "DeleteConflictException",
      message: "Cannot delete entity, must delete policies first.",
    });
    await t.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: "p" }));
    const profiles = await t.iam.send(new ListInstanceProfilesForRoleCommand({ RoleName }));
    expect(profiles.InstanceProfiles).toEqual([]);
    await t.iam.send(new DeleteRoleCommand({ RoleName }));
    expect((await refusal(t.iam.send(new GetRoleCommand({ RoleName })))).name).toBe("NoSuchEntityException");
  });

  it.each<[string, object, string]>([
    [
      "a name with a blank",
      { RoleName: "a b" },
      "1 validation error detected: Value 'a b' at 'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+",
    ],
    [
      "a name that is too long",
      { RoleName: "r".repeat(65) },
      `1 validation error detected: Value '${"r".repeat(65)}' at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64`,
    ],
    [
      "a session that is too short, and a bad path",
      { Path: "lake", MaxSessionDuration: 60 },
      "2 validation errors detected: Value 'lake' at 'path' failed to satisfy constraint: Member must satisfy regular expression pattern: (\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F); Value '60' at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600",
    ],
  ])("refused: %s", async (_, more, message) => {
    const command = new CreateRoleCommand({
      RoleName: t.uniqueName("role"),
      AssumeRolePolicyDocument: trust(LAMBDA),
      ...more,
    });
    expect(await refusal(t.iam.send(command))).toMatchObject({ name: "ValidationError", status: 400, message });
  });

  it.each([
    ["not JSON", "{", "This policy contains invalid Json"],
    ["a resource", trust(LAMBDA, { Resource: "*" }), "Has prohibited field Resource"],
    [
      "a missing role",
      trust({ AWS: "arn:aws:iam::000000000000:role/nobody-has-this" }),
      'Invalid principal in policy: "AWS":"arn:aws:iam::000000000000:role/nobody-has-this"',
    ],
  ])("a trust policy with %s is refused", async (_, document, message) => {
    const command = new CreateRoleCommand({ RoleName: t.uniqueName("role"), AssumeRolePolicyDocument: document });
    expect(await refusal(t.iam.send(command))).toMatchObject({
      name: "MalformedPolicyDocumentException",
      status: 400,
      message,
    });
  });

  it("a trust policy beyond its quota is refused", async () => {
    const sids = Array.from({ length: 60 }, (_, index) => ({
      Sid: `S${index}`,
      Effect: "Allow",
      Action: "sts:AssumeRole",
      Principal: LAMBDA,
    }));
    const command = new CreateRoleCommand({
      RoleName: t.uniqueName("role"),
      AssumeRolePolicyDocument: policy(...sids),
    });
    expect(await refusal(t.iam.send(command))).toMatchObject({
      name: "LimitExceededException",
      status: 409,
      message: "Cannot exceed quota for ACLSizePerRole: 2048",
    });
  });
});

describe("inline policies", () => {
  it("are put, read back as they were, replaced, listed and deleted", async () => {
    const RoleName = await newRole();
    const document = `{\n  "Version": "2012-10-17",\n  "Statement": {"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::a+b/*"}\n}`;
    await t.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "b", PolicyDocument: allow("s3:Get*") }));
    await t.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "a", PolicyDocument: allow("sqs:*") }));
    await t.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "b", PolicyDocument: document }));
    const read = await t.iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: "b" }));
    expect(read).toMatchObject({ RoleName, PolicyName: "b" });
    expect(decodeURIComponent(read.PolicyDocument!)).toBe(document);
    const listed = await t.iam.send(new ListRolePoliciesCommand({ RoleName }));
    expect(listed).toMatchObject({ PolicyNames: ["a", "b"], IsTruncated: false });
    await t.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: "a" }));
    for (const command of [
      new GetRolePolicyCommand({ RoleName, PolicyName: "a" }),
      new DeleteRolePolicyCommand({ RoleName, PolicyName: "a" }),
    ]) {
      expect(await refusal(t.iam.send(command as GetRolePolicyCommand))).toMatchObject({
        name: "NoSuchEntityException",
        status: 404,
        message: "The role policy with name a cannot be found.",
      });
    }
  });

  it("may have the names of JavaScript's own members, and none is there that nobody put", async () => {
    const RoleName = await newRole();
    for (const PolicyName of ["constructor", "toString"]) {
      for (const command of [
        new GetRolePolicyCommand({ RoleName, PolicyName }),
        new DeleteRolePolicyCommand({ RoleName, PolicyName }),
      ]) {
        expect(await refusal(t.iam.send(command as GetRolePolicyCommand))).toMatchObject({
          name: "NoSuchEntityException",
          message: `The role policy with name ${PolicyName} cannot be found.`,
        });
      }
      await t.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: allow("sqs:*") }));
      expect(await t.iam.send(new ListRolePoliciesCommand({ RoleName }))).toMatchObject({ PolicyNames: [PolicyName] });
      const read = await t.iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
      expect(decodeURIComponent(read.PolicyDocument!)).toBe(allow("sqs:*"));
      await t.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
      expect(await t.iam.send(new ListRolePoliciesCommand({ RoleName }))).toMatchObject({ PolicyNames: [] });
    }
  });

  it("are held against the grammar and the quota", async () => {
    const RoleName = await newRole();
    const put = (PolicyName: string, PolicyDocument: string) =>
      t.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }));
    expect(await refusal(put("p", allow("GetObject")))).toMatchObject({
      name: "MalformedPolicyDocumentException",
      status: 400,
      message: "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    });
    const large = allow(
      "s3:GetObject",
      Array.from({ length: 100 }, (_, index) => `arn:aws:s3:::${"b".repeat(50)}${index}/*`),
    );
    await put("one", large);
    expect(await refusal(put("two", large))).toMatchObject({
      name: "LimitExceededException",
      status: 409,
      message: `Maximum policy size of 10240 bytes exceeded for role ${RoleName}`,
    });
    await put("one", large);
  });
});

describe("attached policies", () => {
  const arnOf = (name: string) => `arn:aws:iam::aws:policy/${name}`;

  it("are attached once, listed and detached", async () => {
    const RoleName = await newRole();
    const PolicyArn = arnOf("AmazonS3ReadOnlyAccess");
    await t.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    await t.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    const listed = await t.iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
    expect(listed).toMatchObject({
      AttachedPolicies: [{ PolicyName: "AmazonS3ReadOnlyAccess", PolicyArn }],
      IsTruncated: false,
    });
    await t.iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
    expect(await refusal(t.iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn })))).toMatchObject({
      name: "NoSuchEntityException",
      message: `Policy ${PolicyArn} was not found.`,
    });
  });

  it.each([
    ["longpolicynamebutnoarn", "ValidationError", 400, "Invalid ARN:  Could not be parsed!"],
    [
      "arn:aws:iam::aws:policy/NobodyHasThis",
      "NoSuchEntityException",
      404,
      "Policy arn:aws:iam::aws:policy/NobodyHasThis does not exist or is not attachable.",
    ],
  ])("%s cannot be attached", async (PolicyArn, name, status, message) => {
    const RoleName = await newRole();
    expect(await refusal(t.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn })))).toMatchObject({
      name,
      status,
      message,
    });
  });

  it("ten are the most", async () => {
    const RoleName = await newRole();
    const attach = async () => {
      const { Policy } = await t.iam.send(
        new CreatePolicyCommand({ PolicyName: t.uniqueName("p"), PolicyDocument: allow("s3:*") }),
      );
      await t.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: Policy!.Arn! }));
    };
    for (let index = 0; index < 10; index++) await attach();
    expect(await refusal(attach())).toMatchObject({
      name: "LimitExceededException",
      status: 409,
      message: "Cannot exceed quota for PoliciesPerRole: 10",
    });
  });
});

describe("boundary and tags", () => {
  it("a boundary is set, shown and removed", async () => {
    const RoleName = await newRole();
    const PermissionsBoundary = "arn:aws:iam::aws:policy/AmazonS3FullAccess";
    await t.iam.send(new PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary }));
    expect((await getRole(RoleName)).PermissionsBoundary?.PermissionsBoundaryArn).toBe(PermissionsBoundary);
    await t.iam.send(new DeleteRolePermissionsBoundaryCommand({ RoleName }));
    expect((await getRole(RoleName)).PermissionsBoundary).toBeUndefined();
    const missing = `arn:aws:iam::${t.accountId}:policy/missing`;
    const command = new PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary: missing });
    expect(await refusal(t.iam.send(command))).toMatchObject({
      name: "NoSuchEntityException",
      message: `Scope ARN: ${missing} does not exist or is not attachable.`,
    });
  });

  it("tags are added, replaced without regard to case, removed and listed", async () => {
    const RoleName = await newRole({ Tags: [{ Key: "team", Value: "blue" }] });
    const Tags = [
      { Key: "TEAM", Value: "red" },
      { Key: "stage", Value: "curate" },
    ];
    await t.iam.send(new TagRoleCommand({ RoleName, Tags }));
    const listed = await t.iam.send(new ListRoleTagsCommand({ RoleName }));
    expect(listed.Tags?.map(({ Key, Value }) => `${Key?.toLowerCase()}=${Value}`).toSorted()).toEqual([
      "stage=curate",
      "team=red",
    ]);
    await t.iam.send(new UntagRoleCommand({ RoleName, TagKeys: ["stage", "absent"] }));
    expect((await getRole(RoleName)).Tags).toHaveLength(1);
  });

  it.each<[string, { Key: string; Value: string }[], string, number]>([
    [
      "a key twice",
      [
        { Key: "a", Value: "1" },
        { Key: "A", Value: "2" },
      ],
      "InvalidInputException",
      400,
    ],
    ["a key of AWS's", [{ Key: "aws:x", Value: "1" }], "InvalidInputException", 400],
    ["a key that is too long", [{ Key: "k".repeat(129), Value: "1" }], "ValidationError", 400],
    ["a value that is too long", [{ Key: "k", Value: "v".repeat(257) }], "ValidationError", 400],
    ["a letter that is not allowed", [{ Key: "k*", Value: "v" }], "ValidationError", 400],
    ["51 tags", Array.from({ length: 51 }, (_, index) => ({ Key: `k${index}`, Value: "" })), "ValidationError", 400],
  ])("refused: %s", async (_, Tags, name, status) => {
    const command = new CreateRoleCommand({
      RoleName: t.uniqueName("role"),
      AssumeRolePolicyDocument: trust(LAMBDA),
      Tags,
    });
    expect(await refusal(t.iam.send(command))).toMatchObject({ name, status });
  });

  it("fifty tags are the most, also one after the other", async () => {
    const RoleName = await newRole({
      Tags: Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}`, Value: "" })),
    });
    await t.iam.send(new TagRoleCommand({ RoleName, Tags: [{ Key: "k7", Value: "again" }] }));
    const command = new TagRoleCommand({ RoleName, Tags: [{ Key: "one more", Value: "" }] });
    expect(await refusal(t.iam.send(command))).toMatchObject({ name: "LimitExceededException", status: 409 });
  });
});

describe("the account", () => {
  it("its root is the only user", async () => {
    const { User } = await t.iam.send(new GetUserCommand({}));
    expect(User).toMatchObject({ Arn: `arn:aws:iam::${t.accountId}:root`, UserId: t.accountId });
    expect((await t.iam.send(new ListAccountAliasesCommand({}))).AccountAliases).toEqual([]);
  });
});
