import { invalidParameter, missing, optionalStringMap } from "../constraints.ts";
import type { Operation } from "../context.ts";
import { requireTaggable } from "./listTags.ts";

const MAX_TAGS = 50;

/** Adds tags, and replaces those of the same key.  https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html */
export const tagResource: Operation = (input, context) => {
  const record = requireTaggable(input, context, "lambda:TagResource");
  const added = optionalStringMap(input.body, "Tags");
  if (!added) throw missing("Tags");
  const tags = { ...record.tags, ...added };
  if (Object.keys(tags).length > MAX_TAGS) {
    throw invalidParameter("Number of tags exceeds resource tag limit.");
  }
  context.functions.update(record.name, (draft) => {
    draft.tags = tags;
  });
  return { status: 204 };
};
