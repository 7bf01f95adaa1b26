import { describe, expect, test } from "vitest";
import type { EmulatorRequest } from "../../../../src/emulator/http.ts";
import { operationOf } from "../../../../src/emulator/s3/routing.ts";

function route(method: string, path: string): string {
  const [, bucket = "", key = "", rawQuery = ""] = /^\/([^/?]*)\/?([^?]*)\??(.*)$/.exec(path)!;
  const request = { method, rawQuery, query: new URLSearchParams(rawQuery), headers: {} };
  return operationOf(request as unknown as EmulatorRequest, bucket, key);
}

test.each([
  ["GET", "/b?analytics", "ListBucketAnalyticsConfigurations"],
  ["GET", "/b?analytics&id=a", "GetBucketAnalyticsConfiguration"],
  ["PUT", "/b?inventory&id=a", "PutBucketInventoryConfiguration"],
  ["DELETE", "/b?metrics&id=a", "DeleteBucketMetricsConfiguration"],
  ["POST", "/b?metadataTable", "CreateBucketMetadataTableConfiguration"],
  ["PUT", "/b?metadataJournalTable", "UpdateBucketMetadataJournalTableConfiguration"],
  ["PUT", "/b/k?encryption", "UpdateObjectEncryption"],
  ["PUT", "/b/k?legal-hold", "PutObjectLegalHold"],
  ["GET", "/b/k?annotation", "ListObjectAnnotations"],
  ["GET", "/b/k?annotation&annotationName=a", "GetObjectAnnotation"],
  ["POST", "/b/k?restore", "RestoreObject"],
])("%s %s is refused as %s", (method, path, operation) => {
  expect(() => route(method, path)).toThrow(`does not implement s3:${operation}.`);
});

describe("a change that speaks of a sub-resource", () => {
  test.each([
    ["PUT", "/b/k?policy"],
    ["DELETE", "/b/k?lifecycle"],
    ["PUT", "/b?uploadId=u&partNumber=1"],
    ["DELETE", "/b?uploadId=u"],
    ["DELETE", "/b?analytics&tagging"],
    ["PUT", "/b?torrent&acl&tagging"],
  ])("is never one of the whole object or bucket: %s %s", (method, path) => {
    expect(() => route(method, path)).toThrow(/not allowed|does not implement|Conflicting/);
  });

  test("may be unknown, and is ignored then, as on AWS", () => {
    expect(route("PUT", "/b/k?x-id=PutObject&foo=bar")).toBe("PutObject");
    expect(route("GET", "/b/k?policy")).toBe("GetObject");
  });
});
