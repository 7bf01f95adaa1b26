import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteRolePermissionsBoundaryCommand,
  DetachRolePolicyCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  ListEntitiesForPolicyCommand,
  ListPoliciesCommand,
  ListPolicyTagsCommand,
  ListPolicyVersionsCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  SetDefaultPolicyVersionCommand,
  SimulatePrincipalPolicyCommand,
  TagPolicyCommand,
  UntagPolicyCommand,
} from "@aws-sdk/client-iam";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allow, LAMBDA, policy, refusal, trust } from "./policies.ts";
import { type Target, target } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

async function newPolicy(more: object = {}): Promise<string> {
  const command = new CreatePolicyCommand({
    PolicyName: t.uniqueName("policy"),
    PolicyDocument: allow("s3:GetObject"),
    ...more,
  });
  return (await t.iam.send(command)).Policy!.Arn!;
}

async function newRole(): Promise<string> {
  const RoleName = t.uniqueName("role");
  await t.iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust(LAMBDA) }));
  return RoleName;
}

describe("managed policies", () => {
  it("are created and described", async () => {
    const PolicyName = t.uniqueName("policy");
    const { Policy } = await t.iam.send(
      new CreatePolicyCommand({
        PolicyName,
        Path: "/lake/",
        Description: "reads",
        PolicyDocument: allow("s3:Get*"),
        Tags: [{ Key: "a", Value: "b" }],
      }),
    );
    expect(Policy).toMatchObject({
      PolicyName,
      Path: "/lake/",
      Arn: `arn:aws:iam::${t.accountId}:policy/lake/${PolicyName}`,
      DefaultVersionId: "v1",
      AttachmentCount: 0,
      PermissionsBoundaryUsageCount: 0,
      IsAttachable: true,
    });
    expect(Policy?.PolicyId).toMatch(/^ANPA[A-Z0-9]{17}$/);
    const described = (await t.iam.send(new GetPolicyCommand({ PolicyArn: Policy!.Arn! }))).Policy;
    expect(described).toMatchObject({
      Description: "reads",
      Tags: [{ Key: "a", Value: "b" }],
      CreateDate: Policy?.CreateDate,
    });
    const { PolicyVersion } = await t.iam.send(
      new GetPolicyVersionCommand({ PolicyArn: Policy!.Arn!, VersionId: "v1" }),
    );
    expect(PolicyVersion).toMatchObject({ VersionId: "v1", IsDefaultVersion: true });
    expect(decodeURIComponent(PolicyVersion!.Document!)).toBe(allow("s3:Get*"));
  });

  it("a second one of the name is refused, on any path", async () => {
    const PolicyName = t.uniqueName("policy");
    await newPolicy({ PolicyName });
    expect(await refusal(newPolicy({ PolicyName, Path: "/other/" }))).toMatchObject({
      name: "EntityAlreadyExistsException",
      status: 409,
      message: `A policy called ${PolicyName} already exists. Duplicate names are not allowed.`,
    });
  });

  it("are held against grammar and quota", async () => {
    expect(await refusal(newPolicy({ PolicyDocument: policy({ Effect: "Allow", Action: "*" }) }))).toMatchObject({
      name: "MalformedPolicyDocumentException",
      status: 400,
      message: "Policy statement must contain resources.",
    });
    const large = allow(
      "s3:*",
      Array.from({ length: 100 }, (_, index) => `arn:aws:s3:::${"b".repeat(60)}${index}`),
    );
    expect(await refusal(newPolicy({ PolicyDocument: large }))).toMatchObject({
      name: "LimitExceededException",
      status: 409,
      message: "Cannot exceed quota for PolicySize: 6144",
    });
  });

  it("have up to five versions, one of them the default", async () => {
    const PolicyArn = await newPolicy();
    const add = (action: string, SetAsDefault: boolean) =>
      t.iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: allow(action), SetAsDefault }));
    expect((await add("s3:PutObject", true)).PolicyVersion).toMatchObject({ VersionId: "v2", IsDefaultVersion: true });
    expect((await add("s3:List*", false)).PolicyVersion).toMatchObject({ VersionId: "v3", IsDefaultVersion: false });
    await add("s3:A", false);
    await add("s3:B", false);
    expect(await refusal(add("s3:C", false))).toMatchObject({ name: "LimitExceededException", status: 409 });
    await t.iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: "v4" }));
    expect((await add("s3:C", false)).PolicyVersion?.VersionId).toBe("v6");
    const { Versions } = await t.iam.send(new ListPolicyVersionsCommand({ PolicyArn }));
    expect(Versions?.map(({ VersionId }) => VersionId)).toEqual(["v6", "v5", "v3", "v2", "v1"]);
    expect(await refusal(t.iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: "v2" })))).toMatchObject({
      name: "DeleteConflictException",
      status: 409,
    });
    await t.iam.send(new SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: "v1" }));
    expect((await t.iam.send(new GetPolicyCommand({ PolicyArn }))).Policy?.DefaultVersionId).toBe("v1");
    expect((await refusal(t.iam.send(new DeletePolicyCommand({ PolicyArn })))).name).toBe("DeleteConflictException");
    const missing = new GetPolicyVersionCommand({ PolicyArn, VersionId: "v4" });
    expect(await refusal(t.iam.send(missing))).toMatchObject({ name: "NoSuchEntityException", status: 404 });
  });

  it("are counted where they are used, and cannot be deleted there", async () => {
    const PolicyArn = await newPolicy();
    const [attached, bounded] = [await newRole(), await newRole()];
    await t.iam.send(new AttachRolePolicyCommand({ RoleName: attached, PolicyArn }));
    await t.iam.send(new PutRolePermissionsBoundaryCommand({ RoleName: bounded, PermissionsBoundary: PolicyArn }));
    expect((await t.iam.send(new GetPolicyCommand({ PolicyArn }))).Policy).toMatchObject({
      AttachmentCount: 1,
      PermissionsBoundaryUsageCount: 1,
    });
    const entities = async (more: object = {}) =>
      (await t.iam.send(new ListEntitiesForPolicyCommand({ PolicyArn, ...more }))).PolicyRoles?.map(
        ({ RoleName }) => RoleName,
      );
    expect(await entities()).toEqual([attached, bounded].toSorted());
    expect(await entities({ PolicyUsageFilter: "PermissionsPolicy" })).toEqual([attached]);
    expect(await entities({ PolicyUsageFilter: "PermissionsBoundary" })).toEqual([bounded]);
    expect(await entities({ EntityFilter: "User" })).toEqual([]);
    const remove = new DeletePolicyCommand({ PolicyArn });
    const conflict = {
      name: "DeleteConflictException",
      status: 409,
      message: "Cannot delete a policy attached to entities.",
    };
    expect(await refusal(t.iam.send(remove))).toMatchObject(conflict);
    await t.iam.send(new DetachRolePolicyCommand({ RoleName: attached, PolicyArn }));
    expect(await refusal(t.iam.send(remove))).toMatchObject(conflict);
    await t.iam.send(new DeleteRolePermissionsBoundaryCommand({ RoleName: bounded }));
    await t.iam.send(remove);
    expect(await refusal(t.iam.send(remove))).toMatchObject({
      name: "NoSuchEntityException",
      status: 404,
      message: `Policy ${PolicyArn} was not found.`,
    });
  });

  it("are listed by scope, path and use", async () => {
    const Path = `/${t.uniqueName("path")}/`;
    const [first, second] = [await newPolicy({ Path }), await newPolicy({ Path })];
    await t.iam.send(new AttachRolePolicyCommand({ RoleName: await newRole(), PolicyArn: second }));
    const arns = async (more: object) =>
      (await t.iam.send(new ListPoliciesCommand(more))).Policies?.map(({ Arn }) => Arn);
    expect(await arns({ PathPrefix: Path })).toEqual([first, second].toSorted());
    expect(await arns({ PathPrefix: Path, OnlyAttached: true })).toEqual([second]);
    expect(await arns({ PathPrefix: Path, Scope: "AWS" })).toEqual([]);
    expect(await arns({ Scope: "AWS" })).toContain("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole");
    const page = await t.iam.send(new ListPoliciesCommand({ PathPrefix: Path, MaxItems: 1 }));
    expect([page.Policies?.length, page.IsTruncated]).toEqual([1, true]);
    expect(await arns({ PathPrefix: Path, MaxItems: 1, Marker: page.Marker })).toHaveLength(1);
  });

  it("have tags", async () => {
    const PolicyArn = await newPolicy({ Tags: [{ Key: "a", Value: "1" }] });
    await t.iam.send(new TagPolicyCommand({ PolicyArn, Tags: [{ Key: "b", Value: "2" }] }));
    await t.iam.send(new UntagPolicyCommand({ PolicyArn, TagKeys: ["a"] }));
    expect((await t.iam.send(new ListPolicyTagsCommand({ PolicyArn }))).Tags).toEqual([{ Key: "b", Value: "2" }]);
  });

  it.each([
    ["service-role/AWSLambdaBasicExecutionRole", "logs:PutLogEvents"],
    ["service-role/AWSLambdaSQSQueueExecutionRole", "sqs:ReceiveMessage"],
    ["service-role/AWSLambdaRole", "lambda:InvokeFunction"],
    ["AWSLambdaExecute", "s3:PutObject"],
    ["AmazonS3ReadOnlyAccess", "s3:Get*"],
    ["AmazonS3FullAccess", "s3:*"],
    ["AdministratorAccess", "*"],
  ])("AWS's own %s is known", async (name, action) => {
    const PolicyArn = `arn:aws:iam::aws:policy/${name}`;
    const { Policy } = await t.iam.send(new GetPolicyCommand({ PolicyArn }));
    const VersionId = Policy!.DefaultVersionId!;
    const { PolicyVersion } = await t.iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId }));
    const document = JSON.parse(decodeURIComponent(PolicyVersion!.Document!));
    expect([document.Statement].flat().flatMap(({ Action }) => Action)).toContain(action);
  });
});

