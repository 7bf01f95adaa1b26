import { AwsError } from "../awsError.ts";
import type { EmulatorReply, EmulatorRequest } from "../http.ts";

/**
 * A line of a REST-JSON service's table of routes.
 *
 * path   template such as "/2015-03-31/functions/{FunctionName}/code"; a parameter matches one segment, decoded. "?name" at its
 *        end: only with this query parameter; such a route comes before the one without
 */
export interface RestRoute<Operation extends string> {
  method: string;
  path: string;
  operation: Operation;
}

interface CompiledRoute<Operation extends string> {
  method: string;
  segments: string[];
  parameter: string | undefined;
  operation: Operation;
}

/** Finds an operation: `router(request.method, request.path, request.query)`; undefined when no route matches. */
export function restRouter<Operation extends string>(
  routes: readonly RestRoute<Operation>[],
): (
  method: string,
  path: string,
  query: URLSearchParams,
) => { operation: Operation; parameters: Record<string, string> } | undefined {
  const byFirstSegment = new Map<string, CompiledRoute<Operation>[]>();
  for (const { method, path, operation } of routes) {
    const [template = "", parameter] = path.split("?");
    const segments = template.split("/").slice(1);
    const first = segments[0]!;
    const known = byFirstSegment.get(first) ?? [];
    known.push({ method, segments, parameter, operation });
    byFirstSegment.set(first, known);
  }
  return (method, path, query) => {
    // botocore's older models end some paths in a slash.
    const segments = (path.endsWith("/") ? path.slice(0, -1) : path).split("/").slice(1);
    for (const route of byFirstSegment.get(segments[0] ?? "") ?? []) {
      if (route.method !== method || route.segments.length !== segments.length) continue;
      if (route.parameter !== undefined && !query.has(route.parameter)) continue;
      const parameters = matchSegments(route.segments, segments);
      if (parameters) return { operation: route.operation, parameters };
    }
    return undefined;
  };
}

function matchSegments(template: string[], segments: string[]): Record<string, string> | undefined {
  const parameters: Record<string, string> = {};
  for (let index = 0; index < template.length; index++) {
    const expected = template[index]!;
    const actual = segments[index]!;
    if (expected.startsWith("{")) parameters[expected.slice(1, -1)] = decodeSegment(actual);
    else if (expected !== actual) return undefined;
  }
  return parameters;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new AwsError("ValidationException", `The path segment ${segment} is not valid percent-encoding.`);
  }
}

/** The members of a JSON body; {} when there is none. Throws AwsError SerializationException. */
export function decodeRestJson(request: EmulatorRequest): Record<string, unknown> {
  if (request.body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(request.body.toString("utf8"));
  } catch (cause) {
    throw new AwsError("SerializationException", "Could not parse request body into json.", 400, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new AwsError("SerializationException", "Start of structure or map found where not expected.");
  }
  return value as Record<string, unknown>;
}

/** `output` undefined gives an empty body. */
export function encodeRestJson(request: EmulatorRequest, status: number, output: unknown): EmulatorReply {
  const headers: Record<string, string | number> = { "x-amzn-requestid": request.id };
  if (output === undefined) return { status, headers };
  const body = JSON.stringify(output);
  headers["content-type"] = "application/json";
  headers["content-length"] = Buffer.byteLength(body);
  return { status, headers, body };
}

/**
 * `{"Type":"User","message":"…"}` with the code in the header x-amzn-ErrorType.
 *
 * messageMember   how this service spells the member for this code: "Message" or "message"
 */
export function encodeRestJsonError(
  error: AwsError,
  request: EmulatorRequest,
  messageMember: "Message" | "message",
): EmulatorReply {
  const type = error.status >= 500 ? "Service" : "User";
  const body = JSON.stringify({ ...error.details, Type: type, [messageMember]: error.message });
  return {
    status: error.status,
    headers: {
      "content-type": "application/json",
      "x-amzn-errortype": error.code,
      "x-amzn-requestid": request.id,
      ...error.headers,
      "content-length": Buffer.byteLength(body),
    },
    body,
  };
}
