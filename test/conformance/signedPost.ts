import { createHash, createHmac } from "node:crypto";
import type { Target } from "./target.ts";

/** A POST signed with Signature Version 4 (root's test/test), for requests that the SDK does not send. */
export async function signedPost(
  t: Target,
  service: string,
  path: string,
  body: string | Uint8Array,
  headers: Record<string, string>,
): Promise<Response> {
  const url = new URL(path, t.endpoint);
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = `${date.slice(0, 8)}/${t.region}/${service}/aws4_request`;
  const signed: Record<string, string> = { ...headers, host: url.host, "x-amz-date": date };
  const names = Object.keys(signed).sort();
  const hash = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");
  const canonical = [
    "POST",
    url.pathname,
    "",
    ...names.map((name) => `${name}:${signed[name]}`),
    "",
    names.join(";"),
    hash(body),
  ].join("\n");
  let key: string | Buffer = `AWS4${t.credentials.secretAccessKey}`;
  for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
  const signature = createHmac("sha256", key)
    .update(["AWS4-HMAC-SHA256", date, scope, hash(canonical)].join("\n"))
    .digest("hex");
  const credential = `${t.credentials.accessKeyId}/${scope}`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return fetch(url, { method: "POST", headers: { ...headers, "x-amz-date": date, authorization }, body });
}

/** A call of the query protocol. */
export const signedQuery = (t: Target, service: string, params: Record<string, string>, path = "/") =>
  signedPost(t, service, path, new URLSearchParams(params).toString(), {
    "content-type": "application/x-www-form-urlencoded",
  });
