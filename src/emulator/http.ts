import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Readable } from "node:stream";

export type ServiceName = "s3" | "iam" | "sts" | "lambda" | "sqs" | "logs" | "monitoring";

/** One request as the server hands it to a service. */
export interface EmulatorRequest {
  /** Request id (uuid), sent back in x-amzn-requestid / x-amz-request-id. */
  id: string;
  method: string;
  /** Path as it was on the wire, still percent-encoded, without the query; starts with "/". */
  path: string;
  /** Query as it was on the wire, without "?". */
  rawQuery: string;
  /** Decoded query parameters; a parameter without "=" has the value "". */
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** Host header, lower case, with the port. */
  host: string;
  remoteAddress: string;
  /** The whole body for every service but S3, which reads `stream` itself and gets an empty buffer here. */
  body: Buffer;
  stream: IncomingMessage;
}

export interface EmulatorReply {
  status: number;
  headers?: Record<string, string | number>;
  /** A Readable is piped with back-pressure; content-length must then be set by the service. */
  body?: string | Uint8Array | Readable;
}
