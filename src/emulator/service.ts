import type { Caller } from "./access.ts";
import type { AwsError } from "./awsError.ts";
import type { EmulatorReply, EmulatorRequest } from "./http.ts";

/** One AWS service behind the port. The server authenticates, calls `handle`, and encodes what is thrown. */
export interface Service {
  /** Throws AwsError for what AWS would refuse, and 501 by name for what is not there. */
  handle(request: EmulatorRequest, caller: Caller): Promise<EmulatorReply>;
  /** The error in this service's protocol. HEAD gets no body. */
  encodeError(error: AwsError, request: EmulatorRequest): EmulatorReply;
  /** Takes up durable work left by an earlier process; called once the server listens. */
  start?(): void | Promise<void>;
  /** Stops timers and processes; resolves when nothing of the service runs any more. */
  stop?(): Promise<void>;
}
