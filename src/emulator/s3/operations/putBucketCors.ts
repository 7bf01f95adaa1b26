import { childrenOf, malformedXml, onlyChildren, parseXml, textOf, type XmlElement } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import { receiveDocument } from "../bodies/receive.ts";
import type { Operation } from "../call.ts";
import { invalidRequest } from "../errors.ts";
import type { CorsRule } from "../records.ts";

const METHODS = new Set(["GET", "PUT", "HEAD", "POST", "DELETE"]);
const MAX_RULES = 100;

/** Kept and given back. It has nothing to act on: this endpoint refuses requests that come from web pages. */
export const putBucketCors: Operation = async (context, call) => {
  const body = await receiveDocument(call, 64 * 1024, malformedXml);
  requireBucket(context, call, "s3:PutBucketCORS");
  const root = parseXml(body, "CORSConfiguration");
  onlyChildren(root, "CORSRule");
  const cors = childrenOf(root, "CORSRule").map(parseRule);
  if (cors.length === 0 || cors.length > MAX_RULES) throw malformedXml();
  context.store.putBucket({ ...context.store.getBucket(call.bucket), cors });
  return { status: 200 };
};

function parseRule(rule: XmlElement): CorsRule {
  onlyChildren(rule, "ID", "AllowedHeader", "AllowedMethod", "AllowedOrigin", "ExposeHeader", "MaxAgeSeconds");
  const all = (name: string) => childrenOf(rule, name).map(({ text }) => text);
  const AllowedMethod = all("AllowedMethod");
  const AllowedOrigin = all("AllowedOrigin");
  if (AllowedMethod.length === 0 || AllowedOrigin.length === 0) throw malformedXml();
  for (const method of AllowedMethod) {
    if (!METHODS.has(method)) {
      throw invalidRequest(`Found unsupported HTTP method in CORS config. Unsupported method is ${method}`);
    }
  }
  for (const origin of AllowedOrigin) {
    if (origin.split("*").length > 2) {
      throw invalidRequest(`AllowedOrigin "${origin}" can not have more than one wildcard.`);
    }
  }
  const maxAge = textOf(rule, "MaxAgeSeconds");
  if (maxAge !== undefined && !/^\d{1,9}$/.test(maxAge)) throw malformedXml();
  return {
    ID: textOf(rule, "ID"),
    AllowedHeader: all("AllowedHeader"),
    AllowedMethod,
    AllowedOrigin,
    ExposeHeader: all("ExposeHeader"),
    MaxAgeSeconds: maxAge === undefined ? undefined : Number(maxAge),
  };
}
