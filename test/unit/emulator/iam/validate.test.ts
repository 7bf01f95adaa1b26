import { describe, expect, it } from "vitest";
import { type PolicyKind, validatePolicy } from "../../../../src/emulator/iam/policy/validate.ts";

const STATEMENT = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
const TRUST = { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "lambda.amazonaws.com" } };
const policy = (...statements: object[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });

function problem(text: string, kind: PolicyKind): string | undefined {
  try {
    validatePolicy(text, kind);
    return undefined;
  } catch (error) {
    expect(error).toMatchObject({ code: "MalformedPolicyDocument", status: 400 });
    return (error as Error).message;
  }
}

describe("policies of a role", () => {
  it.each([
    ["one statement", policy(STATEMENT)],
    [
      "several, with ids",
      policy({ ...STATEMENT, Sid: "One" }, { ...STATEMENT, Sid: "Two" }, { ...STATEMENT, Sid: "" }),
    ],
    [
      "every element",
      policy({
        Sid: "A1",
        Effect: "Deny",
        NotAction: ["s3:*", "*"],
        NotResource: ["arn:aws:s3:::b/*"],
        Condition: { StringLikeIfExists: { "s3:prefix": ["a", 1, true] } },
      }),
    ],
    ["a statement that is no list", JSON.stringify({ Version: "2012-10-17", Id: "x", Statement: STATEMENT })],
    [
      "wildcards in parts of ARNs",
      policy({ ...STATEMENT, Resource: ["arn:*:s3:::x", "arn:aws:logs:*:*:*", "arn:aws:s3:::*"] }),
    ],
  ])("accepted: %s", (_, text) => {
    expect(problem(text, "identity")).toBeUndefined();
  });

  it.each([
    ["not JSON", "{", "Syntax errors in policy."],
    ["a list", "[]", "Syntax errors in policy."],
    [
      "an unknown element",
      JSON.stringify({ Version: "2012-10-17", Statement: [STATEMENT], Extra: 1 }),
      "Syntax errors in policy.",
    ],
    ["no statement", JSON.stringify({ Version: "2012-10-17" }), "Syntax errors in policy."],
    ["no statements", policy(), "Syntax errors in policy."],
    [
      "an unknown version",
      JSON.stringify({ Version: "2020-01-01", Statement: [STATEMENT] }),
      "Syntax errors in policy.",
    ],
    [
      "no version",
      JSON.stringify({ Statement: [STATEMENT] }),
      "Policy document must be version 2012-10-17 or greater.",
    ],
    ["a small effect", policy({ ...STATEMENT, Effect: "allow" }), "Syntax errors in policy."],
    ["no effect", policy({ Action: "s3:*", Resource: "*" }), "Syntax errors in policy."],
    ["Action and NotAction", policy({ ...STATEMENT, NotAction: "s3:*" }), "Syntax errors in policy."],
    ["a misspelt element", policy({ ...STATEMENT, Conditions: {} }), "Syntax errors in policy."],
    ["an action that is no text", policy({ ...STATEMENT, Action: [1] }), "Syntax errors in policy."],
    [
      "an unknown operator",
      policy({ ...STATEMENT, Condition: { StringIs: { "s3:prefix": "a" } } }),
      "Syntax errors in policy.",
    ],
    [
      "a condition without keys",
      policy({ ...STATEMENT, Condition: { StringEquals: "a" } }),
      "Syntax errors in policy.",
    ],
    [
      "a value that is an object",
      policy({ ...STATEMENT, Condition: { StringEquals: { "s3:prefix": {} } } }),
      "Syntax errors in policy.",
    ],
    ["no action", policy({ Effect: "Allow", Resource: "*" }), "Policy statement must contain actions."],
    ["no actions", policy({ ...STATEMENT, Action: [] }), "Policy statement must contain actions."],
    ["no resource", policy({ Effect: "Allow", Action: "s3:*" }), "Policy statement must contain resources."],
    ["a principal", policy({ ...STATEMENT, Principal: "*" }), "Policy document should not specify a principal."],
    [
      "an action without vendor",
      policy({ ...STATEMENT, Action: "GetObject" }),
      "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    ],
    ["two colons", policy({ ...STATEMENT, Action: "s3:Get:Object" }), "Actions/Condition can contain only one colon."],
    ["an odd vendor", policy({ ...STATEMENT, Action: "s_3:Get" }), "Vendor s_3 is not valid"],
    [
      "a resource that is no ARN",
      policy({ ...STATEMENT, Resource: "bucket" }),
      'Resource bucket must be in ARN format or "*".',
    ],
    [
      "an unknown partition",
      policy({ ...STATEMENT, Resource: "arn:gcp:s3:::b" }),
      'Partition "gcp" is not valid for resource "arn:gcp:s3:*:*:b".',
    ],
    [
      "a bucket in a region",
      policy({ ...STATEMENT, Resource: "arn:aws:s3:eu-west-1::b" }),
      "Resource arn:aws:s3:eu-west-1::b can not contain region information.",
    ],
    [
      "a role in a region",
      policy({ ...STATEMENT, Resource: "arn:aws:iam:eu-west-1:123456789012:role/r" }),
      "IAM resource arn:aws:iam:eu-west-1:123456789012:role/r cannot contain region information.",
    ],
    ["an ARN that ends early", policy({ ...STATEMENT, Resource: "arn:aws:s3" }), "The policy failed legacy parsing"],
    [
      "an id twice",
      policy({ ...STATEMENT, Sid: "A" }, { ...STATEMENT, Sid: "A" }),
      "Statement IDs (SID) in a single policy must be unique.",
    ],
    [
      "an id with a blank",
      policy({ ...STATEMENT, Sid: "A B" }),
      "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
    ],
  ])("refused: %s", (_, text, message) => {
    expect(problem(text, "identity")).toBe(message);
  });
});

describe("trust policies", () => {
  it.each([
    ["a service", policy(TRUST)],
    ["the old version", JSON.stringify({ Version: "2008-10-17", Statement: [TRUST] })],
    [
      "accounts and roles",
      policy({
        ...TRUST,
        Principal: {
          AWS: [
            "*",
            "123456789012",
            "arn:aws:iam::123456789012:root",
            "arn:aws:iam::123456789012:role/p/r",
            "arn:aws:sts::123456789012:assumed-role/r/s",
            "AROA1234567890ABCDEFG",
          ],
        },
      }),
    ],
    [
      "sessions with tags",
      policy({
        ...TRUST,
        Action: ["sts:AssumeRole", "sts:TagSession"],
        Condition: { StringEquals: { "sts:ExternalId": "x" } },
      }),
    ],
  ])("accepted: %s", (_, text) => {
    expect(problem(text, "trust")).toBeUndefined();
  });

  it.each([
    ["not JSON", "{", "This policy contains invalid Json"],
    ["a resource", policy({ ...TRUST, Resource: "*" }), "Has prohibited field Resource"],
    ["no principal", policy({ Effect: "Allow", Action: "sts:AssumeRole" }), "Missing required field Principal"],
    ["no action", policy({ Effect: "Allow", Principal: "*" }), "Missing required field Action"],
    [
      "another service's action",
      policy({ ...TRUST, Action: "s3:GetObject" }),
      "AssumeRole policy may only specify STS AssumeRole actions.",
    ],
    [
      "a service that is none",
      policy({ ...TRUST, Principal: { Service: "lambda" } }),
      'Invalid principal in policy: "Service":"lambda"',
    ],
    [
      "every role of an account",
      policy({ ...TRUST, Principal: { AWS: "arn:aws:iam::123456789012:role/*" } }),
      'Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:role/*"',
    ],
    [
      "a kind of principal that there is not",
      policy({ ...TRUST, Principal: { Aws: "*" } }),
      "Syntax errors in policy.",
    ],
  ])("refused: %s", (_, text, message) => {
    expect(problem(text, "trust")).toBe(message);
  });
});
