import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { authenticate } from "../../../../src/emulator/auth/authenticate.ts";
import { canonicalQuery, canonicalS3Uri, canonicalUri } from "../../../../src/emulator/auth/encoding.ts";
import type { Authentication } from "../../../../src/emulator/auth/keys.ts";
import { authenticatePostPolicy } from "../../../../src/emulator/auth/postPolicy.ts";
import { SigningKeys } from "../../../../src/emulator/auth/sigv4.ts";
import type { ServiceName } from "../../../../src/emulator/http.ts";
import { request, signature, signedRequest, timestampOf } from "./requests.ts";

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);
const KEY = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret" };
const TEMPORARY = { accessKeyId: "ASIAIOSFODNN7EXAMPLE", secretAccessKey: "other", sessionToken: "tok/en+==" };
const caller = { kind: "root", accountId: "1", arn: "arn:aws:iam::1:root", userId: "1" } as const;

const dependencies = (now = NOW): Authentication => ({
  findKey: (id) =>
    id === KEY.accessKeyId
      ? { secretAccessKey: KEY.secretAccessKey, caller }
      : id === TEMPORARY.accessKeyId
        ? { ...TEMPORARY, expiration: NOW + 60_000, caller }
        : undefined,
  signingKeys: new SigningKeys(),
  now: () => now,
});

const refused = (code: string, status: number, message?: string) =>
  expect.objectContaining({ code, status, ...(message && { message: expect.stringContaining(message) }) });

const TIMESTAMP = timestampOf(NOW);
const scopeOf = (service: string) => `20261123/us-east-1/${service}/aws4_request`;
const authorization = (names: string, service: string, signed: string, accessKeyId = KEY.accessKeyId) =>
  `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scopeOf(service)}, SignedHeaders=${names}, Signature=${signed}`;

