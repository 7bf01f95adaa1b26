import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answers, type ClientEndpoint, endpointForClient } from "./programs.ts";

const isInstalled = answers("python3", ["-c", "import boto3"]);
const SCENARIOS = join(dirname(fileURLToPath(import.meta.url)), "scenarios.py");

describe.skipIf(!isInstalled)(
  `boto3${isInstalled ? "" : " (skipped: python3 has no boto3)"}`,
  { timeout: 120_000 },
  () => {
    let e: ClientEndpoint;
    beforeAll(async () => {
      e = await endpointForClient();
    });
    afterAll(() => e?.close());

    /** What the function of this name in scenarios.py saw. */
    async function scenario(name: string) {
      const { code, stdout, stderr } = await e.run("python3", [SCENARIOS, name], { timeoutMs: 110_000 });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return JSON.parse(stdout);
    }

    it("transfers large and small files in parts, ranges and copies, and presigns URLs", async () => {
      const { presigned, ...seen } = await scenario("transfers");
      expect(seen).toEqual({
        sent: true,
        parts: "3",
        metadata: { a: "b" },
        type: "x/y",
        checksumType: "COMPOSITE",
        back: true,
        small: "small",
        lastBytes: "0123456789abcdef",
        rangeOf: true,
      });
      expect(await (await fetch(presigned)).text()).toBe("small");
    });

    it("pages through lists of all kinds and waits for what is there and what is not", async () => {
      expect(await scenario("lists")).toEqual({
        all: true,
        prefixes: ["a/", "b/", "c/"],
        versions: 13,
        markers: 1,
        deleted: 10,
        left: ["a/1"],
        gone: ["404", 404],
      });
    });

    it("writes on conditions, and with checksums that are held against the bytes", async () => {
      expect(await scenario("writes")).toEqual({
        again: ["PreconditionFailed", 412],
        wrongMatch: ["PreconditionFailed", 412],
        match: 200,
        absent: ["NoSuchKey", 404],
        notModified: ["304", 304],
        algorithms: {
          CRC32: [true, "checked"],
          SHA1: [true, "checked"],
          SHA256: [true, "checked"],
        },
        own: true,
        wrong: ["BadDigest", 400],
        wrongMd5: ["BadDigest", 400],
      });
    });

    it("catches errors by their class and code", async () => {
      expect(await scenario("refusals")).toEqual({
        caught: ["NoSuchKey", "NoSuchBucket", "NoSuchEntity", "ResourceNotFoundException", "ResourceNotFoundException"],
        noSuchKey: ["NoSuchKey", 404, "The specified key does not exist."],
        head: ["404", 404, "Not Found"],
        policy: ["NoSuchBucketPolicy", 404],
        lifecycle: ["NoSuchLifecycleConfiguration", 404],
        name: ["InvalidBucketName", 400],
        notThere: [
          ["NotImplemented", 501, expect.stringContaining('the service "glue"')],
          ["NotImplemented", 501, expect.stringContaining('the service "sns"')],
          ["NotImplemented", 501, expect.stringContaining('the service "apigateway"')],
          ["NotImplemented", 501, expect.stringContaining('the service "route53"')],
        ],
        notDone: ["NotImplemented", 501],
        badSignature: ["SignatureDoesNotMatch", 403],
        badKey: ["InvalidAccessKeyId", 403],
      });
    });

    it("deploys a Python function that an upload runs, held to its role", async () => {
      expect(await scenario("pipeline")).toEqual({
        output: "ID,NAME\n1,ANNE\n",
        refusal: expect.stringContaining(
          "An error occurred (AccessDenied) when calling the DeleteObject operation: User: arn:aws:sts::000000000000:assumed-role/boto-curate/boto-curate is not authorized to perform: s3:DeleteObject",
        ),
        error: ["Unhandled", "IndexError", "list index out of range"],
      });
    });

    it("speaks CloudWatch's newest protocol, too", async () => {
      expect(await scenario("cbor_metrics")).toEqual({
        protocol: "rpc-v2-cbor",
        points: [[true, 11.5, "None"]],
        metrics: 501,
        alarm: true,
        gone: ["ResourceNotFound", 404, "Alarm nobody's does not exist"],
        both: ["InvalidParameterCombination", 400, expect.stringContaining("mutually exclusive")],
        notDone: ["NotImplemented", 501, expect.stringContaining("cloudwatch:PutDashboard")],
      });
    });
  },
);
