import { describe, expect, it } from "vitest";
import type { Caller } from "../../../../src/emulator/access.ts";
import { account, document, GET, session, withVariables } from "./account.ts";

const { authorize, role, warnings } = account();

type Conditions = Record<string, string | string[] | undefined>;

/** Whether an Allow under this condition applies to a request with these keys. */
function holds(Condition: object, conditions: Conditions = {}, caller: Partial<Caller> = {}): boolean {
  const policy = document({ Effect: "Allow", Action: "*", Resource: "*", Condition });
  return authorize(session(role({ inline: { p: policy } }), caller), { ...GET, conditions }).allowed;
}

const X = "s3:prefix";

describe("operators", () => {
  it.each<[string, string | string[], string | undefined, boolean]>([
    ["StringEquals", "a", "a", true],
    ["StringEquals", "a", "A", false],
    ["StringEquals", "a*", "ab", false],
    ["StringEquals", ["a", "b"], "b", true],
    ["StringEquals", "a", undefined, false],
    ["stringequals", "a", "a", true],
    ["StringNotEquals", "a", "b", true],
    ["StringNotEquals", ["a", "b"], "b", false],
    ["StringNotEquals", ["a", "b"], "c", true],
    ["StringNotEquals", "a", undefined, true],
    ["StringEqualsIgnoreCase", "aBc", "AbC", true],
    ["StringNotEqualsIgnoreCase", "aBc", "AbC", false],
    ["StringLike", "in/*", "in/2024/x", true],
    ["StringLike", "in/?", "in/12", false],
    ["StringLike", ["x", "i?/*"], "in/", true],
    ["StringNotLike", "in/*", "out/", true],
    ["StringNotLike", "in/*", "in/x", false],
    ["NumericEquals", "10", "10.0", true],
    ["NumericNotEquals", "10", "11", true],
    ["NumericLessThan", "10", "9", true],
    ["NumericLessThan", "10", "10", false],
    ["NumericLessThanEquals", "10", "10", true],
    ["NumericGreaterThan", "9", "10", true],
    ["NumericGreaterThanEquals", "-1.5", "-1.5", true],
    ["NumericLessThan", "10", "nine", false],
    ["NumericNotEquals", "ten", "9", false],
    ["DateEquals", "2026-11-23T12:00:00Z", "1795435200", true],
    ["DateNotEquals", "2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z", true],
    ["DateLessThan", "2026-11-24", "2026-11-23T23:59:59Z", true],
    ["DateGreaterThan", "2026-11-24", "2026-11-23T23:59:59Z", false],
    ["DateLessThanEquals", "2026-11-23T13:00:00+01:00", "2026-11-23T12:00:00Z", true],
    ["DateGreaterThanEquals", "yesterday", "2026-11-23T12:00:00Z", false],
    ["Bool", "true", "True", true],
    ["Bool", "false", "true", false],
    ["Bool", "yes", "true", false],
    ["BinaryEquals", "aGVsbG8=", "aGVsbG8=", true],
    ["BinaryEquals", "aGVsbG8=", "aGVsbG9v", false],
    ["IpAddress", "10.0.0.0/8", "10.200.3.4", true],
    ["IpAddress", "10.0.0.0/8", "11.0.0.1", false],
    ["IpAddress", ["192.0.2.1", "2001:db8::/32"], "2001:db8::1", true],
    ["IpAddress", "10.0.0.0/33", "10.0.0.1", false],
    ["NotIpAddress", "10.0.0.0/8", "11.0.0.1", true],
    ["NotIpAddress", "10.0.0.0/8", "10.0.0.1", false],
    ["ArnEquals", "arn:aws:s3:::raw*", "arn:aws:s3:::raw-data", true],
    ["ArnLike", "arn:aws:s3:*:*:raw", "arn:aws:s3:::raw", true],
    ["ArnLike", "arn:aws:*:raw", "arn:aws:s3:::raw", false],
    ["ArnLike", "arn:aws:lambda:*:*:function:f", "arn:aws:lambda:eu-west-1:1:function:f", true],
    ["ArnLike", "arn:aws:lambda:*:*:function", "arn:aws:lambda:eu-west-1:1:function:f", false],
    ["ArnLike", "arn:aws:s3:::*", "not an arn", false],
    ["ArnNotLike", "arn:aws:s3:::raw", "arn:aws:s3:::other", true],
    ["ArnNotEquals", "arn:aws:s3:::raw", "arn:aws:s3:::raw", false],
    ["Null", "true", undefined, true],
    ["Null", "true", "here", false],
    ["Null", "false", "here", true],
    ["Null", "false", undefined, false],
    ["StringEqualsIfExists", "a", undefined, true],
    ["StringEqualsIfExists", "a", "b", false],
    ["NumericLessThanIfExists", "10", undefined, true],
    ["ArnLikeIfExists", "arn:aws:s3:::raw", "arn:aws:s3:::other", false],
    ["StringWeird", "a", "a", false],
    ["NullIfExists", "true", undefined, false],
  ])("%s %j, request %j: %s", (operator, wanted, given, expected) => {
    expect(holds({ [operator]: { [X]: wanted } }, { [X]: given })).toBe(expected);
  });

  it("numbers and booleans of JSON count as text", () => {
    expect(holds({ NumericLessThan: { "s3:max-keys": 11 } }, { "s3:max-keys": "10" })).toBe(true);
    expect(holds({ Bool: { "aws:SecureTransport": true } })).toBe(true);
  });

  it.each<[string, string[], string[] | undefined, boolean]>([
    ["ForAnyValue:StringEquals", ["a"], ["a", "b"], true],
    ["ForAnyValue:StringEquals", ["c"], ["a", "b"], false],
    ["ForAnyValue:StringEquals", ["a"], undefined, false],
    ["ForAnyValue:StringEquals", ["a"], [], false],
    ["ForAllValues:StringEquals", ["a", "b", "c"], ["a", "b"], true],
    ["ForAllValues:StringEquals", ["a"], ["a", "b"], false],
    ["ForAllValues:StringEquals", ["a"], undefined, true],
    ["ForAllValues:StringLike", ["a*"], ["ab", "ac"], true],
    ["ForAnyValue:StringNotEquals", ["a"], ["a", "b"], true],
    ["ForAnyValue:StringNotEquals", ["a"], ["a"], false],
    ["ForAnyValue:StringNotEquals", ["a"], undefined, false],
    ["ForAllValues:StringNotEquals", ["a"], ["b", "c"], true],
    ["ForAllValues:StringNotEquals", ["a"], ["a", "c"], false],
  ])("%s %j, request %j: %s", (operator, wanted, given, expected) => {
    expect(holds({ [operator]: { "aws:TagKeys": wanted } }, { "aws:TagKeys": given })).toBe(expected);
  });

  it("operators and keys are all to hold", () => {
    const both = { StringEquals: { [X]: "a", "s3:delimiter": "/" }, NumericLessThan: { "s3:max-keys": "5" } };
    expect(holds(both, { [X]: "a", "s3:delimiter": "/", "s3:max-keys": "4" })).toBe(true);
    expect(holds(both, { [X]: "b", "s3:delimiter": "/", "s3:max-keys": "4" })).toBe(false);
    expect(holds(both, { [X]: "a", "s3:delimiter": "-", "s3:max-keys": "4" })).toBe(false);
    expect(holds(both, { [X]: "a", "s3:delimiter": "/", "s3:max-keys": "5" })).toBe(false);
  });

  it("variables in values", () => {
    const made = role({
      tags: [["home", "In"]],
      inline: {
        p: document({
          Effect: "Allow",
          Action: "*",
          Resource: "*",
          Condition: { StringLike: { [X]: withVariables("<aws:PrincipalTag/home>/*") } },
        }),
      },
    });
    expect(authorize(session(made), { ...GET, conditions: { [X]: "In/x" } }).allowed).toBe(true);
    expect(authorize(session(made), { ...GET, conditions: { [X]: "in/x" } }).allowed).toBe(false);
  });
});

