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
import { invalidArgument, invalidRequest } from "../errors.ts";
import type { Tag } from "../records.ts";
import { checkTags } from "../tags.ts";

export const MINIMUM_SIZE_HEADER = "x-amz-transition-default-minimum-object-size";
export const MINIMUM_SIZES = ["all_storage_classes_128K", "varies_by_storage_class"] as const;

/** Which objects a rule means; all members must hold. */
export interface LifecycleFilter {
  /** As the document wrote it, so that it is given back in the same form. */
  form: "rulePrefix" | "empty" | "prefix" | "tag" | "greaterThan" | "lessThan" | "and";
  prefix?: string;
  tags: Tag[];
  /** Bytes, exclusive. */
  greaterThan?: number;
  /** Bytes, exclusive. */
  lessThan?: number;
}

export interface LifecycleRule {
  id: string;
  enabled: boolean;
  filter: LifecycleFilter;
  expiration?: { days?: number /** ISO 8601, midnight UTC */; date?: string; expiredObjectDeleteMarker?: boolean };
  noncurrentExpiration?: { days: number; newerVersions?: number };
  abortUploadsAfterDays?: number;
}

export interface LifecycleConfiguration {
  rules: LifecycleRule[];
  minimumObjectSize: (typeof MINIMUM_SIZES)[number];
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html */
const MAX_RULES = 1000;

/** Throws MalformedXML, InvalidArgument, InvalidRequest 400, and NotImplemented 501 for transitions. */
export function parseLifecycleRules(body: Buffer): LifecycleRule[] {
  const root = parseXml(body, "LifecycleConfiguration");
  onlyChildren(root, "Rule");
  const rules = childrenOf(root, "Rule").map(parseRule);
  if (rules.length === 0 || rules.length > MAX_RULES) throw malformedXml();
  if (new Set(rules.map(({ id }) => id)).size < rules.length) {
    throw invalidArgument("Rule ID must be unique. Found same ID for more than one rule");
  }
  return rules;
}

function parseRule(rule: XmlElement): LifecycleRule {
  for (const name of ["Transition", "NoncurrentVersionTransition"]) {
    if (childrenOf(rule, name).length > 0) throw notImplemented(`the s3 lifecycle action ${name}`);
  }
  onlyChildren(
    rule,
    "ID",
    "Status",
    "Prefix",
    "Filter",
    "Expiration",
    "NoncurrentVersionExpiration",
    "AbortIncompleteMultipartUpload",
  );
  const status = requiredText(rule, "Status");
  if (status !== "Enabled" && status !== "Disabled") throw malformedXml();
  const id = textOf(rule, "ID") || randomBytes(36).toString("base64url");
  if (id.length > 255) throw invalidArgument("ID length should not exceed allowed limit of 255");
  const parsed: LifecycleRule = { id, enabled: status === "Enabled", filter: parseFilter(rule) };
  const expiration = childOf(rule, "Expiration");
  if (expiration) parsed.expiration = parseExpiration(expiration);
  const noncurrent = childOf(rule, "NoncurrentVersionExpiration");
  if (noncurrent) {
    onlyChildren(noncurrent, "NoncurrentDays", "NewerNoncurrentVersions");
    parsed.noncurrentExpiration = { days: positive(requiredText(noncurrent, "NoncurrentDays"), "NoncurrentDays") };
    const newer = textOf(noncurrent, "NewerNoncurrentVersions");
    if (newer !== undefined) parsed.noncurrentExpiration.newerVersions = positive(newer, "NewerNoncurrentVersions");
  }
  const abort = childOf(rule, "AbortIncompleteMultipartUpload");
  if (abort) {
    parsed.abortUploadsAfterDays = positive(requiredText(abort, "DaysAfterInitiation"), "DaysAfterInitiation");
    if (parsed.filter.tags.length > 0) {
      throw invalidRequest("AbortIncompleteMultipartUpload cannot be specified with Tags.");
    }
  }
  if (!expiration && !noncurrent && !abort) {
    throw invalidRequest("At least one action needs to be specified in a rule");
  }
  return parsed;
}

function parseExpiration(expiration: XmlElement): NonNullable<LifecycleRule["expiration"]> {
  onlyChildren(expiration, "Days", "Date", "ExpiredObjectDeleteMarker");
  if (expiration.children.length !== 1) throw malformedXml();
  const days = textOf(expiration, "Days");
  if (days !== undefined) return { days: positive(days, "Days", "Expiration action must be a positive integer") };
  const date = textOf(expiration, "Date");
  if (date !== undefined) {
    const ms = Date.parse(date);
    if (Number.isNaN(ms)) throw malformedXml();
    if (ms % 86_400_000 !== 0) throw invalidArgument("'Date' must be at midnight GMT");
    return { date: new Date(ms).toISOString() };
  }
  return { expiredObjectDeleteMarker: textOf(expiration, "ExpiredObjectDeleteMarker") === "true" };
}

function positive(text: string, name: string, what = `${name} must be a positive integer`): number {
  if (!/^-?\d{1,10}$/.test(text)) throw malformedXml();
  const value = Number(text);
  if (value <= 0) throw invalidArgument(`'${name}' for ${what}`);
  return value;
}

const size = (text: string | undefined) => {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw malformedXml();
  return Number(text);
};

function parseFilter(rule: XmlElement): LifecycleFilter {
  const filter = childOf(rule, "Filter");
  const rulePrefix = textOf(rule, "Prefix");
  if (filter && rulePrefix !== undefined) throw malformedXml();
  if (!filter) {
    if (rulePrefix === undefined) throw malformedXml();
    return { form: "rulePrefix", prefix: rulePrefix, tags: [] };
  }
  onlyChildren(filter, "Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan", "And");
  const [only, ...more] = filter.children;
  if (more.length > 0) throw malformedXml();
  if (!only) return { form: "empty", tags: [] };
  if (only.name === "And") return parseAnd(only);
  const members = filterMembers(filter);
  const forms = { Prefix: "prefix", Tag: "tag", ObjectSizeGreaterThan: "greaterThan" } as const;
  return { form: forms[only.name as keyof typeof forms] ?? "lessThan", ...members };
}

function parseAnd(and: XmlElement): LifecycleFilter {
  onlyChildren(and, "Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan");
  if (and.children.length < 2) throw malformedXml();
  return { form: "and", ...filterMembers(and) };
}

function filterMembers(parent: XmlElement): Omit<LifecycleFilter, "form"> {
  const tags = childrenOf(parent, "Tag").map((tag): Tag => [requiredText(tag, "Key"), requiredText(tag, "Value")]);
  checkTags(tags, "object");
  return {
    prefix: textOf(parent, "Prefix"),
    tags,
    greaterThan: size(textOf(parent, "ObjectSizeGreaterThan")),
    lessThan: size(textOf(parent, "ObjectSizeLessThan")),
  };
}

export function lifecycleXml(configuration: LifecycleConfiguration): string {
  return configuration.rules.map(ruleXml).join("");
}

function ruleXml(rule: LifecycleRule): string {
  const { expiration, noncurrentExpiration } = rule;
  return wrap(
    "Rule",
    element("ID", rule.id) +
      filterXml(rule.filter) +
      element("Status", rule.enabled ? "Enabled" : "Disabled") +
      (expiration
        ? wrap(
            "Expiration",
            element("Date", expiration.date) +
              element("Days", expiration.days) +
              element("ExpiredObjectDeleteMarker", expiration.expiredObjectDeleteMarker),
          )
        : "") +
      (noncurrentExpiration
        ? wrap(
            "NoncurrentVersionExpiration",
            element("NoncurrentDays", noncurrentExpiration.days) +
              element("NewerNoncurrentVersions", noncurrentExpiration.newerVersions),
          )
        : "") +
      (rule.abortUploadsAfterDays === undefined
        ? ""
        : wrap("AbortIncompleteMultipartUpload", element("DaysAfterInitiation", rule.abortUploadsAfterDays))),
  );
}

function filterXml(filter: LifecycleFilter): string {
  if (filter.form === "rulePrefix") return element("Prefix", filter.prefix);
  const members =
    element("Prefix", filter.prefix) +
    filter.tags.map(([key, value]) => wrap("Tag", element("Key", key) + element("Value", value))).join("") +
    element("ObjectSizeGreaterThan", filter.greaterThan) +
    element("ObjectSizeLessThan", filter.lessThan);
  return wrap("Filter", filter.form === "and" ? wrap("And", members) : members);
}
