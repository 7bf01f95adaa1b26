import type { OnProgress } from "../lake/progress.ts";
import type { ClientSettings } from "./clients.ts";

export type BackendName = "embedded" | "localstack" | "endpoint" | "aws";

/** A place where a lake can live, as a value. What differs between places is here; `src/lake` never asks which one it is on. */
export interface Backend extends ClientSettings {
  name: BackendName;
  /** What the functions get as AWS_ENDPOINT_URL; undefined where the place gives it to them by itself. */
  functionEndpoint?: string | undefined;
  /** True where bucket names are shared with the whole world. */
  globalBucketNames: boolean;
  /** Of the functions' machines. */
  architecture: "x86_64" | "arm64";
  /** True when they are processes of this machine and not containers; native code must be for its system. @default false */
  functionsRunHere?: boolean;
  /** True where events begin to come some minutes after `up` has asked for them (AWS). @default false */
  eventsComeLate?: boolean;
  /** Known without asking STS. */
  accountId?: string | undefined;
  /** For people: "the embedded endpoint at http://127.0.0.1:4566". */
  describe: string;
  /** Makes it answer. Throws MinilakeError PortInUse, DataFolder, EndpointUnreachable, Docker, Timeout. */
  start(options?: StartOptions): Promise<Started>;
  /** Ends what `start` began, and nothing else; what is stopped already counts as done. */
  stop(options?: StopOptions): Promise<Stopped>;
  isRunning(): Promise<boolean>;
  /** Only embedded: true when a lake's state is kept there, whether or not the endpoint runs. */
  hasState?(): boolean;
}

export interface StartOptions {
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
}

export interface StopOptions extends StartOptions {
  /** Only embedded: its data stays. @default false */
  keepData?: boolean;
}

export interface Started {
  /** False when it answered already. */
  started: boolean;
  endpoint?: string | undefined;
  /** Only embedded. */
  pid?: number | undefined;
  /** Only embedded: delivery faults that are on, "none" without. */
  faults?: string | undefined;
}

export interface Stopped {
  /** False when nothing ran. */
  stopped: boolean;
  /** Folders and files that were removed. */
  removed: string[];
  /** Why something that answers was left alone: somebody else started it. */
  kept?: string;
}
