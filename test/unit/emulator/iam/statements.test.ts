import { describe, expect, it } from "vitest";
import type { AccessRequest } from "../../../../src/emulator/access.ts";
import { account, document, GET, session, withVariables } from "./account.ts";

const { authorize, role } = account();

/** Whether a role with this one policy may do it. */
function may(policy: string, request: Partial<AccessRequest> = {}): boolean {
  return authorize(session(role({ inline: { p: policy } })), { ...GET, ...request }).allowed;
}

const allow = (parts: object) => document({ Effect: "Allow", Action: "s3:GetObject", Resource: "*", ...parts });

describe("actions", () => {
  it.each<[string | string[], boolean]>([
    ["s3:GetObject", true],
    ["S3:getobject", true],
    ["*", true],
    ["s3:*", true],
    ["s3:Get*", true],
    ["s3:?etObject", true],
    ["*:GetObject", true],
    [["s3:PutObject", "s3:Get*"], true],
    ["s3:GetObjectVersion", false],
    ["s3:GetObjec", false],
    ["s3:GetObject?", false],
    ["sqs:*", false],
    [[], false],
  ])("Action %j matches s3:GetObject: %s", (Action, expected) => {
    expect(may(allow({ Action }))).toBe(expected);
  });

  it.each<[string | string[], boolean]>([
    ["s3:PutObject", true],
    [["s3:Put*", "s3:Delete*"], true],
    ["s3:Get*", false],
    ["*", false],
  ])("NotAction %j lets s3:GetObject through: %s", (NotAction, expected) => {
    expect(may(document({ Effect: "Allow", NotAction, Resource: "*" }))).toBe(expected);
  });
});

describe("resources", () => {
  it.each<[string | string[], boolean]>([
    ["arn:aws:s3:::raw/in/a.csv", true],
    ["arn:aws:s3:::raw/*", true],
    ["arn:aws:s3:::raw/i*/?.csv", true],
    ["arn:aws:s3:::*", true],
    ["arn:aws:*", true],
    ["*", true],
    [["arn:aws:s3:::other/*", "arn:aws:s3:::raw/in/*"], true],
    ["arn:aws:s3:::raw", false],
    ["arn:aws:s3:::raw/IN/*", false],
    ["arn:aws:s3:::raw/in/?", false],
    ["arn:aws:s3:::raw/in/a.csv/", false],
    ["arn:aws-cn:s3:::raw/*", false],
    [[], false],
  ])("Resource %j matches the object: %s", (Resource, expected) => {
    expect(may(allow({ Resource }))).toBe(expected);
  });

  it.each<[string | string[], boolean]>([
    ["arn:aws:s3:::raw/out/*", true],
    ["arn:aws:s3:::raw/*", false],
    [["arn:aws:s3:::other/*", "arn:aws:s3:::raw/in/*"], false],
  ])("NotResource %j lets the object through: %s", (NotResource, expected) => {
    expect(may(document({ Effect: "Allow", Action: "*", NotResource }))).toBe(expected);
  });

  it("an action without a resource of its own needs *", () => {
    const request = { action: "s3:ListAllMyBuckets", resource: "*" };
    expect(may(document({ Effect: "Allow", Action: "s3:*", Resource: "*" }), request)).toBe(true);
    expect(may(document({ Effect: "Allow", Action: "s3:*", Resource: "arn:aws:s3:::*" }), request)).toBe(false);
  });

  it("an identity policy without a Resource never applies", () => {
    expect(may(document({ Effect: "Allow", Action: "*" }))).toBe(false);
  });
});