describe("global keys", () => {
  it.each<[object, boolean]>([
    [{ StringEquals: { "aws:PrincipalAccount": "123456789012" } }, true],
    [{ StringEquals: { "aws:PrincipalType": "AssumedRole" } }, true],
    [{ StringLike: { "aws:userid": "AROA*:work" } }, true],
    [{ ArnLike: { "aws:PrincipalArn": "arn:aws:iam::123456789012:role/*" } }, true],
    [{ ArnLike: { "aws:PrincipalArn": "arn:aws:sts::123456789012:assumed-role/*" } }, false],
    [{ Bool: { "aws:SecureTransport": "true" } }, true],
    [{ Bool: { "AWS:securetransport": "false" } }, false],
    [{ IpAddress: { "aws:SourceIp": "127.0.0.0/8" } }, true],
    [{ NotIpAddress: { "aws:SourceIp": "127.0.0.0/8" } }, false],
    [{ DateGreaterThan: { "aws:CurrentTime": "2026-11-23T11:59:59Z" } }, true],
    [{ DateLessThan: { "aws:CurrentTime": "2026-11-23T11:59:59Z" } }, false],
    [{ NumericEquals: { "aws:EpochTime": "1795435200" } }, true],
    [{ StringEquals: { "aws:RequestedRegion": "eu-west-1" } }, true],
    [{ Bool: { "aws:PrincipalIsAWSService": "false" } }, true],
    [{ Bool: { "aws:ViaAWSService": "false" } }, true],
    [{ Null: { "aws:username": "true" } }, true],
    [{ Null: { "aws:SourceArn": "true" } }, true],
    [{ StringEquals: { "aws:PrincipalOrgID": "o-1" } }, false],
    [{ StringNotEquals: { "aws:PrincipalOrgID": "o-1" } }, true],
  ])("%j holds for a session: %s", (condition, expected) => {
    expect(holds(condition)).toBe(expected);
  });

  it("the region is the one that was signed for", () => {
    const signature = {
      signingKey: Buffer.alloc(0),
      seed: "",
      timestamp: "",
      scope: "20261123/sa-east-1/s3/aws4_request",
      payloadHash: "",
      presigned: false,
    };
    expect(holds({ StringEquals: { "aws:RequestedRegion": "sa-east-1" } }, {}, { signature })).toBe(true);
    expect(holds({ StringEquals: { "s3:authType": "REST-HEADER" } }, {}, { signature })).toBe(true);
  });

  it("an IPv4 address inside IPv6 is the IPv4 address", () => {
    expect(holds({ IpAddress: { "aws:SourceIp": "127.0.0.1" } }, {}, { sourceIp: "::ffff:127.0.0.1" })).toBe(true);
  });
});

