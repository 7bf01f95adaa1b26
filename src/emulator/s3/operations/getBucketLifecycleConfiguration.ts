import { AwsError } from "../../awsError.ts";
import { xmlReply } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";
import { lifecycleXml, MINIMUM_SIZE_HEADER } from "../lifecycle/configuration.ts";

export const getBucketLifecycleConfiguration: Operation = (context, call) => {
  const { lifecycle } = requireBucket(context, call, "s3:GetLifecycleConfiguration");
  if (!lifecycle) {
    throw new AwsError("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", 404, {
      details: { BucketName: call.bucket },
    });
  }
  return xmlReply("LifecycleConfiguration", lifecycleXml(lifecycle), {
    [MINIMUM_SIZE_HEADER]: lifecycle.minimumObjectSize,
  });
};
