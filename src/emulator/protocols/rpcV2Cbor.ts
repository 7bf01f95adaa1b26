import { AwsError } from "../awsError.ts";
import type { EmulatorReply, EmulatorRequest } from "../http.ts";
import { CborError, decodeCbor, encodeCbor } from "./cbor.ts";
import { requestBody } from "./requestBody.ts";

/**
 * Smithy's RPC v2 protocol in CBOR: `POST /service/<Service>/operation/<Operation>`, both ways with this header.
 * https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
 */
const HEADER = { "smithy-protocol": "rpc-v2-cbor" };
const PATH = /^\/service\/([^/]+)\/operation\/([^/]+)$/;

export const isRpcV2Cbor = ({ headers }: Pick<EmulatorRequest, "headers">) =>
  headers["smithy-protocol"] === HEADER["smithy-protocol"];

/** The service that the path names, such as GraniteServiceVersion20100801; undefined for a path of another form. */
export const rpcV2Service = (path: string) => PATH.exec(path)?.[1];

/**
 * Operation name and input. An empty body is `{}`; points in time are Dates.
 *
 * Throws   UnknownOperationException 404 for another path or method, SerializationException 400 for a body that is not one CBOR map
 */
export function decodeRpcV2Cbor(
  request: EmulatorRequest,
  service: string,
): { operation: string; input: Record<string, unknown> } {
  const [, named, operation] = PATH.exec(request.path) ?? [];
  if (named !== service || operation === undefined || request.method !== "POST") {
    throw new AwsError("UnknownOperationException", "The request names no operation of this service.", 404);
  }
  const body = requestBody(request);
  if (body.length === 0) return { operation, input: {} };
  let input: unknown;
  try {
    input = decodeCbor(body);
  } catch (cause) {
    if (!(cause instanceof CborError)) throw cause;
    throw new AwsError("SerializationException", `The request body is not valid CBOR: ${cause.message}.`, 400, {
      cause,
    });
  }
  if (typeof input !== "object" || input === null || Array.isArray(input) || isScalar(input)) {
    throw new AwsError("SerializationException", "The request body must be a CBOR map.");
  }
  return { operation, input: input as Record<string, unknown> };
}

const isScalar = (input: object) => input instanceof Date || input instanceof Uint8Array;

/**
 * output      Dates as points in time, numbers as doubles; undefined for an operation that has no output: an empty body
 * isInteger   names the members that are integers
 */
export function encodeRpcV2Cbor(
  request: EmulatorRequest,
  output: object | undefined,
  isInteger: (member: string) => boolean,
): EmulatorReply {
  if (output === undefined) {
    return { status: 200, headers: { ...HEADER, "content-length": 0, "x-amzn-requestid": request.id } };
  }
  return reply(request, 200, encodeCbor(output, isInteger));
}

/** `{ __type: code, message, Message, …details }` with the error's own headers. Models spell the message both ways, and clients read theirs. */
export function encodeRpcV2CborError(error: AwsError, request: EmulatorRequest): EmulatorReply {
  const { code, message, status, details, headers } = error;
  const encoded = reply(request, status, encodeCbor({ __type: code, message, Message: message, ...details }));
  return { ...encoded, headers: { ...encoded.headers, ...headers } };
}

const reply = (request: EmulatorRequest, status: number, body: Buffer): EmulatorReply => ({
  status,
  headers: {
    ...HEADER,
    "content-type": "application/cbor",
    "content-length": body.length,
    "x-amzn-requestid": request.id,
  },
  body,
});
