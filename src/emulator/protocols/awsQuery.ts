import type { AwsError } from "../awsError.ts";
import type { EmulatorReply, EmulatorRequest } from "../http.ts";

/**
 * Action and parameters of a query-protocol request (form body or query string). `Tags.member.1.Key=a` becomes
 * { Tags: [{ Key: "a" }] }; every leaf is a string.
 */
export function decodeAwsQuery(_request: EmulatorRequest): { action: string; input: Record<string, unknown> } {
  throw new Error("awsQuery");
}
/** `<ActionResponse><ActionResult>…</ActionResult><ResponseMetadata/></ActionResponse>`; arrays become `<member>` lists. */
export function encodeAwsQuery(
  _request: EmulatorRequest,
  _action: string,
  _xmlns: string,
  _output: object,
): EmulatorReply {
  throw new Error("awsQuery");
}
export function encodeAwsQueryError(_error: AwsError, _request: EmulatorRequest, _xmlns: string): EmulatorReply {
  throw new Error("awsQuery");
}
