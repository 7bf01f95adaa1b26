import type { Authorize, Caller } from "../access.ts";
import { notImplemented } from "../awsError.ts";
import type { EventTarget } from "../delivery.ts";
import type { Service } from "../service.ts";
import type { EmulatorSettings } from "../settings.ts";
import type { Store } from "../store/store.ts";

export interface MessageAttribute {
  DataType: string;
  StringValue?: string;
  /** Base64 on the wire. */
  BinaryValue?: string;
}

export interface SqsService extends Service, EventTarget {
  /**
   * For Lambda's dead letters and destinations: stores a message as `caller` (the function's role). Inside a store transaction.
   * Returns why it was not stored (no such queue, not permitted, too large), or undefined.
   */
  sendAs(
    caller: Caller,
    queueArn: string,
    body: string,
    attributes: Record<string, MessageAttribute>,
  ): string | undefined;
}

export function createSqs(_dependencies: {
  store: Store;
  settings: EmulatorSettings;
  authorize: Authorize;
}): SqsService {
  throw notImplemented("sqs");
}
