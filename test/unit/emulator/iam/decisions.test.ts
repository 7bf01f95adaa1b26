import { describe, expect, it } from "vitest";
import type { Caller } from "../../../../src/emulator/access.ts";
import { ACCOUNT, ANONYMOUS, account, document, GET, NOW, ROOT, service, session } from "./account.ts";

const { authorize, identities, role } = account();

const EVERYTHING = document({ Effect: "Allow", Action: "*", Resource: "*" });
const reads = (Principal: unknown, parts: object = {}) =>
  document({ Effect: "Allow", Principal, Action: "s3:GetObject", Resource: "arn:aws:s3:::raw/*", ...parts });
const deniesReads = (Principal: unknown) =>
  document({ Effect: "Deny", Principal, Action: "s3:GetObject", Resource: "arn:aws:s3:::raw/*" });

describe("the resource policy's principal", () => {
  const reader = role({ name: "reader", path: "/lake/", arn: `arn:aws:iam::${ACCOUNT}:role/lake/reader` });
  const caller = session(reader);

  it.each<[string, unknown, boolean]>([
    ["everyone", "*", true],
    ["everyone of AWS", { AWS: "*" }, true],
    ["the role", { AWS: reader.arn }, true],
    ["the role's id", { AWS: reader.id }, true],
    ["the session", { AWS: caller.arn }, true],
    ["one of several", { AWS: ["arn:aws:iam::999999999999:root", reader.arn] }, true],
    ["another session of the role", { AWS: `${caller.arn}x` }, false],
    ["another role", { AWS: `arn:aws:iam::${ACCOUNT}:role/reader` }, false],
    ["the account alone, which only delegates", { AWS: `arn:aws:iam::${ACCOUNT}:root` }, false],
    ["the account's id alone, which only delegates", { AWS: ACCOUNT }, false],
    ["another account", { AWS: "999999999999" }, false],
    ["the same role of another account", { AWS: "arn:aws:iam::999999999999:role/lake/reader" }, false],
    ["a service", { Service: "s3.amazonaws.com" }, false],
    ["a canonical user", { CanonicalUser: "abc" }, false],
  ])("%s: a role without policies may read: %s", (_, principal, expected) => {
    expect(authorize(caller, { ...GET, resourcePolicy: reads(principal) }).allowed).toBe(expected);
  });

  it.each<[string, unknown, boolean]>([
    ["everyone", "*", true],
    ["the account", { AWS: ACCOUNT }, true],
    ["the role", { AWS: reader.arn }, true],
    ["the session", { AWS: caller.arn }, true],
    ["another role", { AWS: `arn:aws:iam::${ACCOUNT}:role/other` }, false],
    ["another account", { AWS: "999999999999" }, false],
  ])("a Deny for %s stops a role that may everything: %s", (_, principal, expected) => {
    const powerful = { ...reader, inline: { p: EVERYTHING } };
    role(powerful);
    expect(authorize(caller, { ...GET, resourcePolicy: deniesReads(principal) }).allowed).toBe(!expected);
    role(reader);
  });

  it("an account that only delegates, and a role that may: allowed", () => {
    role({ ...reader, inline: { p: EVERYTHING } });
    expect(authorize(caller, { ...GET, resourcePolicy: reads({ AWS: ACCOUNT }) }).allowed).toBe(true);
    role(reader);
  });

  it("NotPrincipal with Deny spares a session only when account, role and session are named", () => {
    role({ ...reader, inline: { p: EVERYTHING } });
    const deny = (NotPrincipal: unknown) =>
      document({ Effect: "Deny", NotPrincipal, Action: "*", Resource: "arn:aws:s3:::raw/*" });
    const allowed = (NotPrincipal: unknown) =>
      authorize(caller, { ...GET, resourcePolicy: deny(NotPrincipal) }).allowed;
    expect(allowed({ AWS: [ACCOUNT, reader.arn, caller.arn] })).toBe(true);
    expect(allowed({ AWS: [ACCOUNT, reader.arn] })).toBe(false);
    expect(allowed({ AWS: [reader.arn, caller.arn] })).toBe(false);
    expect(allowed({ Service: "s3.amazonaws.com" })).toBe(false);
    role(reader);
  });
});

