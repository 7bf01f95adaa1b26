import { gunzipSync } from "node:zlib";
import { AwsError } from "../awsError.ts";
import type { EmulatorRequest } from "../http.ts";

/** Most that a compressed body may grow to: far above any service's request limit, far below what would hurt. */
const MAX_INFLATED_BYTES = 16 * 1024 * 1024;

/**
 * The body, decompressed when the client sent it with `content-encoding: gzip` (the SDKs do so for PutMetricData).
 *
 * Throws   SerializationException 400 when it is not gzip or grows beyond 16 MiB
 */
export function requestBody(request: EmulatorRequest): Buffer {
  const encoding = request.headers["content-encoding"];
  if (encoding === undefined || !encoding.split(",").some((part) => part.trim().toLowerCase() === "gzip")) {
    return request.body;
  }
  try {
    return gunzipSync(request.body, { maxOutputLength: MAX_INFLATED_BYTES });
  } catch (cause) {
    throw new AwsError("SerializationException", "The request body could not be decompressed.", 400, { cause });
  }
}
