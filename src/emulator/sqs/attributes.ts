import { notImplemented } from "../awsError.ts";
import { invalidAttributeValue, sqsError, unknownAttribute } from "./errors.ts";
import { isQueuePolicy } from "./queuePolicy.ts";

/** Values as AWS returns them: strings. */
export type Attributes = Record<string, string>;

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html */
const RANGES: Record<string, readonly [number, number]> = {
  VisibilityTimeout: [0, 43_200],
  MaximumMessageSize: [1_024, 1_048_576],
  MessageRetentionPeriod: [60, 1_209_600],
  DelaySeconds: [0, 900],
  ReceiveMessageWaitTimeSeconds: [0, 20],
};

export const DEFAULT_ATTRIBUTES: Attributes = {
  VisibilityTimeout: "30",
  MaximumMessageSize: "1048576",
  MessageRetentionPeriod: "345600",
  DelaySeconds: "0",
  ReceiveMessageWaitTimeSeconds: "0",
  SqsManagedSseEnabled: "true",
};

/** Texts that come back byte for byte; "" removes one. */
const DOCUMENTS = ["Policy", "RedrivePolicy", "RedriveAllowPolicy"];

export const READ_ONLY_ATTRIBUTES = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
  "CreatedTimestamp",
  "LastModifiedTimestamp",
  "QueueArn",
];

const FIFO_ATTRIBUTES = ["FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"];

export const READABLE_ATTRIBUTES = [
  "All",
  ...Object.keys(DEFAULT_ATTRIBUTES),
  ...DOCUMENTS,
  ...READ_ONLY_ATTRIBUTES,
  ...FIFO_ATTRIBUTES,
  "KmsMasterKeyId",
  "KmsDataKeyReusePeriodSeconds",
];

/**
 * Checks attributes to be set and brings numbers to AWS's form ("030" becomes "30").
 *
 * creating   true in CreateQueue, where an empty document is refused instead of removing what is there
 * Throws     InvalidAttributeName, InvalidAttributeValue; 501 for KMS keys and FIFO
 */
export function checkAttributes(attributes: Attributes, creating: boolean): Attributes {
  const checked: Attributes = {};
  for (const [name, value] of Object.entries(attributes)) {
    const range = Object.hasOwn(RANGES, name) ? RANGES[name] : undefined;
    if (range) {
      const number = Number(value);
      if (!/^\d+$/.test(value) || number < range[0] || number > range[1]) throw invalidAttributeValue(name);
      checked[name] = String(number);
    } else if (DOCUMENTS.includes(name)) {
      if (value === "" ? creating : !isObject(value)) throw invalidAttributeValue(name);
      if (name === "Policy" && value !== "" && !isQueuePolicy(value)) throw invalidAttributeValue(name);
      if (name === "RedrivePolicy" && value !== "") parseRedrivePolicy(value);
      if (name === "RedriveAllowPolicy" && value !== "") parseRedriveAllowPolicy(value);
      checked[name] = value;
    } else if (name === "SqsManagedSseEnabled") {
      if (value !== "true" && value !== "false") throw invalidAttributeValue(name);
      checked[name] = value;
    } else if (name === "KmsMasterKeyId" || name === "KmsDataKeyReusePeriodSeconds") {
      if (value !== "") throw notImplemented(`sqs queues encrypted with KMS (${name})`);
    } else if (name === "FifoQueue" && !creating) {
      throw invalidAttributeValue(name, "Modifying queue type is not supported.");
    } else if (name === "FifoQueue" && value === "true") {
      throw notImplemented("sqs FIFO queues (FifoQueue)");
    } else {
      throw unknownAttribute(name);
    }
  }
  return checked;
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

export interface RedrivePolicy {
  deadLetterTargetArn: string;
  maxReceiveCount: number;
}

/** Throws InvalidParameterValue in AWS's words when a member is missing or out of range (1 to 1,000). */
export function parseRedrivePolicy(text: string): RedrivePolicy {
  const refuse = (reason: string) =>
    sqsError(
      "InvalidParameterValueException",
      `Value ${text} for parameter RedrivePolicy is invalid. Reason: ${reason}`,
      { legacy: "InvalidParameterValue" },
    );
  const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(text) as Record<string, unknown>;
  if (deadLetterTargetArn === undefined) {
    throw refuse("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.");
  }
  if (maxReceiveCount === undefined) {
    throw refuse("Redrive policy does not contain mandatory attribute: maxReceiveCount.");
  }
  const count = Number(maxReceiveCount);
  if (!Number.isInteger(count) || count < 1 || count > 1000) {
    throw refuse("Invalid value for maxReceiveCount: must be between 1 and 1000.");
  }
  if (typeof deadLetterTargetArn !== "string" || !/^arn:[^:]+:sqs:[^:]+:\d{12}:[^:]+$/.test(deadLetterTargetArn)) {
    throw refuse("Invalid value for deadLetterTargetArn.");
  }
  return { deadLetterTargetArn, maxReceiveCount: count };
}

interface RedriveAllowPolicy {
  redrivePermission: "allowAll" | "denyAll" | "byQueue";
  sourceQueueArns: string[];
}

const MAX_SOURCE_QUEUES = 10;

function parseRedriveAllowPolicy(text: string): RedriveAllowPolicy {
  const { redrivePermission, sourceQueueArns = [] } = JSON.parse(text) as Record<string, unknown>;
  const arns = Array.isArray(sourceQueueArns) ? sourceQueueArns : [];
  const isByQueue = redrivePermission === "byQueue";
  if (
    !["allowAll", "denyAll", "byQueue"].includes(String(redrivePermission)) ||
    isByQueue !== arns.length > 0 ||
    arns.length > MAX_SOURCE_QUEUES
  ) {
    throw invalidAttributeValue("RedriveAllowPolicy");
  }
  return { redrivePermission: redrivePermission as RedriveAllowPolicy["redrivePermission"], sourceQueueArns: arns };
}

/** Whether a dead-letter queue with this RedriveAllowPolicy takes messages of the source queue. */
export function allowsRedriveFrom(redriveAllowPolicy: string | undefined, sourceArn: string): boolean {
  if (redriveAllowPolicy === undefined) return true;
  const policy = parseRedriveAllowPolicy(redriveAllowPolicy);
  if (policy.redrivePermission === "byQueue") return policy.sourceQueueArns.includes(sourceArn);
  return policy.redrivePermission === "allowAll";
}