describe("callers without policies of their own", () => {
  const queue = `arn:aws:sqs:eu-west-1:${ACCOUNT}:q`;
  const send = { action: "sqs:SendMessage", resource: queue };
  const fromS3 = (Condition: object) =>
    document({
      Effect: "Allow",
      Principal: { Service: "s3.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: queue,
      Condition,
    });

  it.each<[string, object, Partial<Caller>, boolean]>([
    ["no condition", {}, {}, true],
    ["the right bucket", { ArnLike: { "aws:SourceArn": "arn:aws:s3:*:*:raw" } }, {}, true],
    ["another bucket", { ArnLike: { "aws:SourceArn": "arn:aws:s3:::other" } }, {}, false],
    ["the right account", { StringEquals: { "AWS:SourceAccount": ACCOUNT } }, {}, true],
    ["another account", { StringEquals: { "aws:SourceAccount": "999999999999" } }, {}, false],
    ["another service", {}, { arn: "sns.amazonaws.com" }, false],
  ])("S3 may send to a queue, %s: %s", (_, condition, details, expected) => {
    expect(authorize(service(details), { ...send, resourcePolicy: fromS3(condition) }).allowed).toBe(expected);
  });

  it("a queue for everybody, under a condition on the bucket, is open to S3", () => {
    const policy = document({
      Effect: "Allow",
      Principal: "*",
      Action: "SQS:SendMessage",
      Resource: queue,
      Condition: { ArnLike: { "aws:SourceArn": "arn:aws:s3:*:*:raw" } },
    });
    expect(authorize(service(), { ...send, resourcePolicy: policy }).allowed).toBe(true);
    expect(authorize(ANONYMOUS, { ...send, resourcePolicy: policy }).allowed).toBe(false);
  });

  it("a service without a policy that allows it may nothing", () => {
    expect(authorize(service(), send).allowed).toBe(false);
    expect(
      authorize(service(), {
        ...send,
        resourcePolicy: document({ Effect: "Allow", Principal: { AWS: ACCOUNT }, Action: "*", Resource: "*" }),
      }).allowed,
    ).toBe(false);
  });

  it("nobody in particular may what everyone may", () => {
    expect(authorize(ANONYMOUS, GET)).toEqual({ allowed: false, message: "Access Denied" });
    expect(authorize(ANONYMOUS, { ...GET, resourcePolicy: reads("*") }).allowed).toBe(true);
    expect(authorize(ANONYMOUS, { ...GET, resourcePolicy: reads({ AWS: ACCOUNT }) }).allowed).toBe(false);
    expect(authorize(ANONYMOUS, { ...GET, resourcePolicy: deniesReads("*") }).allowed).toBe(false);
  });

  it("the account root may everything that no resource policy denies", () => {
    expect(authorize(ROOT, GET).allowed).toBe(true);
    expect(authorize(ROOT, { ...GET, resourcePolicy: reads({ AWS: "999999999999" }) }).allowed).toBe(true);
    for (const principal of ["*", { AWS: ACCOUNT }, { AWS: ROOT.arn }]) {
      expect(authorize(ROOT, { ...GET, resourcePolicy: deniesReads(principal) })).toEqual({
        allowed: false,
        message: `User: ${ROOT.arn} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::raw/in/a.csv" with an explicit deny in a resource-based policy`,
      });
    }
  });
});

describe("boundaries and session policies", () => {
  const policy = (name: string, text: string) => {
    const arn = `arn:aws:iam::${ACCOUNT}:policy/${name}`;
    identities.change(() =>
      identities.putPolicy({
        name,
        path: "/",
        id: `ANPA${name}`,
        arn,
        createdAt: NOW,
        updatedAt: NOW,
        description: undefined,
        defaultVersionId: "v2",
        nextVersion: 3,
        versions: [
          { id: "v1", document: EVERYTHING, createdAt: NOW },
          { id: "v2", document: text, createdAt: NOW },
        ],
        tags: [],
      }),
    );
    return arn;
  };
  const onlyReads = policy("onlyReads", document({ Effect: "Allow", Action: "s3:Get*", Resource: "*" }));
  const noReads = policy("noReads", document({ Effect: "Deny", Action: "s3:Get*", Resource: "*" }));
  const put = { ...GET, action: "s3:PutObject" };
  const inline = { p: EVERYTHING };

  it("an attached policy counts with its default version", () => {
    const attached = session(role({ attached: [onlyReads] }));
    expect(authorize(attached, GET).allowed).toBe(true);
    expect(authorize(attached, put).allowed).toBe(false);
  });

  it("AWS's own policies can be attached", () => {
    const attached = session(role({ attached: ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"] }));
    const logs = { action: "logs:PutLogEvents", resource: "arn:aws:logs:eu-west-1:1:log-group:g:log-stream:s" };
    expect(authorize(attached, logs).allowed).toBe(true);
    expect(authorize(attached, GET).allowed).toBe(false);
  });

  it("a boundary limits what the role's policies allow, and allows nothing itself", () => {
    expect(authorize(session(role({ inline, boundaryArn: onlyReads })), GET).allowed).toBe(true);
    expect(authorize(session(role({ inline, boundaryArn: onlyReads })), put)).toEqual({
      allowed: false,
      message: expect.stringContaining("because no permissions boundary allows the s3:PutObject action"),
    });
    expect(authorize(session(role({ boundaryArn: onlyReads })), GET).allowed).toBe(false);
    expect(authorize(session(role({ inline, boundaryArn: noReads })), GET).message).toContain(
      "with an explicit deny in a permissions boundary",
    );
  });

  it("session policies limit together", () => {
    const caller = session(role({ inline }), {
      sessionPolicies: [
        document({ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }),
        document({ Effect: "Allow", Action: "s3:ListBucket", Resource: "*" }),
      ],
    });
    expect(authorize(caller, GET).allowed).toBe(true);
    expect(authorize(caller, { action: "s3:ListBucket", resource: "arn:aws:s3:::raw" }).allowed).toBe(true);
    expect(authorize(caller, put).message).toContain("because no session policy allows the s3:PutObject action");
    const denied = session(role({ inline }), {
      sessionPolicies: [EVERYTHING, document({ Effect: "Deny", Action: "s3:Get*", Resource: "*" })],
    });
    expect(authorize(denied, GET).message).toContain("with an explicit deny in a session policy");
  });

  it("a grant to the role is limited by boundary and session, a grant to the session is not", () => {
    const limited = role({
      boundaryArn: policy("onlyLists", document({ Effect: "Allow", Action: "s3:List*", Resource: "*" })),
    });
    const caller = session(limited);
    expect(authorize(caller, { ...GET, resourcePolicy: reads({ AWS: limited.arn }) }).message).toContain(
      "because no permissions boundary allows",
    );
    expect(authorize(caller, { ...GET, resourcePolicy: reads("*") }).allowed).toBe(false);
    expect(authorize(caller, { ...GET, resourcePolicy: reads({ AWS: caller.arn }) }).allowed).toBe(true);
    const narrowed = session(role({ name: "narrowed" }), {
      sessionPolicies: [document({ Effect: "Allow", Action: "s3:List*", Resource: "*" })],
    });
    expect(authorize(narrowed, { ...GET, resourcePolicy: reads({ AWS: narrowed.role!.arn }) }).allowed).toBe(false);
    expect(authorize(narrowed, { ...GET, resourcePolicy: reads({ AWS: narrowed.arn }) }).allowed).toBe(true);
  });

  it("a change of the role or the policy is effective at once", () => {
    const changing = role();
    const caller = session(changing);
    expect(authorize(caller, GET).allowed).toBe(false);
    role({ ...changing, attached: [policy("changing", document({ Effect: "Allow", Action: "*", Resource: "*" }))] });
    expect(authorize(caller, GET).allowed).toBe(true);
    policy("changing", document({ Effect: "Deny", Action: "*", Resource: "*" }));
    expect(authorize(caller, GET).allowed).toBe(false);
  });

  it("a role that was deleted, or made anew under its name, gives its old sessions nothing", () => {
    const gone = role({ inline });
    const caller = session(gone);
    identities.change(() => identities.removeRole(gone.name));
    expect(authorize(caller, GET).allowed).toBe(false);
    role({ name: gone.name, inline });
    expect(authorize(caller, GET).allowed).toBe(false);
  });
});

describe("the sentence of a refusal", () => {
  const named = role({ name: "named" });
  const arn = `arn:aws:sts::${ACCOUNT}:assumed-role/named/work`;
  const queue = "arn:aws:sqs:eu-west-1:1:q";

  it.each<[string, string, string]>([
    [
      "s3:GetObject",
      "arn:aws:s3:::raw/a",
      `s3:GetObject on resource: "arn:aws:s3:::raw/a" because no identity-based policy allows the s3:GetObject action`,
    ],
    [
      "sqs:SendMessage",
      queue,
      `sqs:sendmessage on resource: ${queue} because no identity-based policy allows the sqs:sendmessage action`,
    ],
    [
      "logs:PutLogEvents",
      "arn:aws:logs:r:1:log-group:g",
      "logs:PutLogEvents on resource: arn:aws:logs:r:1:log-group:g because no identity-based policy allows the logs:PutLogEvents action",
    ],
    ["sts:AssumeRole", "arn:aws:iam::1:role/r", "sts:AssumeRole on resource: arn:aws:iam::1:role/r"],
    ...(
      [
        ["iam:GetRole", "arn:aws:iam::1:role/a/r", "role r"],
        ["iam:PutRolePolicy", "arn:aws:iam::1:role/r", "role r"],
        ["iam:CreateRole", "arn:aws:iam::1:role/r", "arn:aws:iam::1:role/r"],
        ["iam:PassRole", "arn:aws:iam::1:role/r", "arn:aws:iam::1:role/r"],
        ["iam:ListRoles", "arn:aws:iam::1:role/", "arn:aws:iam::1:role/"],
        ["iam:CreatePolicy", "arn:aws:iam::1:policy/a/p", "policy p"],
        ["iam:GetPolicy", "arn:aws:iam::1:policy/a/p", "policy arn:aws:iam::1:policy/a/p"],
        ["iam:ListPolicies", "arn:aws:iam::1:policy/", "arn:aws:iam::1:policy/"],
        ["iam:GetUser", "arn:aws:iam::1:user/u", "user u"],
      ] as const
    ).map(([action, resource, printed]): [string, string, string] => [
      action,
      resource,
      `${action} on resource: ${printed} because no identity-based policy allows the ${action} action`,
    ]),
  ])("%s", (action, resource, rest) => {
    const message = `User: ${arn} is not authorized to perform: ${rest}`;
    expect(authorize(session(named), { action, resource })).toEqual({ allowed: false, message });
  });
});
