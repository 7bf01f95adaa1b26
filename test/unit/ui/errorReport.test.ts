import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { Chalk } from "chalk";
import { describe, expect, test } from "vitest";
import { MinilakeError } from "../../../src/errors.ts";
import { describeError, exitCodeOf, renderError } from "../../../src/ui/errorReport.ts";

const plain = new Chalk({ level: 0 });

/** As the SDK builds them. */
function awsError(name: string, message: string, httpStatusCode: number): Error {
  return Object.assign(new Error(message), { name, $fault: "client", $metadata: { httpStatusCode, requestId: "R1" } });
}

describe("an error says what happened, why, and what to type next", () => {
  test("of minilake's own", () => {
    const error = new MinilakeError("PortInUse", "Port 4566 is in use by another program.", {
      hint: "Stop it, or run: minilake up --port 4570",
    });
    expect(renderError(error, plain)).toBe(
      "✖ Port 4566 is in use by another program.\n  Stop it, or run: minilake up --port 4570",
    );
  });

  test("of AWS, with its code and request", () => {
    expect(renderError(awsError("AccessDenied", "User: arn:… is not authorized", 403), plain)).toBe(
      "✖ AWS answered AccessDenied: User: arn:… is not authorized.\n" +
        "  The credentials in use lack a permission. Whose they are: aws sts get-caller-identity\n" +
        "  AWS request R1, HTTP 403",
    );
    expect(describeError(awsError("ExpiredToken", "The provided token has expired.", 400)).hint).toContain(
      "aws sso login",
    );
    expect(describeError(awsError("NotImplemented", "s3:PutBucketReplication", 501)).hint).toContain("--endpoint-url");
    expect(describeError(awsError("InvalidAccessKeyId", "unknown", 403)).hint).toContain("test/test");
  });

  test("of an endpoint that is not AWS, and of its full disk", () => {
    const full = awsError("InternalError", "No space left on the disk of minilake's data folder.", 500);
    expect(renderError(full, plain, false, "The endpoint")).toBe(
      "✖ The endpoint answered InternalError: No space left on the disk of minilake's data folder.\n" +
        "  Free some space and run the same command again; it goes on where it was.\n" +
        "  Request R1, HTTP 500",
    );
  });

  test("of the network, however deep it lies", async () => {
    const refused = await new Promise<Error>((resolve) => connect({ host: "127.0.0.1", port: 1 }).on("error", resolve));
    const wrapped = new Error("send failed", { cause: new AggregateError([refused]) });
    const { code, message, hint } = describeError(wrapped);
    expect(code).toBe("EndpointUnreachable");
    expect(message).toBe("The AWS endpoint at 127.0.0.1:1 does not answer (ECONNREFUSED).");
    expect(hint).toContain("minilake up");
  });

  test("of the file system, with the path", () => {
    try {
      readFileSync("/nowhere/to/be/found.csv");
      expect.unreachable();
    } catch (error) {
      expect(renderError(error, plain)).toBe("✖ /nowhere/to/be/found.csv does not exist (ENOENT).\n  Check the path.");
    }
  });

  test("of our own making, which is said to be a bug", () => {
    const { code, message, hint } = describeError(new TypeError("x is undefined"));
    expect({ code, message }).toEqual({
      code: "Internal",
      message: "Something unexpected went wrong: TypeError: x is undefined.",
    });
    expect(hint).toContain("--verbose");
  });
});

test("a stack is shown only when asked for, with what caused it", () => {
  const error = new MinilakeError("DataFolder", "Damaged.", { cause: new RangeError("page 7") });
  expect(renderError(error, plain)).not.toContain("at ");
  expect(renderError(error, plain, true)).toMatch(/MinilakeError: Damaged\.[\s\S]*caused by RangeError: page 7/);
});

test.each([
  [new MinilakeError("Usage", ""), 2],
  [new MinilakeError("Interrupted", ""), 130],
  [new MinilakeError("Config", ""), 2],
  [new Error(""), 1],
])("exit codes", (error, code) => expect(exitCodeOf(error)).toBe(code));
