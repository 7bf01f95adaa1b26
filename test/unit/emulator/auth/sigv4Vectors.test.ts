import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { authenticate } from "../../../../src/emulator/auth/authenticate.ts";
import type { Authentication } from "../../../../src/emulator/auth/keys.ts";
import { authenticatePostPolicy } from "../../../../src/emulator/auth/postPolicy.ts";
import { SigningKeys } from "../../../../src/emulator/auth/sigv4.ts";
import type { EmulatorRequest, ServiceName } from "../../../../src/emulator/http.ts";

/**
 * AWS's published examples:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, sigv4-streaming.html,
 * sigv4-streaming-trailers.html, sigv4-query-string-auth.html, sigv4-post-example.html
 */
const KEY = "AKIAIOSFODNN7EXAMPLE";
const SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SCOPE = "20130524/us-east-1/s3/aws4_request";
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const dependencies = (now = Date.UTC(2013, 4, 24)): Authentication => ({
  findKey: (id) =>
    id === KEY
      ? { secretAccessKey: SECRET, caller: { kind: "root", accountId: "1", arn: "arn:aws:iam::1:root", userId: "1" } }
      : undefined,
  signingKeys: new SigningKeys(),
  now: () => now,
});

function request(method: string, url: string, headers: Record<string, string>): EmulatorRequest {
  const [path = "/", rawQuery = ""] = url.split("?");
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    id: "id",
    method,
    path,
    rawQuery,
    query: new URLSearchParams(rawQuery),
    headers: lower,
    host: lower.host ?? "",
    remoteAddress: "127.0.0.1",
    body: Buffer.alloc(0),
    stream: { rawHeaders: Object.entries(headers).flat() } as IncomingMessage,
  };
}

const authorization = (signedHeaders: string, signature: string) =>
  `AWS4-HMAC-SHA256 Credential=${KEY}/${SCOPE},SignedHeaders=${signedHeaders},Signature=${signature}`;

const HOST = "examplebucket.s3.amazonaws.com";
const DATE = "20130524T000000Z";

const VECTORS: { name: string; request: EmulatorRequest; seed: string }[] = [
  {
    name: "GET object with a range",
    request: request("GET", "/test.txt", {
      Host: HOST,
      Range: "bytes=0-9",
      "x-amz-content-sha256": EMPTY,
      "x-amz-date": DATE,
      Authorization: authorization(
        "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
      ),
    }),
    seed: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  },
  {
    name: "PUT object, a key that needs encoding, dated by the Date header",
    request: request("PUT", "/test$file.text", {
      Host: HOST,
      Date: "Fri, 24 May 2013 00:00:00 GMT",
      "x-amz-date": DATE,
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
      "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      Authorization: authorization(
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
      ),
    }),
    seed: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  },
  {
    name: "GET bucket lifecycle: a parameter without value",
    request: request("GET", "/?lifecycle", {
      Host: HOST,
      "x-amz-content-sha256": EMPTY,
      "x-amz-date": DATE,
      Authorization: authorization(
        "host;x-amz-content-sha256;x-amz-date",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
      ),
    }),
    seed: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  },
  {
    name: "list objects: parameters out of order",
    request: request("GET", "/?prefix=J&max-keys=2", {
      Host: HOST,
      "x-amz-content-sha256": EMPTY,
      "x-amz-date": DATE,
      Authorization: authorization(
        "host;x-amz-content-sha256;x-amz-date",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
      ),
    }),
    seed: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  },
  {
    name: "signed chunks",
    request: request("PUT", "/examplebucket/chunkObject.txt", {
      Host: "s3.amazonaws.com",
      "x-amz-date": DATE,
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
      "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      "content-encoding": "aws-chunked",
      "x-amz-decoded-content-length": "66560",
      "content-length": "66824",
      Authorization: authorization(
        "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
      ),
    }),
    seed: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
  },
  {
    name: "signed chunks with a trailer",
    request: request("PUT", "/examplebucket/chunkObject.txt", {
      Host: "s3.amazonaws.com",
      "x-amz-date": DATE,
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
      "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
      "content-encoding": "aws-chunked",
      "x-amz-decoded-content-length": "66560",
      "x-amz-trailer": "x-amz-checksum-crc32c",
      "content-length": "66824",
      Authorization: authorization(
        "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
      ),
    }),
    seed: "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
  },
];

