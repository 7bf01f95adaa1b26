import type { Authorize, Caller } from "../access.ts";
import type { EventTarget } from "../delivery.ts";
import type { Faults } from "../faults.ts";
import type { EmulatorReply, EmulatorRequest } from "../http.ts";
import type { EmulatorSettings } from "../settings.ts";
import type { EventDispatcher } from "./notifications/dispatcher.ts";
import type { S3Store } from "./store.ts";

/** What all operations of S3 share. */
export interface S3Context {
  store: S3Store;
  settings: EmulatorSettings;
  authorize: Authorize;
  authenticatePostPolicy(fields: ReadonlyMap<string, string>): Caller;
  /** False for a role or user of the account that is not there. */
  knowsPrincipal(arn: string): boolean;
  targetFor(arn: string): EventTarget | undefined;
  faults: Faults;
  events: EventDispatcher;
  /** Canonical user id of the account: 64 hex digits. */
  ownerId: string;
}

/** One request, taken apart. */
export interface S3Call {
  request: EmulatorRequest;
  caller: Caller;
  /** "" for ListBuckets. */
  bucket: string;
  /** "" for operations on a bucket. */
  key: string;
  query: URLSearchParams;
}

export type Operation = (context: S3Context, call: S3Call) => EmulatorReply | Promise<EmulatorReply>;

/** Value of a header that may come once. */
export function header(call: S3Call, name: string): string | undefined {
  const value = call.request.headers[name];
  return Array.isArray(value) ? value.join(",") : value;
}

/** x-amz-id-2: made from the request's id, so that headers, errors and events agree about it. */
export const hostIdOf = (requestId: string): string => `${HOST_ID_START}${requestId.replaceAll("-", "")}=`;

const HOST_ID_START = Buffer.from("minilake embedded endpoint, s3.").toString("base64url");
