import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type EnvironmentDependencies, ExecutionEnvironment } from "./executionEnvironment.ts";
import type { FunctionRecord, VersionRecord } from "./records.ts";

/** An idle environment is closed after so long; AWS's is not published and of the same order. */
const IDLE_LIMIT_MS = 5 * 60_000;
const REAP_EVERY_MS = 30_000;
/** Processes that are started ahead of a first invocation, over all functions. */
const MAX_AHEAD = 2;
/** A new environment takes longer than this: work that can wait gives one that is busy so long to become free. */
const HOLD_MS = 25;
/** No invocation may outlive its credentials: 15 minutes is the longest one. */
const CREDENTIALS_MARGIN_MS = 16 * 60_000;

/** The right to run one invocation in `environment`. */
export interface Lease {
  environment: ExecutionEnvironment;
  /** Gives it back, once. */
  release(): void;
}

/** AWS's reasons for a throttle, and two why work that can wait has to: enough environments are starting, or one may be free soon. */
export type Refusal =
  | "ReservedFunctionConcurrentInvocationLimitExceeded"
  | "ConcurrentInvocationLimitExceeded"
  | "Starting"
  | "FreeSoon";

/**
 * All execution environments of the endpoint, at most `concurrency` of them. The environment used last is used next, so that those
 * which a smaller load does not need become old and are closed; when another function needs the room, the oldest idle one goes.
 */
export class FunctionPool {
  readonly #dependencies: Omit<EnvironmentDependencies, "folder">;
  readonly #folder: string;
  readonly #concurrency: number;
  readonly #onRelease: () => void;
  readonly #onClosed: () => void;
  /** Idle environments by function and version; the one used last is at the end. */
  readonly #idle = new Map<string, ExecutionEnvironment[]>();
  readonly #all = new Set<ExecutionEnvironment>();
  /** Started ahead and not used yet; the oldest is first. */
  readonly #ahead = new Set<ExecutionEnvironment>();
  readonly #running = new Map<string, number>();
  readonly #closing = new Set<Promise<void>>();
  readonly #maxStarting = Math.max(2, availableParallelism());
  #reaper: NodeJS.Timeout | undefined;

  constructor(options: {
    dependencies: Omit<EnvironmentDependencies, "folder">;
    /** Each environment gets a folder in it. */
    folder: string;
    concurrency: number;
    /** Called when an invocation gave its environment back: another one may start. */
    onRelease: () => void;
    /** Called when an environment is gone, and with it its use of the code. */
    onClosed: () => void;
  }) {
    this.#dependencies = options.dependencies;
    this.#folder = options.folder;
    this.#concurrency = options.concurrency;
    this.#onRelease = options.onRelease;
    this.#onClosed = options.onClosed;
  }

  /** Invocations of this function that run now. */
  running(functionName: string): number {
    return this.#running.get(functionName) ?? 0;
  }

