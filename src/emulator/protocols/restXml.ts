import { XMLParser, XMLValidator } from "fast-xml-parser";
import { AwsError } from "../awsError.ts";
import type { EmulatorReply, EmulatorRequest } from "../http.ts";

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
export const S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

const SPECIAL = /[&<>"'\x00-\x1f\x7f\ufffe\uffff]/;
const ALL_SPECIAL = new RegExp(SPECIAL, "g");
const NAMED: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text of an element. Characters that XML 1.0 forbids, and white space that parsers normalise, go out as numeric references, as S3 does. */
export function escapeXml(text: string): string {
  if (!SPECIAL.test(text)) return text;
  return text.replace(ALL_SPECIAL, (character) => NAMED[character] ?? `&#x${character.charCodeAt(0).toString(16)};`);
}

/** `<name>escaped value</name>`, "" when the value is undefined. */
export function element(name: string, value: string | number | boolean | undefined): string {
  if (value === undefined) return "";
  return `<${name}>${typeof value === "string" ? escapeXml(value) : value}</${name}>`;
}

/** `<name>content</name>`; the content is XML already. */
export function wrap(name: string, content: string): string {
  return content === "" ? `<${name}/>` : `<${name}>${content}</${name}>`;
}

/** A whole document with S3's namespace on its root. */
export function xmlDocument(root: string, content: string): string {
  return `${XML_DECLARATION}<${root} xmlns="${S3_NAMESPACE}">${content}</${root}>`;
}

export function xmlReply(root: string, content: string, headers?: Record<string, string>): EmulatorReply {
  return {
    status: 200,
    headers: { "content-type": "application/xml", ...headers },
    body: xmlDocument(root, content),
  };
}

/** An element of a request document: namespaces and attributes dropped, text unescaped and joined. */
export interface XmlElement {
  name: string;
  text: string;
  children: XmlElement[];
}

export function malformedXml(): AwsError {
  return new AwsError(
    "MalformedXML",
    "The XML you provided was not well-formed or did not validate against our published schema",
  );
}

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  parseTagValue: false,
  trimValues: false,
  // Entities are decoded below: the five of XML and numeric ones, none that a document could declare.
  processEntities: false,
  removeNSPrefix: true,
});

type ParsedNode = Record<string, ParsedNode[] | string>;

/**
 * The root element of a request document. Throws AwsError MalformedXML 400 for anything that is not well-formed, has a DOCTYPE,
 * an unknown entity, or another root than `root`.
 */
export function parseXml(body: Buffer, root: string): XmlElement {
  const text = body.toString("utf8").replace(/^\ufeff/, "");
  if (text.includes("<!DOCTYPE") || text.includes("<!ENTITY")) throw malformedXml();
  let nodes: ParsedNode[];
  try {
    if (XMLValidator.validate(text) !== true) throw malformedXml();
    nodes = parser.parse(text) as ParsedNode[];
  } catch {
    throw malformedXml();
  }
  const elements = nodes.filter((node) => !("#text" in node));
  const found = elements.length === 1 ? toElement(elements[0]!) : undefined;
  if (found?.name !== root) throw malformedXml();
  return found;
}

function toElement(node: ParsedNode): XmlElement {
  const [name = ""] = Object.keys(node);
  const result: XmlElement = { name, text: "", children: [] };
  for (const child of node[name] as ParsedNode[]) {
    if ("#text" in child) result.text += unescapeXml(String(child["#text"]));
    else result.children.push(toElement(child));
  }
  return result;
}

const ENTITY = /&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([a-zA-Z]+));|&/g;
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(ENTITY, (_all, hex?: string, decimal?: string, name?: string) => {
    const code = hex !== undefined ? Number.parseInt(hex, 16) : decimal !== undefined ? Number(decimal) : undefined;
    if (code !== undefined && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)) return String.fromCodePoint(code);
    const character = name === undefined ? undefined : ENTITIES[name];
    if (character === undefined) throw malformedXml();
    return character;
  });
}

export function childrenOf(parent: XmlElement, name: string): XmlElement[] {
  return parent.children.filter((child) => child.name === name);
}

/** The only child of this name; undefined when there is none. Throws MalformedXML for a second one. */
export function childOf(parent: XmlElement, name: string): XmlElement | undefined {
  const found = childrenOf(parent, name);
  if (found.length > 1) throw malformedXml();
  return found[0];
}

export function textOf(parent: XmlElement, name: string): string | undefined {
  return childOf(parent, name)?.text;
}

/** Throws MalformedXML when the child is missing. */
export function requiredText(parent: XmlElement, name: string): string {
  const text = textOf(parent, name);
  if (text === undefined) throw malformedXml();
  return text;
}

/** Throws MalformedXML for children that the schema does not know: what is not understood must not be accepted. */
export function onlyChildren(parent: XmlElement, ...names: string[]): void {
  if (parent.children.some((child) => !names.includes(child.name))) throw malformedXml();
}

/** S3's error document: root `Error`, no namespace. HEAD gets no body. */
export function encodeRestXmlError(error: AwsError, request: EmulatorRequest, hostId: string): EmulatorReply {
  const headers: Record<string, string> = {
    "x-amz-request-id": request.id,
    "x-amz-id-2": hostId,
    server: "AmazonS3",
    ...error.headers,
  };
  if (request.method === "HEAD" || error.status === 304) return { status: error.status, headers };
  const details = Object.entries(error.details).map(([name, value]) => element(name, value));
  const content = [
    element("Code", error.code),
    element("Message", error.message),
    ...details,
    element("RequestId", request.id),
    element("HostId", hostId),
  ];
  return {
    status: error.status,
    headers: { "content-type": "application/xml", ...headers },
    body: `${XML_DECLARATION}<Error>${content.join("")}</Error>`,
  };
}
