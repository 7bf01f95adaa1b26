import { AwsError, notImplemented } from "../../awsError.ts";
import { malformedXml, onlyChildren, parseXml, textOf } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import { receiveDocument } from "../bodies/receive.ts";
import type { Operation } from "../call.ts";

/** Once on, versioning can only be suspended. Throws MalformedXML, IllegalVersioningConfigurationException 400. */
export const putBucketVersioning: Operation = async (context, call) => {
  const body = await receiveDocument(call, 1024);
  requireBucket(context, call, "s3:PutBucketVersioning");
  const root = parseXml(body, "VersioningConfiguration");
  onlyChildren(root, "Status", "MfaDelete");
  const status = textOf(root, "Status");
  if (textOf(root, "MfaDelete") === "Enabled") throw notImplemented("s3 MFA delete");
  if (status === undefined) {
    throw new AwsError("IllegalVersioningConfigurationException", "The Versioning element must be specified");
  }
  if (status !== "Enabled" && status !== "Suspended") throw malformedXml();
  context.store.putBucket({ ...context.store.getBucket(call.bucket), versioning: status });
  return { status: 200 };
};
