import type { Authorize, Caller } from "../access.ts";
import { notImplemented } from "../awsError.ts";
import type { Service } from "../service.ts";
import type { EmulatorSettings } from "../settings.ts";
import type { Store } from "../store/store.ts";

export interface LogEvent {
  /** Milliseconds since the epoch. */
  timestamp: number;
  message: string;
}

export interface LogsService extends Service {
  /**
   * Appends a function's output as its role, making group and stream when the role may. Without permission nothing is logged,
   * as on AWS. Never throws for what AWS would refuse.
   */
  append(caller: Caller, group: string, stream: string, events: LogEvent[]): void;
}

export interface LogsDependencies {
  store: Store;
  settings: EmulatorSettings;
  authorize: Authorize;
  /** Called with every stored message that may hold embedded metric format. */
  onMessage(message: string, timestamp: number): void;
}

export function createLogs(_dependencies: LogsDependencies): LogsService {
  throw notImplemented("logs");
}
