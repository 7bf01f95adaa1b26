import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { AwsError } from "../../../../src/emulator/awsError.ts";
import type { EmulatorRequest } from "../../../../src/emulator/http.ts";
import { decodeAwsJson, encodeAwsJson, encodeAwsJsonError } from "../../../../src/emulator/protocols/awsJson.ts";

function request(body: string | Buffer, headers: Record<string, string> = { "x-amz-target": "AmazonSQS.SendMessage" }) {
  return { id: "request-1", headers, body: Buffer.from(body as string) } as unknown as EmulatorRequest;
}

describe("awsJson", () => {
  it("reads the operation from the target and the input from the body", () => {
    expect(decodeAwsJson(request('{"QueueUrl":"u"}'))).toEqual({ operation: "SendMessage", input: { QueueUrl: "u" } });
    expect(decodeAwsJson(request(""))).toEqual({ operation: "SendMessage", input: {} });
  });

  it("decompresses a gzip body and refuses one that is damaged", () => {
    const headers = { "x-amz-target": "X.PutMetricData", "content-encoding": "gzip" };
    expect(decodeAwsJson({ ...request("", headers), body: gzipSync('{"a":1}') }).input).toEqual({ a: 1 });
    expect(() => decodeAwsJson(request("nonsense", headers))).toThrow(
      expect.objectContaining({ code: "SerializationException", status: 400 }),
    );
  });

  it("refuses a body that expands without end", () => {
    const headers = { "x-amz-target": "X.PutMetricData", "content-encoding": "gzip" };
    const bomb = { ...request("", headers), body: gzipSync(Buffer.alloc(32 * 1024 * 1024)) };
    expect(() => decodeAwsJson(bomb)).toThrow(expect.objectContaining({ code: "SerializationException" }));
  });

  it.each(["{", "[]", "null", '"text"'])("refuses the body %s", (body) => {
    expect(() => decodeAwsJson(request(body))).toThrow(
      expect.objectContaining({ code: "SerializationException", status: 400 }),
    );
  });

  it("refuses a request without a target", () => {
    expect(() => decodeAwsJson(request("{}", {}))).toThrow(
      expect.objectContaining({ code: "UnknownOperationException" }),
    );
  });

  it("encodes output and errors with the protocol's content type", () => {
    const reply = encodeAwsJson(request(""), { a: "ü", b: undefined }, "1.0");
    expect(reply).toMatchObject({
      status: 200,
      headers: { "content-type": "application/x-amz-json-1.0", "content-length": 10, "x-amzn-requestid": "request-1" },
    });
    expect(JSON.parse(String(reply.body))).toEqual({ a: "ü" });
    const error = new AwsError("com.amazonaws.sqs#QueueDoesNotExist", "The specified queue does not exist.", 400, {
      headers: { "x-amzn-query-error": "AWS.SimpleQueueService.NonExistentQueue;Sender" },
    });
    const refused = encodeAwsJsonError(error, request(""), "1.1");
    expect(refused).toMatchObject({
      status: 400,
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amzn-query-error": "AWS.SimpleQueueService.NonExistentQueue;Sender",
      },
    });
    expect(JSON.parse(String(refused.body))).toEqual({
      __type: "com.amazonaws.sqs#QueueDoesNotExist",
      message: "The specified queue does not exist.",
    });
  });
});
