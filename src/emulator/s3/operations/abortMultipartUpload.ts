import { requireObjectAccess } from "../access.ts";
import type { Operation } from "../call.ts";
import { findUpload } from "../multipart.ts";

/** An upload that was aborted or completed before can be aborted again. Throws NoSuchUpload 404. */
export const abortMultipartUpload: Operation = (context, call) => {
  requireObjectAccess(context, call, "s3:AbortMultipartUpload");
  const { bucket, key } = call;
  if (context.store.findEndedUpload(bucket, key, call.query.get("uploadId") ?? "")) return { status: 204 };
  const upload = findUpload(context, call);
  context.store.change(
    () => {
      context.store.removeUpload(upload);
      context.store.putEndedUpload(upload.id, { bucket, key });
    },
    { mayUseReserve: true },
  );
  return { status: 204 };
};
