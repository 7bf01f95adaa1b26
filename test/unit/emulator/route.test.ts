import { describe, expect, it } from "vitest";
import { routeService } from "../../../src/emulator/route.ts";

const request = (parts: { headers?: Record<string, string>; query?: string; path?: string }) => ({
  headers: parts.headers ?? {},
  query: new URLSearchParams(parts.query ?? ""),
  path: parts.path ?? "/",
  body: Buffer.alloc(0),
});
const signedFor = (service: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=00`,
});

describe("routeService", () => {
  it("lets the credential scope decide, also over a path that looks like another service's", () => {
    expect(routeService(request({ headers: signedFor("s3"), path: "/2015-03-31/functions" }))).toBe("s3");
    expect(routeService(request({ headers: signedFor("lambda"), path: "/2015-03-31/functions" }))).toBe("lambda");
    expect(routeService(request({ headers: signedFor("monitoring") }))).toBe("monitoring");
  });

  it("reads the scope of a presigned URL", () => {
    expect(routeService(request({ query: "X-Amz-Credential=AK%2F20260101%2Fus-east-1%2Fsqs%2Faws4_request" }))).toBe(
      "sqs",
    );
  });

  it("names a service that is not here", () => {
    expect(routeService(request({ headers: signedFor("dynamodb") }))).toEqual({ unknown: "dynamodb" });
    expect(routeService(request({ headers: { "x-amz-target": "AWSGlue.GetTable" } }))).toEqual({
      unknown: "AWSGlue.GetTable",
    });
  });

  it("falls back to target, API version, Lambda's paths, and S3 in the end", () => {
    expect(routeService(request({ headers: { "x-amz-target": "Logs_20140328.PutLogEvents" } }))).toBe("logs");
    expect(routeService(request({ query: "Action=GetCallerIdentity&Version=2011-06-15" }))).toBe("sts");
    expect(routeService(request({ path: "/2015-03-31/functions/f/invocations" }))).toBe("lambda");
    expect(routeService(request({ path: "/raw-transactions/a.csv" }))).toBe("s3");
    const path = "/service/GraniteServiceVersion20100801/operation/ListMetrics";
    const headers = { "smithy-protocol": "rpc-v2-cbor" };
    expect(routeService(request({ path, headers }))).toBe("monitoring");
    expect(routeService(request({ path: "/service/Other/operation/Do", headers }))).toEqual({ unknown: "Other" });
    expect(routeService(request({ path }))).toBe("s3");
  });
});