describe("what cannot be evaluated", () => {
  const deny = (Condition: object) =>
    role({
      inline: {
        p: document(
          { Effect: "Allow", Action: "*", Resource: "*" },
          { Effect: "Deny", Action: "s3:*", Resource: "*", Condition },
        ),
      },
    });

  it.each([
    { StringEquals: { "s3:NobodyKnows": "x" } },
    { StringNotEquals: { "s3:NobodyKnows": "x" } },
    { StringNotEqualsIfExists: { "aws:NobodyKnows": "x" } },
    { Null: { "s3:NobodyKnows": "true" } },
    { StringNotEquals: { "aws:userid": withVariables("<s3:NobodyKnows>") } },
    { NumericNotEquals: { "s3:max-keys": "x" } },
  ])("%j never allows, and denies in a Deny", (condition) => {
    expect(holds(condition, { "s3:max-keys": "1" })).toBe(false);
    const denied = authorize(session(deny(condition)), { ...GET, conditions: { "s3:max-keys": "1" } });
    expect(denied.allowed).toBe(false);
    expect(denied.message).toContain("with an explicit deny in an identity-based policy");
  });

  it("does not matter beside a condition that is false", () => {
    const condition = { StringEquals: { "s3:NobodyKnows": "x", [X]: "a" } };
    expect(authorize(session(deny(condition)), { ...GET, conditions: { [X]: "b" } }).allowed).toBe(true);
  });

  it("is reported once, by name", () => {
    expect(warnings.filter((warning) => warning.includes("condition key s3:NobodyKnows"))).toHaveLength(1);
  });
});
