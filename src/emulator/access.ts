/** Who calls, as `authenticate` found out. */
export interface Caller {
  kind: "root" | "session" | "anonymous" | "service";
  accountId: string;
  /** "arn:aws:iam::A:root", "arn:aws:sts::A:assumed-role/role/session", "s3.amazonaws.com" for a service, "" when anonymous. */
  arn: string;
  /** "A" for root, "AROA…:session" for a session. */
  userId: string;
  accessKeyId?: string;
  /** Only for kind "session". */
  role?: { name: string; arn: string; id: string };
  sessionName?: string;
  sessionPolicies?: string[];
  /** Only for kind "service": what the service acts for; become aws:SourceArn and aws:SourceAccount. */
  sourceArn?: string;
  sourceAccount?: string;
  /** Address that the request came from; becomes aws:SourceIp. */
  sourceIp?: string;
  /** Headers of the request that become aws:UserAgent and aws:Referer. */
  userAgent?: string;
  referer?: string;
  /** What a verified SigV4 signature leaves behind; S3 needs it to verify the chunks of an aws-chunked body. */
  signature?: {
    signingKey: Buffer;
    /** Hex signature of the request: the seed of the first chunk's signature. */
    seed: string;
    /** YYYYMMDDTHHMMSSZ */
    timestamp: string;
    /** "YYYYMMDD/region/service/aws4_request" */
    scope: string;
    /** Value of x-amz-content-sha256, "UNSIGNED-PAYLOAD" for presigned URLs. */
    payloadHash: string;
    presigned: boolean;
    /** Of the request as it was signed; a refusal of a later chunk repeats it. */
    canonicalRequest?: string;
  };
}

export interface AccessRequest {
  /** "s3:GetObject" */
  action: string;
  /** ARN, or "*" */
  resource: string;
  /** JSON text of the resource's own policy: bucket policy, queue policy, function policy. */
  resourcePolicy?: string | undefined;
  /** Condition keys of this request beyond the global ones, such as { "s3:prefix": "in/" }. */
  conditions?: Record<string, string | string[] | undefined>;
}

export interface AccessDecision {
  allowed: boolean;
  /** AWS's sentence for a refusal: 'User: … is not authorized to perform: … on resource: … because …'. "" when allowed. */
  message: string;
}

/** Evaluates identity, resource, boundary and session policies as AWS does. Root is always allowed unless a resource policy denies. */
export type Authorize = (caller: Caller, request: AccessRequest) => AccessDecision;
