import { randomBytes } from "node:crypto";
import { notImplemented } from "../../awsError.ts";
import {
  childOf,
  childrenOf,
  element,
  malformedXml,
  onlyChildren,
  parseXml,
  requiredText,
  textOf,
  wrap,
  type XmlElement,
} from "../../protocols/restXml.ts";
import { invalidArgument } from "../errors.ts";

/** Event types that can be subscribed to; those that this endpoint can raise are in `eventMessage.ts`. */
const EVENT_TYPES = new Set([
  ...group("s3:ObjectCreated", "Put", "Post", "Copy", "CompleteMultipartUpload"),
  ...group("s3:ObjectRemoved", "Delete", "DeleteMarkerCreated"),
  ...group("s3:ObjectRestore", "Post", "Completed", "Delete"),
  "s3:ReducedRedundancyLostObject",
  ...group(
    "s3:Replication",
    "OperationFailedReplication",
    "OperationMissedThreshold",
    "OperationReplicatedAfterThreshold",
    "OperationNotTracked",
  ),
  "s3:LifecycleTransition",
  ...group("s3:LifecycleExpiration", "Delete", "DeleteMarkerCreated"),
  "s3:IntelligentTiering",
  "s3:ObjectAcl:Put",
  ...group("s3:ObjectTagging", "Put", "Delete"),
  ...group("s3:ObjectAnnotation", "Put", "Delete"),
  "s3:ObjectRetention:Put",
]);

function group(name: string, ...members: string[]): string[] {
  return ["*", ...members].map((member) => `${name}:${member}`);
}

/** Kinds of destination, as the elements of the document name them. */
const KINDS = [
  { configuration: "TopicConfiguration", destination: "Topic" },
  { configuration: "QueueConfiguration", destination: "Queue" },
  { configuration: "CloudFunctionConfiguration", destination: "CloudFunction" },
] as const;
export type DestinationKind = (typeof KINDS)[number]["destination"];

export interface NotificationRule {
  id: string;
  kind: DestinationKind;
  arn: string;
  /** "s3:ObjectCreated:*" */
  events: string[];
  /** In the order in which they came. */
  filters: { name: "Prefix" | "Suffix"; value: string }[];
}

export interface NotificationConfiguration {
  rules: NotificationRule[];
}

/** Throws MalformedXML, InvalidArgument 400, and NotImplemented 501 for EventBridge. */
export function parseNotificationConfiguration(body: Buffer): NotificationConfiguration {
  const root = parseXml(body, "NotificationConfiguration");
  onlyChildren(root, ...KINDS.map(({ configuration }) => configuration), "EventBridgeConfiguration");
  if (childOf(root, "EventBridgeConfiguration")) throw notImplemented("s3 notifications to EventBridge");
  const rules: NotificationRule[] = [];
  for (const { configuration, destination } of KINDS) {
    for (const rule of childrenOf(root, configuration)) rules.push(parseRule(rule, destination));
  }
  if (new Set(rules.map(({ id }) => id)).size < rules.length) {
    throw invalidArgument("Same ID used for multiple configurations. IDs must be unique");
  }
  return { rules };
}

function parseRule(rule: XmlElement, kind: DestinationKind): NotificationRule {
  onlyChildren(rule, "Id", kind, "Event", "Filter");
  const events = childrenOf(rule, "Event").map(({ text }) => text);
  if (events.length === 0) throw malformedXml();
  for (const event of events) {
    if (!EVENT_TYPES.has(event)) {
      throw invalidArgument("The event is not supported for notifications", "Event", event);
    }
  }
  const id = textOf(rule, "Id");
  if (id !== undefined && id.length > 255) throw invalidArgument("The Id is longer than 255 characters", "Id", id);
  return {
    id: id || randomBytes(24).toString("base64url"),
    kind,
    arn: requiredText(rule, kind).trim(),
    events,
    filters: parseFilters(rule),
  };
}

