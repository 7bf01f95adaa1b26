import type { Operation } from "../call.ts";
import { changeTags } from "../objectTagging.ts";

/** Emits s3:ObjectTagging:Delete. */
export const deleteObjectTagging: Operation = (context, call) => {
  return { status: 204, headers: changeTags(context, call, "s3:DeleteObjectTagging", []) };
};