  get runningInAll(): number {
    let sum = 0;
    for (const count of this.#running.values()) sum += count;
    return sum;
  }

  /**
   * waitedMs   for work that can wait, how long it has: it does not start more environments at once than there are processors,
   *            because on a busy machine a warm one is free before a new one is ready. Undefined for work that cannot wait.
   */
  acquire(record: Readonly<FunctionRecord>, version: VersionRecord, waitedMs?: number): Lease | Refusal {
    if (record.reservedConcurrency !== undefined && this.running(record.name) >= record.reservedConcurrency) {
      return "ReservedFunctionConcurrentInvocationLimitExceeded";
    }
    const idle = this.#takeIdle(poolKey(record.name, version.version));
    if (idle) {
      this.#ahead.delete(idle);
      return this.#lease(idle);
    }
    if (this.runningInAll >= this.#concurrency) return "ConcurrentInvocationLimitExceeded";
    if (waitedMs !== undefined) {
      if (this.#starting() >= this.#maxStarting) return "Starting";
      if (waitedMs < HOLD_MS && this.#isBusy(version, record.name)) return "FreeSoon";
    }
    if (this.#all.size >= this.#concurrency) {
      const oldest = this.#oldestIdle();
      if (oldest) this.#close(oldest);
    }
    return this.#lease(this.#make(record.name, version));
  }

  /**
   * Starts a process for the first invocation of a function, which then finds its runtime ready. Nothing of the function's own is loaded.
   * Only while there is room, and for the latest functions alone.
   */
  startAhead(record: Readonly<FunctionRecord>, version: VersionRecord): void {
    if (this.#all.size - this.#ahead.size >= this.#concurrency || record.reservedConcurrency === 0) return;
    const key = poolKey(record.name, version.version);
    if ([...this.#all].some((each) => !each.retired && poolKey(each.functionName, each.version.version) === key))
      return;
    const [oldest] = this.#ahead;
    if (oldest && (this.#ahead.size >= MAX_AHEAD || this.#all.size >= this.#concurrency)) this.#close(oldest);
    const environment = this.#make(record.name, version);
    environment.lastUsed = this.#dependencies.settings.now();
    this.#ahead.add(environment);
    this.#addIdle(environment);
    // Without a role or code there is nothing to start ahead, and the invocation will say why.
    environment.startAhead().catch(() => {
      if (this.#ahead.has(environment)) this.#close(environment);
    });
  }

  #make(functionName: string, version: VersionRecord): ExecutionEnvironment {
    const folder = join(this.#folder, randomBytes(8).toString("hex"));
    const environment = new ExecutionEnvironment(functionName, version, { ...this.#dependencies, folder });
    this.#all.add(environment);
    this.#reaper ??= setInterval(() => this.#reap(), REAP_EVERY_MS).unref();
    return environment;
  }

  /** The function's code or configuration changed, or it is gone: what runs may end, nothing else starts in its environments. */
  retire(functionName: string, version?: string): void {
    for (const environment of this.#all) {
      if (environment.functionName !== functionName) continue;
      if (version !== undefined && environment.version.version !== version) continue;
      environment.retired = true;
    }
    for (const environments of this.#idle.values()) {
      for (const environment of [...environments]) if (environment.retired) this.#close(environment);
    }
  }

  /** Ends all environments, running ones too. */
  async stop(): Promise<void> {
    clearInterval(this.#reaper);
    for (const environment of [...this.#all]) this.#close(environment);
    await Promise.all(this.#closing);
    this.#dependencies.guard.close();
  }

  #lease(environment: ExecutionEnvironment): Lease {
    const { functionName } = environment;
    this.#running.set(functionName, this.running(functionName) + 1);
    let held = true;
    return {
      environment,
      release: () => {
        if (!held) return;
        held = false;
        const running = this.running(functionName) - 1;
        if (running > 0) this.#running.set(functionName, running);
        else this.#running.delete(functionName);
        if (environment.retired) this.#close(environment);
        else if (environment.state !== "dead") this.#addIdle(environment);
        this.#onRelease();
        // Unless it is in use again already.
        environment.freeze();
      },
    };
  }

  #takeIdle(key: string): ExecutionEnvironment | undefined {
    const environments = this.#idle.get(key);
    for (;;) {
      const environment = environments?.pop();
      if (!environment) return undefined;
      if (environment.credentialsExpire - this.#dependencies.settings.now() > CREDENTIALS_MARGIN_MS) return environment;
      this.#close(environment);
    }
  }

  #addIdle(environment: ExecutionEnvironment): void {
    const key = poolKey(environment.functionName, environment.version.version);
    const environments = this.#idle.get(key);
    if (environments) environments.push(environment);
    else this.#idle.set(key, [environment]);
  }

  #isBusy({ version }: VersionRecord, functionName: string): boolean {
    for (const environment of this.#all) {
      if (environment.state !== "busy" || environment.retired) continue;
      if (environment.functionName === functionName && environment.version.version === version) return true;
    }
    return false;
  }

  #starting(): number {
    let count = 0;
    for (const environment of this.#all) if (environment.state === "starting") count++;
    return count;
  }

  #oldestIdle(): ExecutionEnvironment | undefined {
    let oldest: ExecutionEnvironment | undefined;
    for (const [first] of this.#idle.values()) {
      if (first && (!oldest || first.lastUsed < oldest.lastUsed)) oldest = first;
    }
    return oldest;
  }

  #reap(): void {
    const before = this.#dependencies.settings.now() - IDLE_LIMIT_MS;
    for (const environments of this.#idle.values()) {
      for (const environment of [...environments]) if (environment.lastUsed < before) this.#close(environment);
    }
  }

  #close(environment: ExecutionEnvironment): void {
    environment.retired = true;
    this.#all.delete(environment);
    this.#ahead.delete(environment);
    const key = poolKey(environment.functionName, environment.version.version);
    const remaining = (this.#idle.get(key) ?? []).filter((other) => other !== environment);
    if (remaining.length > 0) this.#idle.set(key, remaining);
    else this.#idle.delete(key);
    const closing = environment.close().finally(() => {
      this.#closing.delete(closing);
      this.#onClosed();
    });
    this.#closing.add(closing);
  }
}

const poolKey = (functionName: string, version: string) => `${functionName}:${version}`;