describe("AWS's published SigV4 examples", () => {
  it.each(VECTORS)("$name", ({ request: signed, seed }) => {
    const caller = authenticate(signed, "s3", dependencies());
    expect(caller).toMatchObject({
      kind: "root",
      sourceIp: "127.0.0.1",
      signature: {
        seed,
        timestamp: DATE,
        scope: SCOPE,
        payloadHash: signed.headers["x-amz-content-sha256"],
        presigned: false,
      },
    });
  });

  it.each(VECTORS)("$name, with one character of the path changed, is refused", ({ request: signed }) => {
    const forged = { ...signed, path: `${signed.path}x` };
    expect(() => authenticate(forged, "s3", dependencies())).toThrow(
      expect.objectContaining({ code: "SignatureDoesNotMatch", status: 403 }),
    );
  });

  const PRESIGNED =
    `/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${KEY}%2F20130524%2Fus-east-1%2Fs3%2Faws4_request` +
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

  it("presigned GET", () => {
    const almostExpired = dependencies(Date.UTC(2013, 4, 25));
    const caller = authenticate(request("GET", PRESIGNED, { Host: HOST }), "s3", almostExpired);
    expect(caller.signature).toMatchObject({ presigned: true, payloadHash: "UNSIGNED-PAYLOAD" });
  });

  it("presigned GET, one second too late", () => {
    const late = dependencies(Date.UTC(2013, 4, 25, 0, 0, 1));
    expect(() => authenticate(request("GET", PRESIGNED, { Host: HOST }), "s3", late)).toThrow(
      expect.objectContaining({
        code: "AccessDenied",
        message: "Request has expired",
        status: 403,
        details: { "X-Amz-Expires": "86400", Expires: "2013-05-25T00:00:00Z", ServerTime: "2013-05-25T00:00:01Z" },
      }),
    );
  });

  it("policy of a POST upload", () => {
    const policy =
      "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";
    const fields = new Map([
      ["key", "user/user1/x"],
      ["Policy", policy],
      ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
      ["X-Amz-Credential", `${KEY}/20151229/us-east-1/s3/aws4_request`],
      ["X-Amz-Date", "20151229T000000Z"],
      ["X-Amz-Signature", "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"],
    ]);
    expect(authenticatePostPolicy(fields, dependencies())).toMatchObject({ kind: "root" });
    fields.set("Policy", `${policy.slice(0, -4)}AAAA`);
    expect(() => authenticatePostPolicy(fields, dependencies())).toThrow(
      expect.objectContaining({ code: "SignatureDoesNotMatch" }),
    );
  });

  it("a service other than S3: the query protocol over GET", () => {
    const iam = request("GET", "/?Action=ListUsers&Version=2010-05-08", {
      Host: "iam.amazonaws.com",
      "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
      "X-Amz-Date": "20150830T123600Z",
      Authorization:
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, " +
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    });
    const service: ServiceName = "iam";
    const known = dependencies(Date.UTC(2015, 7, 30, 12, 36));
    const withExampleKey: Authentication = {
      ...known,
      findKey: () => ({
        secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        caller: { kind: "root", accountId: "1", arn: "arn:aws:iam::1:root", userId: "1" },
      }),
    };
    expect(authenticate(iam, service, withExampleKey).kind).toBe("root");
    const withBody = { ...iam, body: Buffer.from("Action=DeleteRole") };
    expect(() => authenticate(withBody, service, withExampleKey)).toThrow(
      expect.objectContaining({ code: "SignatureDoesNotMatch" }),
    );
  });
});
