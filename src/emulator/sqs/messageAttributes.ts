import { createHash } from "node:crypto";
import { AwsError } from "../awsError.ts";
import { refuseReservedName } from "../reservedName.ts";
import { invalidParameter } from "./errors.ts";
import { type Input, isStructure, mapOf } from "./input.ts";

/** BinaryValue is base64, as on the wire. */
export interface MessageAttribute {
  DataType: string;
  StringValue?: string;
  BinaryValue?: string;
}

const MAX_ATTRIBUTES = 10;
const MAX_NAME_LENGTH = 256;

/**
 * The message attributes of an entry, checked.
 *
 * Throws   InvalidParameterValue for more than 10, bad names, types and values
 */
export function readMessageAttributes(input: Input): Record<string, MessageAttribute> {
  const attributes = mapOf(input, "MessageAttributes", isStructure);
  const names = Object.keys(attributes);
  if (names.length > MAX_ATTRIBUTES) {
    throw invalidParameter(
      `Number of message attributes [${names.length}] exceeds the allowed maximum [${MAX_ATTRIBUTES}].`,
    );
  }
  const checked: Record<string, MessageAttribute> = {};
  for (const name of names) checked[name] = checkAttribute(name, attributes[name] as Input);
  return checked;
}

/** AWSTraceHeader is the only system attribute that can be sent. */
export function readSystemAttributes(input: Input): Record<string, MessageAttribute> {
  const attributes = mapOf(input, "MessageSystemAttributes", isStructure);
  for (const name of Object.keys(attributes)) {
    if (name !== "AWSTraceHeader") {
      throw invalidParameter(`Message system attribute name '${name}' is invalid. Allowed values: AWSTraceHeader.`);
    }
  }
  const header = attributes.AWSTraceHeader;
  if (header === undefined) return {};
  const checked = checkAttribute("AWSTraceHeader", header);
  if (checked.DataType !== "String") {
    throw invalidParameter("The message system attribute 'AWSTraceHeader' must be of type 'String'.");
  }
  return { AWSTraceHeader: checked };
}

function checkAttribute(name: string, attribute: Input): MessageAttribute {
  refuseReservedName(name);
  if (!/^[A-Za-z0-9_.-]+$/.test(name) || name.length > MAX_NAME_LENGTH || /^\.|\.$|\.\./.test(name)) {
    throw invalidParameter(
      `The message attribute name '${name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.) characters.`,
    );
  }
  if (/^(aws|amazon)\./i.test(name)) {
    throw invalidParameter(
      `The message attribute name '${name}' is invalid because it starts with a reserved prefix (AWS. or Amazon.).`,
    );
  }
  const { DataType, StringValue, BinaryValue } = attribute;
  if (typeof DataType !== "string" || DataType === "") {
    throw invalidParameter(`The message attribute '${name}' must contain a non-empty message attribute type.`);
  }
  const type = DataType.split(".")[0] as string;
  if (!["String", "Number", "Binary"].includes(type) || DataType.length > MAX_NAME_LENGTH) {
    throw invalidParameter(
      `The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    );
  }
  const value = type === "Binary" ? BinaryValue : StringValue;
  if (typeof value !== "string" || value === "") {
    throw invalidParameter(`Message (user) attribute '${name}' must contain a non-empty value of type '${type}'.`);
  }
  if (type === "Binary" && Buffer.from(value, "base64").toString("base64") !== value) {
    throw new AwsError("SerializationException", `The value of message attribute '${name}' is not base64.`);
  }
  if (type === "Number" && !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) {
    throw invalidParameter(`Can't cast the value of message (user) attribute '${name}' to a number.`);
  }
  if (type !== "Binary" && hasInvalidCharacters(value)) {
    throw invalidParameter(`Message (user) attribute '${name}' contains characters that are not allowed.`);
  }
  return type === "Binary" ? { DataType, BinaryValue: value } : { DataType, StringValue: value };
}

/** Only what XML 1.0 can hold may be sent: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
export const hasInvalidCharacters = (text: string) =>
  /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]/u.test(text);

/** Names, types and values count towards the message's size. */
export function attributeBytes(attributes: Record<string, MessageAttribute>): number {
  let bytes = 0;
  for (const [name, attribute] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(attribute.DataType) + bytesOf(attribute).length;
  }
  return bytes;
}

/**
 * Hex MD5 over the attributes sorted by name: for each, length and bytes of the name, of the type, 1 (text) or 2 (binary), then
 * length and bytes of the value; lengths are 4 bytes, big-endian. Undefined without attributes.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
 */
export function attributesMd5(attributes: Record<string, MessageAttribute>): string | undefined {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return undefined;
  const hash = createHash("md5");
  const part = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  for (const name of names) {
    const attribute = attributes[name] as MessageAttribute;
    part(Buffer.from(name));
    part(Buffer.from(attribute.DataType));
    hash.update(Buffer.of(attribute.BinaryValue === undefined ? 1 : 2));
    part(bytesOf(attribute));
  }
  return hash.digest("hex");
}

const bytesOf = (attribute: MessageAttribute) =>
  attribute.BinaryValue === undefined
    ? Buffer.from(attribute.StringValue ?? "")
    : Buffer.from(attribute.BinaryValue, "base64");

/** The attributes that ReceiveMessage was asked for: names, "All", ".*", "prefix.*". */
export function selectAttributes(
  attributes: Record<string, MessageAttribute>,
  wanted: string[],
): Record<string, MessageAttribute> {
  if (wanted.length === 0) return {};
  const isWanted = (name: string) =>
    wanted.some((pattern) =>
      pattern === "All" || pattern === ".*"
        ? true
        : pattern.endsWith(".*")
          ? name.startsWith(pattern.slice(0, -2))
          : name === pattern,
    );
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => isWanted(name)));
}
