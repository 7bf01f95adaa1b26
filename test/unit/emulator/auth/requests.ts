import { createHash, createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { EmulatorRequest } from "../../../../src/emulator/http.ts";

/** A request as the server hands it over; repeated headers are joined as node joins them. */
export function request(
  method: string,
  url: string,
  headers: [name: string, value: string][] | Record<string, string>,
  body = "",
): EmulatorRequest {
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  const rawQuery = mark < 0 ? "" : url.slice(mark + 1);
  const lines = Array.isArray(headers) ? headers : Object.entries(headers);
  const joined: Record<string, string> = {};
  for (const [name, value] of lines) {
    const lower = name.toLowerCase();
    joined[lower] = joined[lower] === undefined ? value.trim() : `${joined[lower]}, ${value.trim()}`;
  }
  return {
    id: "id",
    method,
    path,
    rawQuery,
    query: new URLSearchParams(rawQuery),
    headers: joined,
    host: joined.host ?? "",
    remoteAddress: "127.0.0.1",
    body: Buffer.from(body),
    stream: { rawHeaders: lines.flat() } as IncomingMessage,
  };
}

export interface Signer {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");

export function signature(secret: string, scope: string, timestamp: string, canonical: string | Buffer): string {
  let key: string | Buffer = `AWS4${secret}`;
  for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
  const text = `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${sha256(canonical)}`;
  return createHmac("sha256", key).update(text).digest("hex");
}

export const timestampOf = (milliseconds: number) => new Date(milliseconds).toISOString().replace(/[-:]|\.\d+/g, "");

/** A call of the query protocol, or a GET of S3, signed at `at`. */
export function signedRequest(signer: Signer, service: string, at: number, body = ""): EmulatorRequest {
  const timestamp = timestampOf(at);
  const scope = `${timestamp.slice(0, 8)}/us-east-1/${service}/aws4_request`;
  const headers: Record<string, string> = { host: "127.0.0.1:4566", "x-amz-date": timestamp };
  if (service === "s3") headers["x-amz-content-sha256"] = sha256(body);
  if (signer.sessionToken !== undefined) headers["x-amz-security-token"] = signer.sessionToken;
  const names = Object.keys(headers).sort();
  const method = service === "s3" ? "GET" : "POST";
  const lines = names.map((name) => `${name}:${headers[name]}`);
  const canonical = [method, "/", "", ...lines, "", names.join(";"), sha256(body)].join("\n");
  const signed = signature(signer.secretAccessKey, scope, timestamp, canonical);
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${signer.accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signed}`;
  return request(method, "/", headers, body);
}
