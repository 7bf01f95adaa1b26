import { AwsError } from "../awsError.ts";
import type { EmulatorReply, EmulatorRequest } from "../http.ts";
import { requestBody } from "./requestBody.ts";

/**
 * Operation name and input of a JSON 1.0/1.1 request: `X-Amz-Target: Prefix.Operation`. An empty body is `{}`.
 *
 * Throws   UnknownOperationException 400 without a target, SerializationException 400 for a body that is no JSON object
 */
export function decodeAwsJson(request: EmulatorRequest): { operation: string; input: Record<string, unknown> } {
  const target = request.headers["x-amz-target"];
  const operation = typeof target === "string" ? target.slice(target.lastIndexOf(".") + 1) : "";
  if (operation === "") throw new AwsError("UnknownOperationException", "The request names no operation.");
  const text = requestBody(request).toString("utf8");
  if (text.trim() === "") return { operation, input: {} };
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch (cause) {
    throw new AwsError("SerializationException", "The request body is not valid JSON.", 400, { cause });
  }
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw new AwsError("SerializationException", "The request body must be a JSON object.");
  }
  return { operation, input: input as Record<string, unknown> };
}

/** `undefined` members are left out; times must already be the numbers that the service uses (seconds or milliseconds). */
export function encodeAwsJson(request: EmulatorRequest, output: unknown, version: "1.0" | "1.1"): EmulatorReply {
  return reply(request, 200, output ?? {}, version);
}

/** `{"__type": code, "message": …, …details}` with the error's own headers. */
export function encodeAwsJsonError(error: AwsError, request: EmulatorRequest, version: "1.0" | "1.1"): EmulatorReply {
  const body = { __type: error.code, message: error.message, ...error.details };
  const encoded = reply(request, error.status, body, version);
  return { ...encoded, headers: { ...encoded.headers, ...error.headers } };
}

function reply(request: EmulatorRequest, status: number, output: unknown, version: "1.0" | "1.1"): EmulatorReply {
  const body = Buffer.from(JSON.stringify(output), "utf8");
  return {
    status,
    headers: {
      "content-type": `application/x-amz-json-${version}`,
      "content-length": body.length,
      "x-amzn-requestid": request.id,
    },
    body,
  };
}
