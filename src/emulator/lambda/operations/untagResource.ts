import { missing } from "../constraints.ts";
import type { Operation } from "../context.ts";
import { requireTaggable } from "./listTags.ts";

/** https://docs.aws.amazon.com/lambda/latest/api/API_UntagResource.html */
export const untagResource: Operation = (input, context) => {
  const record = requireTaggable(input, context, "lambda:UntagResource");
  const keys = input.query.getAll("tagKeys");
  if (keys.length === 0) throw missing("tagKeys");
  context.functions.update(record.name, (draft) => {
    for (const key of keys) delete draft.tags[key];
  });
  return { status: 204 };
};
