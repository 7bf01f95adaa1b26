import { gzipSync } from "node:zlib";
import { XMLParser } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import { AwsError } from "../../../../src/emulator/awsError.ts";
import type { EmulatorRequest } from "../../../../src/emulator/http.ts";
import { decodeAwsQuery, encodeAwsQuery, encodeAwsQueryError } from "../../../../src/emulator/protocols/awsQuery.ts";

function request(body: string | Buffer, rawQuery = "", headers: Record<string, string> = {}): EmulatorRequest {
  return {
    id: "request-1",
    method: "POST",
    path: "/",
    rawQuery,
    query: new URLSearchParams(rawQuery),
    headers,
    host: "127.0.0.1:4566",
    remoteAddress: "127.0.0.1",
    body: Buffer.from(body as string),
    stream: undefined as never,
  };
}

const input = (body: string) => decodeAwsQuery(request(`Action=X&Version=1&${body}`)).input;
const xml = (reply: { body?: unknown }) =>
  new XMLParser({ ignoreAttributes: false, parseTagValue: false }).parse(String(reply.body));

describe("decodeAwsQuery", () => {
  it("reads the action and plain parameters, and leaves Action and Version out", () => {
    expect(decodeAwsQuery(request("Action=GetRole&Version=2010-05-08&RoleName=a%2Bb+c"))).toEqual({
      action: "GetRole",
      input: { RoleName: "a+b c" },
    });
  });

  it("takes parameters from the query string, without those of a presigned URL", () => {
    const decoded = decodeAwsQuery(request("", "Action=GetCallerIdentity&X-Amz-Signature=abc&A=1"));
    expect(decoded).toEqual({ action: "GetCallerIdentity", input: { A: "1" } });
  });

  it("reads lists of structures in the order of their numbers", () => {
    expect(input("Tags.member.10.Key=j&Tags.member.2.Key=b&Tags.member.2.Value=2&Tags.member.1.Key=a")).toEqual({
      Tags: [{ Key: "a" }, { Key: "b", Value: "2" }, { Key: "j" }],
    });
  });

  it("reads flattened lists, nested lists and maps", () => {
    expect(
      input(
        "AttributeName.1=All&AttributeName.2=Policy&M.entry.1.key=k&M.entry.1.value=v&D.member.1.V.member.1=0.5&D.member.1.V.member.2=1",
      ),
    ).toEqual({ AttributeName: ["All", "Policy"], M: { k: "v" }, D: [{ V: ["0.5", "1"] }] });
  });

  it("keeps a structure whose member happens to be called member or entry", () => {
    expect(input("A.member=x&B.entry=y")).toEqual({ A: { member: "x" }, B: { entry: "y" } });
  });

  it("keeps __proto__ as an ordinary name", () => {
    const decoded = input("a.__proto__.b=1&__proto__.c=2");
    expect(Object.keys(decoded)).toEqual(["a", "__proto__"]);
    expect(({} as Record<string, unknown>).c).toBeUndefined();
  });

  it("decompresses a gzip body", () => {
    const body = gzipSync("Action=PutMetricData&Namespace=n");
    const decoded = decodeAwsQuery({ ...request("", "", { "content-encoding": "gzip" }), body });
    expect(decoded).toEqual({ action: "PutMetricData", input: { Namespace: "n" } });
  });

  it("refuses a request without an action and a chain of a million dots", () => {
    expect(() => decodeAwsQuery(request("A=1"))).toThrow(expect.objectContaining({ code: "MissingAction" }));
    expect(() => input(`a${".b".repeat(1_000_000)}=1`)).toThrow(
      expect.objectContaining({ code: "MalformedQueryString" }),
    );
  });
});

describe("encodeAwsQuery", () => {
  it("wraps the result, with members for lists, ISO dates and nothing for undefined", () => {
    const reply = encodeAwsQuery(request(""), "ListRoles", "https://iam.amazonaws.com/doc/2010-05-08/", {
      Roles: [{ RoleName: "a<&>\"'\r", CreateDate: new Date(0), Tags: [] }, { RoleName: "b" }],
      IsTruncated: false,
      Marker: undefined,
      Blob: Buffer.from("hi"),
    });
    expect(xml(reply)).toEqual({
      "?xml": expect.anything(),
      ListRolesResponse: {
        "@_xmlns": "https://iam.amazonaws.com/doc/2010-05-08/",
        ListRolesResult: {
          Roles: {
            member: [
              { RoleName: expect.stringMatching(/^a<&>"'/), CreateDate: "1970-01-01T00:00:00.000Z", Tags: "" },
              { RoleName: "b" },
            ],
          },
          IsTruncated: "false",
          Blob: "aGk=",
        },
        ResponseMetadata: { RequestId: "request-1" },
      },
    });
    expect(String(reply.body)).toContain("a&lt;&amp;&gt;&quot;&apos;&#13;");
  });

  it("repeats the element of a list when lists are flattened", () => {
    const reply = encodeAwsQuery(request(""), "ListQueues", "n", { QueueUrl: ["a", "b"] }, { flattenedLists: true });
    expect(String(reply.body)).toContain(
      "<ListQueuesResult><QueueUrl>a</QueueUrl><QueueUrl>b</QueueUrl></ListQueuesResult>",
    );
  });

  it("writes a Map as entries", () => {
    const reply = encodeAwsQuery(request(""), "Get", "n", { Extended: new Map([["p95", 1.5]]) });
    expect(String(reply.body)).toContain("<Extended><entry><key>p95</key><value>1.5</value></entry></Extended>");
  });

  it("keeps the result element of an empty answer", () => {
    expect(String(encodeAwsQuery(request(""), "TagRole", "n", {}).body)).toContain("<TagRoleResult></TagRoleResult>");
  });
});

describe("encodeAwsQueryError", () => {
  it("names type, code, message and request", () => {
    const reply = encodeAwsQueryError(new AwsError("NoSuchEntity", "The role <x> is gone.", 404), request(""), "n");
    expect(reply.status).toBe(404);
    expect(xml(reply).ErrorResponse).toEqual({
      "@_xmlns": "n",
      Error: { Type: "Sender", Code: "NoSuchEntity", Message: "The role <x> is gone." },
      RequestId: "request-1",
    });
    const broken = encodeAwsQueryError(new AwsError("InternalFailure", "no", 500), request(""), "n");
    expect(xml(broken).ErrorResponse.Error.Type).toBe("Receiver");
  });
});
