/** How S3 event notifications and Lambda's dead letters reach another service; `server.ts` makes the connections. */
export interface EventSource {
  /** Service principal that sends: "s3.amazonaws.com", "lambda.amazonaws.com". */
  service: string;
  /** ARN of the bucket or function that the event speaks of. */
  arn: string;
  accountId: string;
  /** X-Amzn-Trace-Id of the request that caused the event; lets Lambda notice functions that trigger themselves. */
  traceHeader?: string | undefined;
}

/** A queue or a function as a destination. */
export interface EventTarget {
  /**
   * Undefined when `source` may deliver to this ARN now, otherwise AWS's words for why not
   * ("The destination queue does not exist", "Not authorized to invoke function [arn]").
   */
  refusal(arn: string, source: EventSource): string | undefined;
  /** Stores the message durably. Must be called inside a store transaction and does no I/O of its own. */
  deliver(arn: string, message: string, source: EventSource): void;
}
