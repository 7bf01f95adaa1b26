import { AwsError } from "../awsError.ts";
import type { LogsContext } from "./context.ts";
import type { LogGroup } from "./store.ts";

const MAX_TAGS = 50;

/** Throws TooManyTagsException beyond 50. */
export function addTags(group: LogGroup, added: Record<string, string>, context: LogsContext): void {
  const tags = { ...group.tags, ...added };
  if (Object.keys(tags).length > MAX_TAGS) {
    throw new AwsError("TooManyTagsException", `A log group can have at most ${MAX_TAGS} tags.`);
  }
  context.store.transaction(() => context.store.updateGroup({ ...group, tags }));
}

export function removeTags(group: LogGroup, keys: string[], context: LogsContext): void {
  const tags = Object.fromEntries(Object.entries(group.tags).filter(([key]) => !keys.includes(key)));
  context.store.transaction(() => context.store.updateGroup({ ...group, tags }));
}
