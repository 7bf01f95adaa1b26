import { AwsError } from "../awsError.ts";
import type { EmulatorReply, EmulatorRequest } from "../http.ts";
import { requestBody } from "./requestBody.ts";

/** No AWS shape nests deeper; a longer chain of dots is an attack on the stack. */
const MAX_DEPTH = 32;

/**
 * Action and parameters of a query-protocol request (query string, then form body).
 *
 * `Tags.member.1.Key=a`            { Tags: [{ Key: "a" }] }
 * `AttributeName.1=All`            { AttributeName: ["All"] } (flattened list)
 * `Map.entry.1.key=a`, `….value=b` { Map: { a: "b" } }
 *
 * Every leaf is a string; an empty list or structure arrives as "". List items are in the order of their numbers.
 * Throws   MissingAction 400
 */
export function decodeAwsQuery(request: EmulatorRequest): { action: string; input: Record<string, unknown> } {
  const root: Node = new Map();
  for (const [name, value] of request.query) insert(root, name, value);
  for (const [name, value] of new URLSearchParams(requestBody(request).toString("utf8"))) insert(root, name, value);
  const action = root.get("Action");
  if (typeof action !== "string" || action === "") {
    throw new AwsError("MissingAction", "The request must contain the parameter Action.");
  }
  root.delete("Action");
  root.delete("Version");
  const input: Record<string, unknown> = {};
  for (const [name, child] of root) if (!name.startsWith("X-Amz-")) define(input, name, plain(child));
  return { action, input };
}

type Node = Map<string, Node | string>;

function insert(root: Node, name: string, value: string): void {
  const parts = name.split(".", MAX_DEPTH + 1);
  if (parts.length > MAX_DEPTH) throw new AwsError("MalformedQueryString", "A parameter is nested too deeply.");
  let node = root;
  for (const part of parts.slice(0, -1)) {
    let child = node.get(part);
    if (!(child instanceof Map)) {
      child = new Map();
      node.set(part, child);
    }
    node = child;
  }
  const last = parts.at(-1) as string;
  // "Tags=" (an empty list) beside "Tags.member.1=…" does not undo the list.
  if (!(node.get(last) instanceof Map)) node.set(last, value);
}

function plain(node: Node | string): unknown {
  if (typeof node === "string") return node;
  const only = node.size === 1 ? node.keys().next().value : undefined;
  const inner = only === undefined ? undefined : node.get(only);
  if (only === "member" && inner instanceof Map && isNumbered(inner)) return items(inner).map(plain);
  if (only === "entry" && inner instanceof Map && isNumbered(inner)) return entries(inner);
  if (isNumbered(node)) return items(node).map(plain);
  const output: Record<string, unknown> = {};
  for (const [name, child] of node) define(output, name, plain(child));
  return output;
}

function entries(numbered: Node): Record<string, unknown> {
  const output: Record<string, unknown> = {};
  for (const entry of items(numbered)) {
    if (!(entry instanceof Map)) continue;
    const key = entry.get("key");
    const value = entry.get("value");
    if (typeof key === "string") define(output, key, value === undefined ? "" : plain(value));
  }
  return output;
}

const isNumbered = (node: Node) => node.size > 0 && [...node.keys()].every((name) => /^\d{1,9}$/.test(name));

const items = (node: Node) =>
  [...node].sort(([left], [right]) => Number(left) - Number(right)).map(([, child]) => child);

/** Assignment would let a parameter called __proto__ change the object instead of adding to it. */
function define(target: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

export interface QueryEncoding {
  /** True: a list repeats its own element (`<Message>…</Message><Message>…`), as SQS does; false: `<member>` inside of one. */
  flattenedLists?: boolean;
}

/**
 * `<ActionResponse><ActionResult>…</ActionResult><ResponseMetadata/></ActionResponse>`; arrays become `<member>` lists,
 * a Map `<entry><key/><value/></entry>`, dates ISO 8601, buffers base64, and `undefined` is left out. The result element is there even when empty: botocore wants it.
 */
export function encodeAwsQuery(
  request: EmulatorRequest,
  action: string,
  xmlns: string,
  output: object,
  options: QueryEncoding = {},
): EmulatorReply {
  const result = element(`${action}Result`, output, options.flattenedLists === true);
  const metadata = element("ResponseMetadata", { RequestId: request.id }, false);
  const body = `<${action}Response xmlns="${escapeXml(xmlns)}">${result}${metadata}</${action}Response>`;
  return reply(request, 200, body);
}

export function encodeAwsQueryError(error: AwsError, request: EmulatorRequest, xmlns: string): EmulatorReply {
  const type = error.status >= 500 ? "Receiver" : "Sender";
  const inner = element("Error", { Type: type, Code: error.code, Message: error.message, ...error.details }, false);
  const id = element("RequestId", request.id, false);
  const encoded = reply(
    request,
    error.status,
    `<ErrorResponse xmlns="${escapeXml(xmlns)}">${inner}${id}</ErrorResponse>`,
  );
  return { ...encoded, headers: { ...encoded.headers, ...error.headers } };
}

function reply(request: EmulatorRequest, status: number, xml: string): EmulatorReply {
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`, "utf8");
  return {
    status,
    headers: { "content-type": "text/xml", "content-length": body.length, "x-amzn-requestid": request.id },
    body,
  };
}

function element(name: string, value: unknown, flattened: boolean): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) {
    if (flattened) return value.map((item) => element(name, item, flattened)).join("");
    return `<${name}>${value.map((item) => element("member", item, flattened)).join("")}</${name}>`;
  }
  return `<${name}>${content(value, flattened)}</${name}>`;
}

function content(value: unknown, flattened: boolean): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Map) {
    return [...value].map(([key, inner]) => element("entry", { key, value: inner }, flattened)).join("");
  }
  if (typeof value !== "object" || value === null) return escapeXml(String(value));
  return Object.entries(value)
    .map(([name, inner]) => element(name, inner, flattened))
    .join("");
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };

/** Carriage returns and other control characters would be changed or refused by a parser, so they are written as references. */
function escapeXml(text: string): string {
  return text.replace(/[&<>"'\x00-\x08\x0b-\x1f]/g, (char) => ENTITIES[char] ?? `&#${char.charCodeAt(0)};`);
}
