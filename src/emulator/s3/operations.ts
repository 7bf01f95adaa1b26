import type { Operation } from "./call.ts";
import { abortMultipartUpload } from "./operations/abortMultipartUpload.ts";
import { completeMultipartUpload } from "./operations/completeMultipartUpload.ts";
import { copyObject } from "./operations/copyObject.ts";
import { createBucket } from "./operations/createBucket.ts";
import { createMultipartUpload } from "./operations/createMultipartUpload.ts";
import { deleteBucket } from "./operations/deleteBucket.ts";
import { deleteBucketCors } from "./operations/deleteBucketCors.ts";
import { deleteBucketEncryption } from "./operations/deleteBucketEncryption.ts";
import { deleteBucketLifecycle } from "./operations/deleteBucketLifecycle.ts";
import { deleteBucketOwnershipControls } from "./operations/deleteBucketOwnershipControls.ts";
import { deleteBucketPolicy } from "./operations/deleteBucketPolicy.ts";
import { deleteBucketReplication } from "./operations/deleteBucketReplication.ts";
import { deleteBucketTagging } from "./operations/deleteBucketTagging.ts";
import { deleteBucketWebsite } from "./operations/deleteBucketWebsite.ts";
import { deleteObject } from "./operations/deleteObject.ts";
import { deleteObjects } from "./operations/deleteObjects.ts";
import { deleteObjectTagging } from "./operations/deleteObjectTagging.ts";
import { deletePublicAccessBlock } from "./operations/deletePublicAccessBlock.ts";
import { getBucketAccelerateConfiguration } from "./operations/getBucketAccelerateConfiguration.ts";
import { getBucketAcl } from "./operations/getBucketAcl.ts";
import { getBucketCors } from "./operations/getBucketCors.ts";
import { getBucketEncryption } from "./operations/getBucketEncryption.ts";
import { getBucketLifecycleConfiguration } from "./operations/getBucketLifecycleConfiguration.ts";
import { getBucketLocation } from "./operations/getBucketLocation.ts";
import { getBucketLogging } from "./operations/getBucketLogging.ts";
import { getBucketNotificationConfiguration } from "./operations/getBucketNotificationConfiguration.ts";
import { getBucketOwnershipControls } from "./operations/getBucketOwnershipControls.ts";
import { getBucketPolicy } from "./operations/getBucketPolicy.ts";
import { getBucketPolicyStatus } from "./operations/getBucketPolicyStatus.ts";
import { getBucketReplication } from "./operations/getBucketReplication.ts";
import { getBucketRequestPayment } from "./operations/getBucketRequestPayment.ts";
import { getBucketTagging } from "./operations/getBucketTagging.ts";
import { getBucketVersioning } from "./operations/getBucketVersioning.ts";
import { getBucketWebsite } from "./operations/getBucketWebsite.ts";
import { getObject } from "./operations/getObject.ts";
import { getObjectAcl } from "./operations/getObjectAcl.ts";
import { getObjectAttributes } from "./operations/getObjectAttributes.ts";
import { getObjectLockConfiguration } from "./operations/getObjectLockConfiguration.ts";
import { getObjectTagging } from "./operations/getObjectTagging.ts";
import { getPublicAccessBlock } from "./operations/getPublicAccessBlock.ts";
import { headBucket } from "./operations/headBucket.ts";
import { headObject } from "./operations/headObject.ts";
import { listBuckets } from "./operations/listBuckets.ts";
import { listMultipartUploads } from "./operations/listMultipartUploads.ts";
import { listObjects } from "./operations/listObjects.ts";
import { listObjectsV2 } from "./operations/listObjectsV2.ts";
import { listObjectVersions } from "./operations/listObjectVersions.ts";
import { listParts } from "./operations/listParts.ts";
import { postObject } from "./operations/postObject.ts";
import { putBucketAccelerateConfiguration } from "./operations/putBucketAccelerateConfiguration.ts";
import { putBucketAcl } from "./operations/putBucketAcl.ts";
import { putBucketCors } from "./operations/putBucketCors.ts";
import { putBucketEncryption } from "./operations/putBucketEncryption.ts";
import { putBucketLifecycleConfiguration } from "./operations/putBucketLifecycleConfiguration.ts";
import { putBucketLogging } from "./operations/putBucketLogging.ts";
import { putBucketNotificationConfiguration } from "./operations/putBucketNotificationConfiguration.ts";
import { putBucketOwnershipControls } from "./operations/putBucketOwnershipControls.ts";
import { putBucketPolicy } from "./operations/putBucketPolicy.ts";
import { putBucketReplication } from "./operations/putBucketReplication.ts";
import { putBucketRequestPayment } from "./operations/putBucketRequestPayment.ts";
import { putBucketTagging } from "./operations/putBucketTagging.ts";
import { putBucketVersioning } from "./operations/putBucketVersioning.ts";
import { putBucketWebsite } from "./operations/putBucketWebsite.ts";
import { putObject } from "./operations/putObject.ts";
import { putObjectAcl } from "./operations/putObjectAcl.ts";
import { putObjectLockConfiguration } from "./operations/putObjectLockConfiguration.ts";
import { putObjectTagging } from "./operations/putObjectTagging.ts";
import { putPublicAccessBlock } from "./operations/putPublicAccessBlock.ts";
import { uploadPart } from "./operations/uploadPart.ts";
import { uploadPartCopy } from "./operations/uploadPartCopy.ts";
import type { S3Operation } from "./routing.ts";

