import type { AccessRequest } from "./access.ts";

/**
 * The condition keys about tags: aws:ResourceTag/k of what is there, aws:RequestTag/k and aws:TagKeys of what a request brings or takes away.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html
 */
export function tagConditions(tags: {
  resource?: Readonly<Record<string, string>> | undefined;
  request?: Readonly<Record<string, string>>;
  /** Keys of tags to remove. */
  removed?: readonly string[];
}): NonNullable<AccessRequest["conditions"]> {
  const conditions: NonNullable<AccessRequest["conditions"]> = {};
  for (const key in tags.resource) conditions[`aws:ResourceTag/${key}`] = tags.resource[key];
  for (const key in tags.request) conditions[`aws:RequestTag/${key}`] = tags.request[key];
  const keys = [...Object.keys(tags.request ?? {}), ...(tags.removed ?? [])];
  if (keys.length > 0) conditions["aws:TagKeys"] = keys;
  return conditions;
}
