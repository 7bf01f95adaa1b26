import { AwsError } from "../../awsError.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";

/** Never configured: it cannot be set here. */
export const getBucketReplication: Operation = (context, call) => {
  requireBucket(context, call, "s3:GetReplicationConfiguration");
  throw new AwsError("ReplicationConfigurationNotFoundError", "The replication configuration was not found", 404, {
    details: { BucketName: call.bucket },
  });
};
