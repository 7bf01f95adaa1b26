import { createHmac } from "node:crypto";
import { CreateBucketCommand, GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { refusal, send, signedRequest, signingKeyOf, xmlText } from "./s3SignedRequest.ts";
import { type Target, target } from "./target.ts";

let t: Target;
let Bucket: string;

beforeAll(async () => {
  t = await target();
  Bucket = t.uniqueName("bucket");
  await t.s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(() => t.close());

/** The fields of a form whose policy has these conditions, or is this text, signed with SigV4. */
function signedFields(conditions: unknown[] | string, expiresInMs = 60_000): Record<string, string> {
  const timestamp = new Date().toISOString().replace(/[-:]|\.\d{3}/g, "");
  const date = timestamp.slice(0, 8);
  const fields = {
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": `${t.credentials.accessKeyId}/${date}/${t.region}/s3/aws4_request`,
    "x-amz-date": timestamp,
  };
  const own = Object.entries(fields).map(([name, value]) => ({ [name]: value }));
  const expiration = new Date(Date.now() + expiresInMs).toISOString();
  const policy =
    typeof conditions === "string"
      ? conditions
      : Buffer.from(JSON.stringify({ expiration, conditions: [{ bucket: Bucket }, ...own, ...conditions] })).toString(
          "base64",
        );
  const signature = createHmac("sha256", signingKeyOf(t.credentials.secretAccessKey, date, t.region)).update(policy);
  return { ...fields, policy, "x-amz-signature": signature.digest("hex") };
}

function post(fields: Record<string, string>, file: string | Buffer = "id,x\n1,2\n", name = "a b.csv") {
  const boundary = "----form-boundary";
  const parts = Object.entries(fields).map(
    ([field, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`,
  );
  const head = `${parts.join("")}--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: text/csv\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(head), Buffer.from(file), Buffer.from(`\r\n--${boundary}--\r\n`)]);
  const headers = { host: new URL(t.endpoint).host, "content-type": `multipart/form-data; boundary=${boundary}` };
  return send(t, { method: "POST", path: `/${Bucket}`, body }, headers);
}

const anyKey = ["starts-with", "$key", "in/"];

describe("a browser's form", () => {
  test.each([9, 3_000_000])("with a signed policy uploads its file of %i bytes", async (size) => {
    const file = Buffer.alloc(size, "id,x\n1,2\n");
    const status = { success_action_status: "201", "Content-Type": "text/csv", "x-amz-meta-source": "form" };
    const conditions = [
      anyKey,
      { success_action_status: "201" },
      ["eq", "$x-amz-meta-source", "form"],
      ["starts-with", "$Content-Type", "text/"],
    ];
    // biome-ignore lint/suspicious/noTemplateCurlyInString: S3 itself puts the file's name there.
    const reply = await post({ key: "in/${filename}", ...status, ...signedFields(conditions) }, file);
    expect([reply.status, xmlText(reply.body, "Key"), xmlText(reply.body, "Bucket")]).toEqual([
      201,
      "in/a b.csv",
      Bucket,
    ]);
    const got = await t.s3.send(new GetObjectCommand({ Bucket, Key: "in/a b.csv" }));
    expect([got.ContentType, got.Metadata]).toEqual(["text/csv", { source: "form" }]);
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(file)).toBe(true);
  });

  test("may name its file in any script", async () => {
    const named = { "Content-Disposition": 'attachment; filename="日本.csv"' };
    const reply = await post({ key: "in/named", ...named, ...signedFields([anyKey, named]) });
    expect(reply.status).toBe(204);
    const { ContentDisposition, Body } = await t.s3.send(new GetObjectCommand({ Bucket, Key: "in/named" }));
    expect(Buffer.from(ContentDisposition!, "latin1").toString()).toBe(named["Content-Disposition"]);
    expect(await Body!.transformToString()).toBe("id,x\n1,2\n");
  });

  test("answers 204, or sends the browser on", async () => {
    const plain = await post({ key: "in/1", ...signedFields([anyKey]) });
    expect([plain.status, plain.headers.etag]).toEqual([204, expect.stringMatching(/^"[0-9a-f]{32}"$/)]);
    const fields = { success_action_redirect: "http://example.com/done?x=1" };
    const redirect = await post({ key: "in/1", ...fields, ...signedFields([anyKey, fields]) });
    expect(redirect.status).toBe(303);
    const location = new URL(redirect.headers.location!);
    expect([location.host, location.searchParams.get("x"), location.searchParams.get("key")]).toEqual([
      "example.com",
      "1",
      "in/1",
    ]);
  });

  test.each([
    ["a key outside of the policy", { key: "out/1" }, [anyKey], 403, "AccessDenied"],
    ["a field that the policy does not name", { key: "in/x", "x-amz-meta-a": "1" }, [anyKey], 403, "AccessDenied"],
    ["a file that is too long", { key: "in/x" }, [anyKey, ["content-length-range", 0, 3]], 400, "EntityTooLarge"],
    ["a file that is too short", { key: "in/x" }, [anyKey, ["content-length-range", 100, 200]], 400, "EntityTooSmall"],
    ["no key", {}, [anyKey], 400, "InvalidArgument"],
  ])("with %s is refused", async (_what, fields, conditions, status, code) => {
    const reply = await post({ ...(fields as Record<string, string>), ...signedFields(conditions) });
    expect([reply.status, reply.code]).toEqual([status, code]);
    const missing = t.s3.send(new HeadObjectCommand({ Bucket, Key: "in/x" }));
    expect(await refusal(missing)).toMatchObject({ status: 404 });
  });

  test.each([
    ["x-amz-checksum-sha256", "vUeLeim7lFjlQJ7IRjWN7m4wCg7JhQna/G47HwZVWWM="],
    ["x-amz-checksum-md5", "XQLk0jVOrihYl2bMohFHfQ=="],
    // Of awscrt, AWS's own library.
    ["x-amz-checksum-xxhash3", "zoXopebCGPQ="],
  ])("may promise a checksum: %s", async (name, value) => {
    const conditions = [anyKey, ["starts-with", `$${name}`, ""]];
    const wrong = Buffer.alloc(Buffer.from(value, "base64").length).toString("base64");
    const refused = await post({ key: "in/x", [name]: wrong, ...signedFields(conditions) });
    expect([refused.status, refused.code]).toEqual([400, "BadDigest"]);
    const taken = await post({ key: `in/${name}`, [name]: value, ...signedFields(conditions) });
    expect(taken.status).toBe(204);
    const head = await signedRequest(t, {
      method: "HEAD",
      path: `/${Bucket}/in/${name}`,
      headers: { "x-amz-checksum-mode": "ENABLED" },
    });
    expect(head.headers[name]).toBe(value);
  });

  test("with an expired policy, a wrong signature or none at all is refused", async () => {
    const expired = await post({ key: "in/x", ...signedFields([anyKey], -1000) });
    expect([expired.status, xmlText(expired.body, "Message")]).toEqual([
      403,
      "Invalid according to Policy: Policy expired.",
    ]);
    const wrong = await post({ key: "in/x", ...signedFields([anyKey]), "x-amz-signature": "0".repeat(64) });
    expect([wrong.status, wrong.code]).toEqual([403, "SignatureDoesNotMatch"]);
    const none = await post({ key: "in/x" });
    expect([none.status, none.code]).toEqual([403, "AccessDenied"]);
  });

  const base64 = (policy: unknown) => Buffer.from(JSON.stringify(policy)).toString("base64");
  const expiration = "2100-01-01T00:00:00Z";
  test.each([
    ["*", "invalid Base64 encoding."],
    [Buffer.from("{").toString("base64"), "Invalid JSON."],
    [base64({ conditions: [] }), "Policy missing expiration."],
    [base64({ expiration: "soon", conditions: [] }), "Invalid 'expiration' value: 'soon'"],
    [base64({ expiration }), "Policy missing conditions."],
    [base64({ expiration, conditions: {} }), "Invalid 'conditions' value: must be a List."],
    [[1], "Invalid condition test: must be a List or Object."],
    [[[]], "Invalid Condition: missing operation identifier."],
    [[["like", "$key", "in/"]], "Invalid Condition: unknown operation 'like'."],
    [[["eq", "$key"]], "Invalid eq: wrong number of arguments."],
    [
      [{ key: "in/x", acl: "private" }],
      "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
    ],
    [[{ "x-amz-meta-a": 1 }], "Invalid Simple-Condition: value must be a string."],
  ])("whose policy is no policy is told what is wrong: %j", async (policy, reason) => {
    const reply = await post({ key: "in/x", ...signedFields(policy) });
    expect([reply.status, reply.code, xmlText(reply.body, "Message")?.replaceAll("&#39;", "'")]).toEqual([
      400,
      "InvalidPolicyDocument",
      `Invalid Policy: ${reason}`,
    ]);
  });

  test("of another content type is refused", async () => {
    const headers = { host: new URL(t.endpoint).host, "content-type": "text/plain" };
    const reply = await send(t, { method: "POST", path: `/${Bucket}`, body: "x" }, headers);
    expect([reply.status, reply.code]).toEqual([412, "PreconditionFailed"]);
  });
});
