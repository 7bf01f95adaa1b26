/** One function with all that hangs on it, as it is stored. `versions` always holds "$LATEST". */
export interface FunctionRecord {
  name: string;
  /** Unqualified ARN. */
  arn: string;
  tags: Record<string, string>;
  versions: Record<string, VersionRecord>;
  aliases: Record<string, AliasRecord>;
  /** Resource policies by qualifier; "" is the function itself. */
  policies: Record<string, PolicyRecord>;
  /** Asynchronous invocation settings by qualifier; "$LATEST" is the function itself. */
  eventInvokeConfigs: Record<string, EventInvokeConfigRecord>;
  reservedConcurrency?: number;
  recursiveLoop: "Allow" | "Terminate";
  /** Number of the next published version. Numbers are never used again. */
  nextVersion: number;
}

export type UpdateStatus = "Successful" | "InProgress" | "Failed";

/** Code and configuration of $LATEST or of a published version. */
export interface VersionRecord {
  version: string;
  description: string;
  /** Of a published version: $LATEST's description when it was published, where the caller gave the version another. */
  sourceDescription?: string;
  runtime: string;
  role: string;
  handler: string;
  timeoutSeconds: number;
  memoryMb: number;
  ephemeralStorageMb: number;
  /** Undefined when the member was never sent: AWS then leaves Environment out of its answers. */
  environment?: Record<string, string>;
  deadLetterArn?: string;
  tracingMode: "PassThrough" | "Active";
  architecture: "x86_64" | "arm64";
  kmsKeyArn?: string;
  logging: {
    format: "Text" | "JSON";
    group: string;
    /** Only with format JSON. */
    applicationLevel?: LogLevel;
    systemLevel?: "DEBUG" | "INFO" | "WARN";
  };
  /** Hex SHA-256 of the zip: the name of the code in the data folder. */
  codeHash: string;
  codeSize: number;
  state: "Pending" | "Active" | "Failed";
  /** Undefined while State is Pending for the first time. */
  updateStatus?: UpdateStatus;
  revisionId: string;
  /** Milliseconds since the epoch. */
  lastModified: number;
}

export type LogLevel = "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR" | "FATAL";

export interface AliasRecord {
  name: string;
  version: string;
  description: string;
  /** Share of invocations, 0 to 1, of a second version. */
  additionalWeights: Record<string, number>;
  revisionId: string;
}

export interface PolicyRecord {
  statements: PolicyStatement[];
}

export interface PolicyStatement {
  Sid: string;
  Effect: "Allow";
  Principal: string | Record<string, string>;
  Action: string;
  Resource: string;
  Condition?: Record<string, Record<string, string>>;
}

export interface EventInvokeConfigRecord {
  /** Milliseconds since the epoch. */
  lastModified: number;
  maximumRetryAttempts?: number;
  maximumEventAgeSeconds?: number;
  onSuccess?: string;
  onFailure?: string;
}

/** An event that waits for its asynchronous invocation, or for the next try of it. */
export interface QueuedEvent {
  requestId: string;
  functionName: string;
  /** "$LATEST", a version or an alias; resolved when the event runs, so that it runs on the code of that moment. */
  qualifier: string;
  payload: Buffer;
  traceHeader: string;
  /** Milliseconds since the epoch. */
  enqueuedAt: number;
  /** Not before this moment; milliseconds since the epoch. */
  notBefore: number;
  /** Invocations that ran and failed. */
  failures: number;
  /** Tries that were throttled or met a system error, in a row. */
  refusals: number;
  /** Milliseconds that scaled delays saved so far: added to the age that MaximumEventAgeInSeconds looks at. */
  savedMs: number;
}
