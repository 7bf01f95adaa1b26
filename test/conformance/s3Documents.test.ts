import { createHash } from "node:crypto";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signedRequest, xmlText } from "./s3SignedRequest.ts";
import { type Target, target } from "./target.ts";

let t: Target;
let Bucket: string;

beforeAll(async () => {
  t = await target();
  Bucket = t.uniqueName("bucket");
  await t.s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(() => t.close());

const md5 = (body: string) => createHash("md5").update(body).digest("base64");
const send = (method: "PUT" | "POST", query: string, body: string, headers: Record<string, string> = {}) =>
  signedRequest(t, { method, path: `/${Bucket}`, query, body, headers });

describe("a document of a bucket", () => {
  const LIFECYCLE =
    "<LifecycleConfiguration><Rule><ID>r</ID><Filter><Prefix>l/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule></LifecycleConfiguration>";
  const TAGGING = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";

  test.each([
    ["lifecycle", LIFECYCLE, "Content-MD5"],
    ["tagging", TAGGING, "Content-MD5 OR x-amz-checksum-*"],
  ])("%s needs a digest", async (query, body, header) => {
    const refused = await send("PUT", query, body);
    expect([refused.status, refused.code, xmlText(refused.body, "Message")]).toEqual([
      400,
      "InvalidRequest",
      `Missing required header for this request: ${header}`,
    ]);
    expect((await send("PUT", query, body, { "content-md5": md5(body) })).status).toBeLessThan(300);
    const sha256 = createHash("sha256").update(body).digest("base64");
    expect((await send("PUT", query, body, { "x-amz-checksum-sha256": sha256 })).status).toBeLessThan(300);
  });

  test.each([
    ["versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"],
    [
      "encryption",
      "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
    ],
    [
      "ownershipControls",
      "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>",
    ],
  ])("%s needs none", async (query, body) => {
    expect((await send("PUT", query, body)).status).toBe(200);
  });

  test.each([
    ["PUT", "versioning", 1024],
    ["PUT", "ownershipControls", 2048],
    ["PUT", "tagging", 163_840],
    ["POST", "delete", 2_048_000],
  ] as const)("%s ?%s may have %i bytes", async (method, query, limit) => {
    const body = `<X>${" ".repeat(limit - 7 + 1)}</X>`;
    const tooLong = await send(method, query, body, { "content-md5": md5(body) });
    expect([tooLong.status, tooLong.code, xmlText(tooLong.body, "MaxMessageLengthBytes")]).toEqual([
      400,
      "MaxMessageLengthExceeded",
      String(limit),
    ]);
    const longest = body.replace(" ", "");
    expect((await send(method, query, longest, { "content-md5": md5(longest) })).code).toBe("MalformedXML");
  });
});
