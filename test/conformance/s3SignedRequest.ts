import { createHash, createHmac } from "node:crypto";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import type { Target } from "./target.ts";

export interface RawRequest {
  method: string;
  /** Percent-encoded as it shall go over the wire: nothing normalises it. */
  path: string;
  /** "uploads" or "partNumber=1&uploadId=x", encoded. */
  query?: string;
  headers?: Record<string, string>;
  body?: Buffer | string;
  /** Value of x-amz-content-sha256. @default the hash of the body */
  payloadHash?: string;
  /** @default true */
  isSigned?: boolean;
  /** Sends this Host, for virtual-host style. */
  host?: string;
}

export interface RawReply {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** Of an error document. */
  code: string | undefined;
}

const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
const sha256 = (body: Buffer | string) => createHash("sha256").update(body).digest("hex");

export function signingKeyOf(secret: string, date: string, region: string): Buffer {
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), "s3"), "aws4_request");
}

/** What the SDK cannot send: wrong digests, odd keys, malformed bodies, hand-made chunks. Signed with SigV4 unless told otherwise. */
export async function signedRequest(t: Target, raw: RawRequest): Promise<RawReply> {
  return send(t, raw, sign(t, raw).headers);
}

/** The headers of a signed request, and what signing left behind for signed chunks. */
export function sign(t: Target, raw: RawRequest) {
  const { host: endpointHost } = new URL(t.endpoint);
  const timestamp = new Date().toISOString().replace(/[-:]|\.\d{3}/g, "");
  const date = timestamp.slice(0, 8);
  const payloadHash = raw.payloadHash ?? sha256(raw.body ?? "");
  const headers: Record<string, string> = {
    host: raw.host ?? endpointHost,
    "x-amz-date": timestamp,
    "x-amz-content-sha256": payloadHash,
  };
  for (const [name, value] of Object.entries(raw.headers ?? {})) headers[name.toLowerCase()] = value;
  const names = Object.keys(headers).sort();
  const query = (raw.query ?? "")
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => (pair.includes("=") ? pair : `${pair}=`))
    .sort()
    .join("&");
  const canonical = [
    raw.method,
    raw.path,
    query,
    ...names.map((name) => `${name}:${headers[name]!.trim()}`),
    "",
    names.join(";"),
    payloadHash,
  ].join("\n");
  const scope = `${date}/${t.region}/s3/aws4_request`;
  const signingKey = signingKeyOf(t.credentials.secretAccessKey, date, t.region);
  const seed = hmac(signingKey, ["AWS4-HMAC-SHA256", timestamp, scope, sha256(canonical)].join("\n")).toString("hex");
  if (raw.isSigned !== false) {
    headers.authorization = `AWS4-HMAC-SHA256 Credential=${t.credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${seed}`;
  } else {
    delete headers["x-amz-content-sha256"];
    delete headers["x-amz-date"];
  }
  return { headers, signingKey, seed, timestamp, scope };
}

export function send(t: Target, raw: RawRequest, headers: Record<string, string>): Promise<RawReply> {
  const { hostname, port } = new URL(t.endpoint);
  const { method } = raw;
  const path = raw.query ? `${raw.path}?${raw.query}` : raw.path;
  return new Promise((resolve, reject) => {
    const body = raw.body ?? "";
    const length = Buffer.byteLength(body);
    const all = { ...headers };
    if (all["transfer-encoding"] === undefined && (length > 0 || method !== "GET")) {
      all["content-length"] ??= String(length);
    }
    const outgoing = httpRequest({ hostname, port, method, path, headers: all, agent: false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({
          status: incoming.statusCode!,
          headers: incoming.headers,
          body: text,
          code: /<Error><Code>([^<]*)/.exec(text)?.[1],
        });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** Text of the first element of this name. */
export const xmlText = (xml: string, name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];

/** Status and code of what an SDK call was refused with; fails the test when it was not. */
export async function refusal(
  call: Promise<unknown>,
): Promise<{ status: number | undefined; code: string; message: string }> {
  try {
    await call;
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    return { status: $metadata?.httpStatusCode, code: name, message };
  }
  throw new Error("the call was not refused");
}