describe("statements", () => {
  it("no policy at all allows nothing", () => {
    expect(authorize(session(role()), GET).allowed).toBe(false);
  });

  it("Deny wins, wherever it stands", () => {
    const everything = { Effect: "Allow", Action: "*", Resource: "*" };
    const denied = { Effect: "Deny", Action: "s3:GetObject", Resource: "arn:aws:s3:::raw/in/*" };
    expect(may(document(everything, denied))).toBe(false);
    expect(may(document(denied, everything))).toBe(false);
    expect(may(document(denied, everything), { resource: "arn:aws:s3:::raw/out/a.csv" })).toBe(true);
  });

  it("Statement may be one object", () => {
    const statement = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
    expect(may(JSON.stringify({ Version: "2012-10-17", Statement: statement }))).toBe(true);
  });

  it.each([
    ["not JSON", "{"],
    ["not an object", "[]"],
    ["no statement", "{}"],
    ["an unknown effect", document({ Effect: "allow", Action: "*", Resource: "*" })],
    ["an unknown element", document({ Effect: "Allow", Action: "*", Resource: "*", Conditions: {} })],
    ["a condition that is no object", document({ Effect: "Allow", Action: "*", Resource: "*", Condition: [] })],
    ["a resource that is no text", document({ Effect: "Allow", Action: "*", Resource: {} })],
  ])("a stored policy with %s allows nothing", (_, policy) => {
    expect(may(policy)).toBe(false);
  });

  it("a Deny that cannot be understood denies", () => {
    const allowed = { Effect: "Allow", Action: "*", Resource: "*" };
    const odd = { Effect: "Deny", Action: "s3:*", Resource: "*", Condition: { StringWeird: { "aws:userid": "x" } } };
    expect(may(document(allowed, odd))).toBe(false);
    expect(may(document(allowed, odd), { action: "sqs:SendMessage" })).toBe(true);
  });
});

describe("variables", () => {
  const tagged = () => role({ tags: [["Team", "blue"]] });
  function mayWith(Resource: string, version = "2012-10-17"): boolean {
    const made = tagged();
    const policy = JSON.stringify({ Version: version, Statement: { Effect: "Allow", Action: "*", Resource } });
    const inline = { ...made, inline: { p: policy } };
    const caller = session(role(inline));
    return authorize(caller, { action: "s3:GetObject", resource: `arn:aws:s3:::raw/blue/${caller.userId}/*/x` })
      .allowed;
  }

  it.each<[string, boolean]>([
    [withVariables("arn:aws:s3:::raw/<aws:PrincipalTag/Team>/*"), true],
    [withVariables("arn:aws:s3:::raw/<aws:principaltag/team>/<aws:userid>/*"), true],
    [withVariables("arn:aws:s3:::raw/blue/<aws:userid>/<*>/x"), true],
    [withVariables("arn:aws:s3:::raw/blue/<aws:userid>/<?>/x"), false],
    [withVariables("arn:aws:s3:::raw/<aws:PrincipalTag/Missing, 'blue'>/*"), true],
    [withVariables("arn:aws:s3:::raw/<aws:PrincipalTag/Missing, 'red'>/*"), false],
    [withVariables("arn:aws:s3:::raw/<aws:PrincipalTag/Missing>*"), false],
    [withVariables("arn:aws:s3:::raw/<aws:username>*"), false],
    [withVariables("arn:aws:s3:::raw/<unknown:Key>*"), false],
    [withVariables("arn:aws:s3:::raw/<aws:userid"), false],
  ])("%s matches: %s", (resource, expected) => {
    expect(mayWith(resource)).toBe(expected);
  });

  it("are plain text in the old version", () => {
    expect(mayWith(withVariables("arn:aws:s3:::raw/<aws:PrincipalTag/Team>/*"), "2008-10-17")).toBe(false);
    expect(mayWith("arn:aws:s3:::raw/blue/*", "2008-10-17")).toBe(true);
  });

  it("the value of a variable has no wildcards", () => {
    const made = role({
      tags: [["Team", "*"]],
      inline: {
        p: document({
          Effect: "Allow",
          Action: "*",
          Resource: withVariables("arn:aws:s3:::raw/<aws:PrincipalTag/Team>"),
        }),
      },
    });
    expect(authorize(session(made), { ...GET, resource: "arn:aws:s3:::raw/x" }).allowed).toBe(false);
    expect(authorize(session(made), { ...GET, resource: "arn:aws:s3:::raw/*" }).allowed).toBe(true);
  });
});