/** Every operation that routing can find has its function here, or this does not compile. */
export const OPERATIONS: Readonly<Record<S3Operation, Operation>> = {
  AbortMultipartUpload: abortMultipartUpload,
  CompleteMultipartUpload: completeMultipartUpload,
  CopyObject: copyObject,
  CreateBucket: createBucket,
  CreateMultipartUpload: createMultipartUpload,
  DeleteBucket: deleteBucket,
  DeleteBucketCors: deleteBucketCors,
  DeleteBucketEncryption: deleteBucketEncryption,
  DeleteBucketLifecycle: deleteBucketLifecycle,
  DeleteBucketOwnershipControls: deleteBucketOwnershipControls,
  DeleteBucketPolicy: deleteBucketPolicy,
  DeleteBucketReplication: deleteBucketReplication,
  DeleteBucketTagging: deleteBucketTagging,
  DeleteBucketWebsite: deleteBucketWebsite,
  DeleteObject: deleteObject,
  DeleteObjectTagging: deleteObjectTagging,
  DeleteObjects: deleteObjects,
  DeletePublicAccessBlock: deletePublicAccessBlock,
  GetBucketAccelerateConfiguration: getBucketAccelerateConfiguration,
  GetBucketAcl: getBucketAcl,
  GetBucketCors: getBucketCors,
  GetBucketEncryption: getBucketEncryption,
  GetBucketLifecycleConfiguration: getBucketLifecycleConfiguration,
  GetBucketLocation: getBucketLocation,
  GetBucketLogging: getBucketLogging,
  GetBucketNotificationConfiguration: getBucketNotificationConfiguration,
  GetBucketOwnershipControls: getBucketOwnershipControls,
  GetBucketPolicy: getBucketPolicy,
  GetBucketPolicyStatus: getBucketPolicyStatus,
  GetBucketReplication: getBucketReplication,
  GetBucketRequestPayment: getBucketRequestPayment,
  GetBucketTagging: getBucketTagging,
  GetBucketVersioning: getBucketVersioning,
  GetBucketWebsite: getBucketWebsite,
  GetObject: getObject,
  GetObjectAcl: getObjectAcl,
  GetObjectAttributes: getObjectAttributes,
  GetObjectLockConfiguration: getObjectLockConfiguration,
  GetObjectTagging: getObjectTagging,
  GetPublicAccessBlock: getPublicAccessBlock,
  HeadBucket: headBucket,
  HeadObject: headObject,
  ListBuckets: listBuckets,
  ListMultipartUploads: listMultipartUploads,
  ListObjectVersions: listObjectVersions,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  ListParts: listParts,
  PostObject: postObject,
  PutBucketAccelerateConfiguration: putBucketAccelerateConfiguration,
  PutBucketAcl: putBucketAcl,
  PutBucketCors: putBucketCors,
  PutBucketEncryption: putBucketEncryption,
  PutBucketLifecycleConfiguration: putBucketLifecycleConfiguration,
  PutBucketLogging: putBucketLogging,
  PutBucketNotificationConfiguration: putBucketNotificationConfiguration,
  PutBucketOwnershipControls: putBucketOwnershipControls,
  PutBucketPolicy: putBucketPolicy,
  PutBucketReplication: putBucketReplication,
  PutBucketRequestPayment: putBucketRequestPayment,
  PutBucketTagging: putBucketTagging,
  PutBucketVersioning: putBucketVersioning,
  PutBucketWebsite: putBucketWebsite,
  PutObject: putObject,
  PutObjectAcl: putObjectAcl,
  PutObjectLockConfiguration: putObjectLockConfiguration,
  PutObjectTagging: putObjectTagging,
  PutPublicAccessBlock: putPublicAccessBlock,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
};
