import { invalidParameter, missing, optionalStringMap } from "../constraints.ts";
import type { Operation } from "../context.ts";
import { checkTags } from "../tags.ts";
import { requireTaggable } from "./listTags.ts";

/** Adds tags, and replaces those of the same key.  https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html */
export const tagResource: Operation = (input, context) => {
  const record = requireTaggable(input, context, "lambda:TagResource");
  const added = optionalStringMap(input.body, "Tags");
  if (!added) throw missing("Tags");
  if (Object.keys(added).length === 0) throw invalidParameter("An error occurred and the request cannot be processed.");
  checkTags(added, record.tags);
  context.functions.update(record.name, (draft) => {
    Object.assign(draft.tags, added);
  });
  return { status: 204 };
};
