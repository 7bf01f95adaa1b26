import type { AwsError } from "../awsError.ts";
import type { EmulatorReply, EmulatorRequest } from "../http.ts";

/** Operation name and input of a JSON 1.0/1.1 request: `X-Amz-Target: Prefix.Operation`. Throws AwsError SerializationException. */
export function decodeAwsJson(_request: EmulatorRequest): { operation: string; input: Record<string, unknown> } {
  throw new Error("awsJson");
}
export function encodeAwsJson(_request: EmulatorRequest, _output: unknown, _version: "1.0" | "1.1"): EmulatorReply {
  throw new Error("awsJson");
}
export function encodeAwsJsonError(
  _error: AwsError,
  _request: EmulatorRequest,
  _version: "1.0" | "1.1",
): EmulatorReply {
  throw new Error("awsJson");
}