describe("the sender", () => {
  it.each<ServiceName>(["s3", "iam", "sts", "sqs", "lambda", "logs", "monitoring"])(
    "of a signed call of %s is known",
    (service) => {
      expect(authenticate(signedRequest(KEY, service, NOW, "a=b"), service, dependencies())).toMatchObject(caller);
    },
  );

  it("is not believed for another service", () => {
    const iam = signedRequest(KEY, "iam", NOW);
    expect(() => authenticate(iam, "sts", dependencies())).toThrow(
      refused("SignatureDoesNotMatch", 403, "Credential should be scoped to correct service: 'sts'."),
    );
    expect(() => authenticate(iam, "lambda", dependencies())).toThrow(refused("InvalidSignatureException", 403));
    expect(() => authenticate(iam, "s3", dependencies())).toThrow(
      refused("AuthorizationHeaderMalformed", 400, 'incorrect service "iam"'),
    );
  });

  it("must have signed the body", () => {
    const signed = signedRequest(KEY, "iam", NOW, "Action=ListRoles");
    for (const body of ["Action=ListUsers", "", "Action=ListRoles "]) {
      const forged = { ...signed, body: Buffer.from(body) };
      expect(() => authenticate(forged, "iam", dependencies())).toThrow(refused("SignatureDoesNotMatch", 403));
    }
  });

  it("a header that claims another hash of the body does not help", () => {
    const signed = signedRequest(KEY, "iam", NOW, "Action=ListRoles");
    const forged = {
      ...signed,
      body: Buffer.from("x"),
      headers: { ...signed.headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
    };
    expect(() => authenticate(forged, "iam", dependencies())).toThrow(refused("SignatureDoesNotMatch", 403));
  });

  it.each([
    [
      "s3",
      15,
      "RequestTimeTooSkewed",
      403,
      "The difference between the request time and the current time is too large.",
    ],
    ["sts", 15, "SignatureDoesNotMatch", 403, "(20261123T120000Z - 15 min.)"],
    ["monitoring", 15, "SignatureDoesNotMatch", 403, "(20261123T120000Z - 15 min.)"],
    ["lambda", 5, "InvalidSignatureException", 403, "(20261123T120000Z - 5 min.)"],
    ["logs", 5, "InvalidSignatureException", 400, "(20261123T120000Z - 5 min.)"],
  ] as const)("%s: %i minutes of skew are the most", (service, most, code, status, message) => {
    for (const minutes of [-most, most]) {
      const signed = signedRequest(KEY, service, NOW + minutes * 60_000);
      expect(authenticate(signed, service, dependencies()).kind).toBe("root");
    }
    const late = signedRequest(KEY, service, NOW - most * 60_000 - 1000);
    expect(() => authenticate(late, service, dependencies())).toThrow(refused(code, status, message));
    const early = signedRequest(KEY, service, NOW + most * 60_000 + 1000);
    expect(() => authenticate(early, service, dependencies())).toThrow(refused(code, status));
  });

  it("a scope of another day than the request is refused", () => {
    const signed = signedRequest(KEY, "sts", NOW);
    const headers = {
      ...signed.headers,
      authorization: signed.headers.authorization!.replace("20261123/", "20261122/"),
    };
    expect(() => authenticate({ ...signed, headers }, "sts", dependencies())).toThrow(
      refused("SignatureDoesNotMatch", 403, "Date in Credential scope does not match YYYYMMDD"),
    );
  });

  it("must have signed the host", () => {
    const headers = { host: "x", "x-amz-date": TIMESTAMP, authorization: authorization("x-amz-date", "sts", "00") };
    expect(() => authenticate(request("POST", "/", headers), "sts", dependencies())).toThrow(
      refused("SignatureDoesNotMatch", 403, "'Host' or ':authority' must be a 'SignedHeader'"),
    );
    const s3 = {
      ...headers,
      "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
      authorization: authorization("x-amz-date;x-host", "s3", "00"),
    };
    expect(() => authenticate(request("GET", "/", s3), "s3", dependencies())).toThrow(refused("AccessDenied", 403));
  });

  it.each([
    "AWS4-HMAC-SHA256",
    "AWS4-HMAC-SHA256 Credential=a",
    "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=0",
    "AWS4-HMAC-SHA256 XCredential=a, SignedHeaders=host, Signature=0",
    "Bearer x",
  ])("the header %j is incomplete", (header) => {
    const incomplete = request("POST", "/", { host: "x", "x-amz-date": TIMESTAMP, authorization: header });
    expect(() => authenticate(incomplete, "iam", dependencies())).toThrow(refused("IncompleteSignature", 400));
    expect(() => authenticate(incomplete, "logs", dependencies())).toThrow(
      refused("IncompleteSignatureException", 400),
    );
  });

  it.each([
    ["short", "InvalidArgument", 400],
    ["STREAMING-UNKNOWN-ALGORITHM", "InvalidArgument", 400],
    ["x".repeat(64), "InvalidArgument", 400],
    ["STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "NotImplemented", 501],
  ])("S3 refuses the content hash %j", (value, code, status) => {
    const signed = signedRequest(KEY, "s3", NOW);
    const odd = { ...signed, headers: { ...signed.headers, "x-amz-content-sha256": value } };
    expect(() => authenticate(odd, "s3", dependencies())).toThrow(refused(code, status));
  });
});

describe("temporary keys", () => {
  it("work until they expire, with their token", () => {
    expect(authenticate(signedRequest(TEMPORARY, "sts", NOW), "sts", dependencies()).kind).toBe("root");
    const { sessionToken: _, ...withoutToken } = TEMPORARY;
    expect(() => authenticate(signedRequest(withoutToken, "sts", NOW), "sts", dependencies())).toThrow(
      refused("InvalidClientTokenId", 403),
    );
    const wrong = { ...TEMPORARY, sessionToken: "token" };
    expect(() => authenticate(signedRequest(wrong, "s3", NOW), "s3", dependencies())).toThrow(
      refused("InvalidToken", 400),
    );
  });

  it.each([
    ["s3", "ExpiredToken", 400, "The provided token has expired."],
    ["sts", "ExpiredToken", 403, "The security token included in the request is expired"],
    ["lambda", "ExpiredTokenException", 403, "The security token included in the request is expired"],
    ["logs", "ExpiredTokenException", 400, "The security token included in the request is expired"],
  ] as const)("%s says that they expired", (service, code, status, message) => {
    const late = NOW + 60_000;
    expect(() => authenticate(signedRequest(TEMPORARY, service, late), service, dependencies(late))).toThrow(
      refused(code, status, message),
    );
  });

  it("a long-term key takes no token", () => {
    const signed = signedRequest({ ...KEY, sessionToken: "t" }, "s3", NOW);
    expect(() => authenticate(signed, "s3", dependencies())).toThrow(refused("InvalidToken", 400));
  });
});

describe("what node makes of headers", () => {
  const HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  const signedLines = (
    lines: [string, string][],
    canonicalLines: string[],
    names: string,
    encoding: BufferEncoding,
  ) => {
    const canonical = Buffer.from(["GET", "/", "", ...canonicalLines, "", names, HASH].join("\n"), encoding);
    const signed = signature(KEY.secretAccessKey, scopeOf("s3"), TIMESTAMP, canonical);
    return request("GET", "/", [...lines, ["authorization", authorization(names, "s3", signed)]]);
  };
  const base: [string, string][] = [
    ["Host", "x"],
    ["X-Amz-Content-Sha256", HASH],
    ["X-Amz-Date", TIMESTAMP],
  ];
  const names = "host;x-amz-content-sha256;x-amz-date;x-amz-meta-a";
  const canonicalBase = ["host:x", `x-amz-content-sha256:${HASH}`, `x-amz-date:${TIMESTAMP}`];

  it.each<[string, [string, string][], string, BufferEncoding]>([
    [
      "a repeated header is joined without a blank",
      [
        ["x-amz-meta-a", "1"],
        ["X-Amz-Meta-A", " 2 "],
      ],
      "1,2",
      "utf8",
    ],
    ["one header with a comma and a blank stays", [["x-amz-meta-a", "1, 2"]], "1, 2", "utf8"],
    ["runs of blanks become one", [["x-amz-meta-a", "  a    b  "]], "a b", "utf8"],
    ["characters are hashed as UTF-8", [["x-amz-meta-a", "Zürich"]], "Zürich", "utf8"],
    ["or as the bytes of the wire", [["x-amz-meta-a", "Zürich"]], "Zürich", "latin1"],
  ])("%s", (_, lines, value, encoding) => {
    const signed = signedLines([...base, ...lines], [...canonicalBase, `x-amz-meta-a:${value}`], names, encoding);
    expect(authenticate(signed, "s3", dependencies()).kind).toBe("root");
  });
});

describe("presigned calls", () => {
  const presigned = (service: ServiceName, url: string, at: number, more = "") => {
    const timestamp = timestampOf(at);
    const scope = `${timestamp.slice(0, 8)}/us-east-1/${service}/aws4_request`;
    const query = [
      "X-Amz-Algorithm=AWS4-HMAC-SHA256",
      `X-Amz-Credential=${encodeURIComponent(`${KEY.accessKeyId}/${scope}`)}`,
      `X-Amz-Date=${timestamp}`,
      "X-Amz-Expires=60",
      "X-Amz-SignedHeaders=host",
      ...(more === "" ? [] : [more]),
    ].sort();
    const hash =
      service === "s3" ? "UNSIGNED-PAYLOAD" : "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const canonical = ["GET", url, query.join("&"), "host:x", "", "host", hash].join("\n");
    const signed = signature(KEY.secretAccessKey, scope, timestamp, canonical);
    return `${url}?${query.reverse().join("&")}&X-Amz-Signature=${signed}`;
  };

  it.each<ServiceName>(["s3", "sts"])("of %s", (service) => {
    const url = presigned(service, "/", NOW, "Action=GetCallerIdentity");
    expect(authenticate(request("GET", url, { host: "x" }), service, dependencies()).signature?.presigned).toBe(true);
    expect(() => authenticate(request("GET", url, { host: "y" }), service, dependencies())).toThrow(
      refused("SignatureDoesNotMatch", 403),
    );
  });

  it("not before their time, not after it", () => {
    const url = presigned("s3", "/b/k", NOW);
    const open = (now: number) => authenticate(request("GET", url, { host: "x" }), "s3", dependencies(now)).kind;
    expect(open(NOW + 60_000)).toBe("root");
    expect(() => open(NOW + 61_000)).toThrow(refused("AccessDenied", 403, "Request has expired"));
    expect(() => open(NOW - 16 * 60_000)).toThrow(refused("AccessDenied", 403, "Request is not yet valid"));
  });

  it("with a header for S3 that was not signed", () => {
    const signed = request("GET", presigned("s3", "/b/k", NOW), { host: "x", "x-amz-copy-source": "/b/other" });
    expect(() => authenticate(signed, "s3", dependencies())).toThrow(
      refused("AccessDenied", 403, "which were not signed"),
    );
  });

  it("of signature version 2", () => {
    const expires = NOW / 1000 + 60;
    const hmac = (text: string) =>
      encodeURIComponent(createHmac("sha1", KEY.secretAccessKey).update(text).digest("base64"));
    const url = (path: string, signed: string, more = "") =>
      `${path}?AWSAccessKeyId=${KEY.accessKeyId}&Expires=${expires}&Signature=${signed}${more}`;
    const open = (target: string, now = NOW) =>
      authenticate(request("GET", target, { host: "x" }), "s3", dependencies(now)).kind;
    const signed = hmac(`GET\n\n\n${expires}\n/b/k`);
    expect(open(url("/b/k", signed))).toBe("root");
    expect(() => open(url("/b/l", signed))).toThrow(refused("SignatureDoesNotMatch", 403));
    expect(() => open(url("/b/k", signed, "&versionId=1"))).toThrow(refused("SignatureDoesNotMatch", 403));
    expect(open(url("/b/k", hmac(`GET\n\n\n${expires}\n/b/k?versionId=1`), "&versionId=1"))).toBe("root");
    expect(() => open(url("/b/k", signed), NOW + 61_000)).toThrow(refused("AccessDenied", 403, "Request has expired"));
    expect(() => open("/b/k?Signature=x")).toThrow(
      refused("AccessDenied", 403, "Query-string authentication requires"),
    );
  });
});

describe("POST uploads", () => {
  it("without policy come from nobody in particular", () => {
    expect(authenticatePostPolicy(new Map([["key", "k"]]), dependencies()).kind).toBe("anonymous");
  });

  it("of signature version 2", () => {
    const policy = Buffer.from("{}").toString("base64");
    const signed = createHmac("sha1", KEY.secretAccessKey).update(policy).digest("base64");
    const fields = new Map([
      ["AWSAccessKeyId", KEY.accessKeyId],
      ["policy", policy],
      ["Signature", signed],
    ]);
    expect(authenticatePostPolicy(fields, dependencies()).kind).toBe("root");
    fields.set("Signature", "x");
    expect(() => authenticatePostPolicy(fields, dependencies())).toThrow(refused("SignatureDoesNotMatch", 403));
  });

  it("with a field missing", () => {
    const fields = new Map([
      ["policy", "e30="],
      ["x-amz-algorithm", "AWS4-HMAC-SHA256"],
    ]);
    expect(() => authenticatePostPolicy(fields, dependencies())).toThrow(
      refused("InvalidArgument", 400, "Bucket POST must contain a field named 'X-Amz-Credential'."),
    );
    expect(() => authenticatePostPolicy(new Map([["x-amz-signature", "0"]]), dependencies())).toThrow(
      refused("InvalidArgument", 400, "named 'Policy'"),
    );
  });
});

describe("encoding", () => {
  const strict = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const lax = (text: string) => encodeURI(text).replace(/[?#]/g, (char) => encodeURIComponent(char));
  const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 });

  it("a path in any spelling is signed in one", () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (segments) => {
        const plain = segments.map((segment) => segment.replaceAll("%", "").replaceAll("/", ""));
        const canonical = `/${plain.map(strict).join("/")}`;
        expect(canonicalS3Uri(canonical)).toBe(canonical);
        expect(canonicalS3Uri(`/${plain.map(lax).join("/")}`)).toBe(canonical);
      }),
    );
  });

  it("a query is sorted by encoded name, then value", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word), { maxLength: 6 }), (pairs) => {
        const expected = pairs.map(([name, value]) => [strict(name), strict(value)] as const);
        expected.sort(([a, b], [c, d]) => (a === c ? (b < d ? -1 : 1) : a < c ? -1 : 1));
        const form = new URLSearchParams(pairs).toString();
        expect(canonicalQuery(form)).toBe(expected.map(([name, value]) => `${name}=${value}`).join("&"));
      }),
    );
  });

  it.each([
    ["/", "/"],
    [
      "/2015-03-31/functions/arn%3Aaws%3Alambda/invocations",
      "/2015-03-31/functions/arn%253Aaws%253Alambda/invocations",
    ],
    ["//a/./b/../c//", "/a/c/"],
    ["/a b", "/a%20b"],
  ])("other services: %s is signed as %s", (path, expected) => {
    expect(canonicalUri(path)).toBe(expected);
  });

  it.each([
    ["acl", "acl="],
    ["b=2&a=1&b=1", "a=1&b=1&b=2"],
    ["a=x%2fy&&a", "a=&a=x%2Fy"],
    ["X-Amz-Signature=1&a=%7E", "a=~"],
  ])("the query %s is signed as %s", (query, expected) => {
    expect(canonicalQuery(query, "X-Amz-Signature")).toBe(expected);
  });
});
