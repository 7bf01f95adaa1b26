import { requireObjectAccess } from "../access.ts";
import type { Operation } from "../call.ts";
import { findUpload } from "../multipart.ts";

/** Throws NoSuchUpload 404, also when it was aborted or completed before. */
export const abortMultipartUpload: Operation = (context, call) => {
  requireObjectAccess(context, call, "s3:AbortMultipartUpload");
  const upload = findUpload(context, call);
  context.store.change(() => context.store.removeUpload(upload), { mayUseReserve: true });
  return { status: 204 };
};