describe("simulation", () => {
  it("says what a role may", async () => {
    const RoleName = await newRole();
    const PolicyDocument = policy(
      { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::raw/*" },
      { Effect: "Deny", Action: "s3:*", Resource: "arn:aws:s3:::raw/secret/*" },
      { Effect: "Allow", Action: "s3:ListBucket", Resource: "*", Condition: { StringLike: { "s3:prefix": "in/*" } } },
    );
    await t.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument }));
    const PolicySourceArn = `arn:aws:iam::${t.accountId}:role/${RoleName}`;
    const decide = async (ActionNames: string[], ResourceArns: string[], prefix?: string) =>
      (
        await t.iam.send(
          new SimulatePrincipalPolicyCommand({
            PolicySourceArn,
            ActionNames,
            ResourceArns,
            ...(prefix && {
              ContextEntries: [{ ContextKeyName: "s3:prefix", ContextKeyType: "string", ContextKeyValues: [prefix] }],
            }),
          }),
        )
      ).EvaluationResults?.map(({ EvalActionName, EvalDecision }) => `${EvalActionName} ${EvalDecision}`);
    expect(await decide(["s3:GetObject", "s3:PutObject"], ["arn:aws:s3:::raw/a"])).toEqual([
      "s3:GetObject allowed",
      "s3:PutObject implicitDeny",
    ]);
    expect(await decide(["s3:GetObject"], ["arn:aws:s3:::raw/secret/a"])).toEqual(["s3:GetObject explicitDeny"]);
    expect(await decide(["s3:ListBucket"], ["arn:aws:s3:::raw"], "in/x")).toEqual(["s3:ListBucket allowed"]);
    expect(await decide(["s3:ListBucket"], ["arn:aws:s3:::raw"], "out/x")).toEqual(["s3:ListBucket implicitDeny"]);
  });

  it("needs an action", async () => {
    const PolicySourceArn = `arn:aws:iam::${t.accountId}:role/${await newRole()}`;
    expect(
      await refusal(t.iam.send(new SimulatePrincipalPolicyCommand({ PolicySourceArn, ActionNames: [] }))),
    ).toMatchObject({ name: "ValidationError", status: 400 });
  });

  it("takes another boundary than the role's", async () => {
    const RoleName = await newRole();
    const PolicyDocument = policy({ Effect: "Allow", Action: "s3:*", Resource: "*" });
    await t.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument }));
    const simulate = new SimulatePrincipalPolicyCommand({
      PolicySourceArn: `arn:aws:iam::${t.accountId}:role/${RoleName}`,
      ActionNames: ["s3:GetObject", "s3:PutObject"],
      PermissionsBoundaryPolicyInputList: [policy({ Effect: "Allow", Action: "s3:Get*", Resource: "*" })],
    });
    const { EvaluationResults } = await t.iam.send(simulate);
    expect(
      EvaluationResults?.map(({ EvalDecision, PermissionsBoundaryDecisionDetail }) => [
        EvalDecision,
        PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary,
      ]),
    ).toEqual([
      ["allowed", true],
      ["implicitDeny", false],
    ]);
  });
});

describe.runIf((process.env.MINILAKE_TARGET ?? "embedded") === "embedded")(
  "what the embedded endpoint does not do",
  () => {
    it("is refused by name", async () => {
      expect(await refusal(t.iam.send(new CreateUserCommand({ UserName: "somebody" })))).toMatchObject({
        name: "NotImplemented",
        status: 501,
        message: "minilake's embedded endpoint does not implement iam:CreateUser.",
      });
    });
  },
);