function parseFilters(rule: XmlElement): NotificationRule["filters"] {
  const filter = childOf(rule, "Filter");
  if (filter) onlyChildren(filter, "S3Key");
  const key = filter && childOf(filter, "S3Key");
  if (key) onlyChildren(key, "FilterRule");
  const filters = (key ? childrenOf(key, "FilterRule") : []).map((one) => {
    onlyChildren(one, "Name", "Value");
    const name = requiredText(one, "Name").toLowerCase();
    const value = requiredText(one, "Value");
    if (name !== "prefix" && name !== "suffix") {
      throw invalidArgument(
        "filter rule name must be either prefix or suffix",
        "FilterRule.Name",
        requiredText(one, "Name"),
      );
    }
    if (Buffer.byteLength(value) > 1024) {
      throw invalidArgument("filter rule value cannot be longer than 1024 bytes", "FilterRule.Value", value);
    }
    return { name: name === "prefix" ? ("Prefix" as const) : ("Suffix" as const), value };
  });
  for (const name of ["Prefix", "Suffix"] as const) {
    if (filters.filter((one) => one.name === name).length > 1) {
      throw invalidArgument(
        `Cannot specify more than one ${name.toLowerCase()} rule in a filter.`,
        "FilterRule.Name",
        name.toLowerCase(),
      );
    }
  }
  return filters;
}

export function notificationConfigurationXml(configuration: NotificationConfiguration | undefined): string {
  return (configuration?.rules ?? [])
    .map((rule) => {
      const { configuration: name } = KINDS.find(({ destination }) => destination === rule.kind)!;
      const filters = rule.filters.map((filter) =>
        wrap("FilterRule", element("Name", filter.name) + element("Value", filter.value)),
      );
      return wrap(
        name,
        element("Id", rule.id) +
          element(rule.kind, rule.arn) +
          rule.events.map((event) => element("Event", event)).join("") +
          (filters.length > 0 ? wrap("Filter", wrap("S3Key", filters.join(""))) : ""),
      );
    })
    .join("");
}

const filterValue = (rule: NotificationRule, name: "Prefix" | "Suffix") =>
  rule.filters.find((filter) => filter.name === name)?.value ?? "";

/** Whether the rule wants `event` ("s3:ObjectCreated:Put") on `key`, which is decoded. */
export function isWanted(rule: NotificationRule, event: string, key: string): boolean {
  return (
    rule.events.some((pattern) => coversEvent(pattern, event)) &&
    key.startsWith(filterValue(rule, "Prefix")) &&
    key.endsWith(filterValue(rule, "Suffix"))
  );
}

function coversEvent(pattern: string, event: string): boolean {
  return pattern === event || (pattern.endsWith(":*") && event.startsWith(pattern.slice(0, -1)));
}

/**
 * Throws InvalidArgument 400 when two rules could both want one event: common event type, overlapping prefixes and overlapping suffixes.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
 */
export function checkOverlaps(rules: readonly NotificationRule[]): void {
  rules.forEach((one, index) => {
    for (const other of rules.slice(index + 1)) {
      const shareEvent = one.events.some((a) => other.events.some((b) => coversEvent(a, b) || coversEvent(b, a)));
      if (!shareEvent) continue;
      const [prefixA, prefixB] = [filterValue(one, "Prefix"), filterValue(other, "Prefix")];
      const [suffixA, suffixB] = [filterValue(one, "Suffix"), filterValue(other, "Suffix")];
      const prefixesOverlap = prefixA.startsWith(prefixB) || prefixB.startsWith(prefixA);
      const suffixesOverlap = suffixA.endsWith(suffixB) || suffixB.endsWith(suffixA);
      if (!prefixesOverlap || !suffixesOverlap) continue;
      const hasFilters = one.filters.length > 0 || other.filters.length > 0;
      throw invalidArgument(
        hasFilters
          ? "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type."
          : "Configurations overlap. Configurations on the same bucket cannot share a common event type.",
      );
    }
  });
}
