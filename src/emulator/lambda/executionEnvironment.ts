import { rmSync } from "node:fs";
import { basename } from "node:path";
import type { EmulatorSettings } from "../settings.ts";
import { isLineWanted } from "./applicationLog.ts";
import type { CodeStore } from "./codeStore.ts";
import type { LogWriter } from "./functionLog.ts";
import type { Invocation, InvocationResult } from "./invocation.ts";
import type { OrphanGuard } from "./orphanGuard.ts";
import { type Excess, MAX_PROCESSES, type ProcessWatcher, type Watch } from "./processWatcher.ts";
import type { VersionRecord } from "./records.ts";
import { MAX_RESPONSE_BYTES, type RuntimeAnswer } from "./runtimeApi.ts";
import { afterPendingReads, RuntimeProcess } from "./runtimeProcess.ts";
import { runtimeCommand } from "./runtimes.ts";
import { type AssumeRole, makeSandbox, type Sandbox } from "./sandbox.ts";
import { type InvocationReport, reportedErrorType } from "./systemLog.ts";

/** https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html */
const INIT_LIMIT_MS = 10_000;
/** From SIGTERM to SIGKILL. AWS gives up to two seconds, to functions with extensions. */
const SHUTDOWN_MS = 500;

export interface EnvironmentDependencies {
  settings: EmulatorSettings;
  code: CodeStore;
  /** Folder for this environment alone; made and removed by it. */
  folder: string;
  logs: LogWriter;
  watcher: ProcessWatcher;
  guard: OrphanGuard;
  assumeRole: AssumeRole;
}

/**
 * new       no process, or one that was started ahead and has loaded nothing of the function: it starts with the next invocation
 *           (a fresh environment, or one whose process timed out or crashed)
 * starting  the process is loading the function, for an invocation that waits
 * busy      an invocation runs
 * idle      the runtime waits for an invocation
 * dead      never used again
 */
type State = "new" | "starting" | "busy" | "idle" | "dead";

const MAY_FOLLOW: Record<State, readonly State[]> = {
  new: ["starting", "dead"],
  starting: ["busy", "new", "dead"],
  busy: ["idle", "new", "dead"],
  idle: ["busy", "new", "dead"],
  dead: [],
};

interface Running {
  invocation: Invocation;
  /** performance.now() when the function's time began. */
  startedAt: number;
  timer: NodeJS.Timeout | undefined;
  initMs: number | undefined;
  resolve: (result: InvocationResult) => void;
  reject: (error: unknown) => void;
  finished: (logTail: Buffer) => void;
  answered?: Pick<InvocationReport, "durationMs" | "status" | "errorType" | "producedBytes">;
}

/**
 * One sandbox of one version of a function: its process, its Runtime API, its /tmp, its credentials and its log stream.
 * Runs one invocation at a time. /tmp outlives a process that timed out or crashed, as on AWS.
 *
 * Frozen between invocations, as on AWS: timers and threads of the function stand still until the next one.
 */
export class ExecutionEnvironment {
  readonly functionName: string;
  readonly version: VersionRecord;
  /** Milliseconds since the epoch; for the pool. */
  lastUsed = 0;
  /** Set when the function changed: do not use again. */
  retired = false;
  /** When its credentials end; milliseconds since the epoch. Infinity before they were issued. */
  credentialsExpire = Number.POSITIVE_INFINITY;
  readonly #dependencies: EnvironmentDependencies;
  #state: State = "new";
  #sandbox: Sandbox | undefined;
  #process: RuntimeProcess | undefined;
  /** Of `#process`. */
  #watch: Watch | undefined;
  #processesStarted = 0;
  /** Settled when the process that was started ahead runs, or could not be started. */
  #ahead: Promise<void> | undefined;
  #running: Running | undefined;
  #phase: "init" | "invoke" = "init";
  #initStartedAt = 0;
  #killedFor: "timeout" | Excess | undefined;
  /** Most memory that the process was seen with. */
  #peakBytes = 0;

  constructor(functionName: string, version: VersionRecord, dependencies: EnvironmentDependencies) {
    this.functionName = functionName;
    this.version = version;
    this.#dependencies = dependencies;
    dependencies.code.retain(version.codeHash);
  }

  get state(): State {
    return this.#state;
  }

  /**
   * Runs one invocation. `result` comes as soon as the function has answered and is rejected only when the environment could not
   * be made. `finished` comes when the environment can be used again and the invocation's log is complete, with the last 4 KB of
   * that log; it is never rejected.
   */
  invoke(invocation: Invocation): { result: Promise<InvocationResult>; finished: Promise<Buffer> } {
    if (this.#state !== "new" && this.#state !== "idle")
      throw new Error(`cannot invoke an environment that is ${this.#state}`);
    let finished: (logTail: Buffer) => void = () => {};
    const whenFinished = new Promise<Buffer>((resolve) => {
      finished = resolve;
    });
    const result = new Promise<InvocationResult>((resolve, reject) => {
      this.#running = {
        invocation,
        startedAt: 0,
        timer: undefined,
        initMs: undefined,
        resolve,
        reject,
        finished,
      };
    });
    this.#sandbox?.log.beginTail();
    if (this.#state === "idle") {
      this.#process!.thaw();
      this.#begin();
      this.#logStart();
      this.#dispatch();
    } else {
      this.#move("starting");
      this.#initialize().catch((error) => this.#fail(error));
    }
    return { result, finished: whenFinished };
  }

  /**
   * Starts the process ahead of the first invocation, up to where the function's own code begins. Resolves when it runs; rejected
   * when the environment could not be made.
   */
  startAhead(): Promise<void> {
    this.#ahead = this.#launch(true);
    return this.#ahead;
  }

  /** Stops what still runs in it until the next invocation. */
  freeze(): void {
    if (this.#state === "idle") this.#process?.freeze();
  }

  /** Ends the environment: SIGTERM, then SIGKILL. Resolves when its process is gone. */
  async close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running) {
      this.#release(running);
      running.reject(new Error("the execution environment was closed"));
      running.finished(this.#sandbox?.log.tail() ?? Buffer.alloc(0));
    }
    if (this.#state === "dead") return;
    this.#move("dead");
    const process = this.#process;
    this.#forgetProcess();
    if (process) {
      process.terminate();
      const timer = setTimeout(() => process.kill(), SHUTDOWN_MS);
      await process.ended;
      clearTimeout(timer);
    }
    this.#sandbox?.api.close();
    this.#dependencies.code.release(this.version.codeHash);
    rmSync(this.#dependencies.folder, { recursive: true, force: true });
  }

  #move(next: State): void {
    if (!MAY_FOLLOW[this.#state].includes(next)) {
      throw new Error(`an execution environment cannot go from ${this.#state} to ${next}`);
    }
    this.#state = next;
  }

  /** The init phase: the function's code is loaded, in the process that was started ahead or in a new one. */
  async #initialize(): Promise<void> {
    await this.#ahead?.catch(() => undefined);
    this.#ahead = undefined;
    if (this.#state !== "starting") return;
    this.#beginPhase("init");
    if (!this.#process) return this.#launch(false);
    this.#initBegins();
    this.#watch!.busy = true;
    this.#sandbox!.api.begin();
  }

  #beginPhase(phase: "init" | "invoke"): void {
    this.#phase = phase;
    this.#initStartedAt = performance.now();
    this.#killedFor = undefined;
  }

  #initBegins(): void {
    this.#sandbox!.systemLog.initStart();
    this.#running!.timer = setTimeout(() => this.#stop("timeout"), INIT_LIMIT_MS);
  }

  async #launch(isAhead: boolean): Promise<void> {
    const { code, folder } = this.#dependencies;
    const taskRoot = await code.unpacked(this.version.codeHash);
    if (this.#isDead) return;
    const sandbox = this.#sandbox ?? (await this.#makeSandbox(taskRoot));
    this.#sandbox = sandbox;
    const command = await runtimeCommand(this.version, taskRoot, isAhead);
    if (this.#isDead) {
      sandbox.api.close();
      rmSync(folder, { recursive: true, force: true });
      return;
    }
    if (isAhead) this.#sandbox!.api.holdBack();
    else if (this.#phase === "init") this.#initBegins();
    const mark = `${basename(folder)}.${++this.#processesStarted}`;
    const process = new RuntimeProcess({
      ...command,
      cwd: taskRoot,
      environment: sandbox.variables,
      mark,
      guard: this.#dependencies.guard,
      onLine: (line) => isLineWanted(this.version.logging, line) && sandbox.log.write(line),
      onLog: (message) => sandbox.log.write(message),
    });
    this.#process = process;
    const watch = this.#dependencies.watcher.watch(process.pid, mark, this.#memoryLimit, (excess) =>
      this.#exceeded(excess),
    );
    this.#watch = watch;
    watch.busy = !isAhead;
    process.others = () => watch.others();
    process.ended.then(({ reason }) => {
      if (this.#process === process) this.#processEnded(reason);
    });
    // The function's time ran out while its code was being unpacked.
    if (this.#killedFor) process.kill();
  }

  async #makeSandbox(taskRoot: string): Promise<Sandbox> {
    const { folder, settings, logs, assumeRole } = this.#dependencies;
    const sandbox = await makeSandbox({
      functionName: this.functionName,
      version: this.version,
      taskRoot,
      folder,
      settings,
      logs,
      assumeRole,
      listener: {
        next: () => this.#onNext(),
        response: (requestId, body) => this.#onResponse(requestId, body),
        error: (requestId, body) => this.#onError(requestId, body),
        initError: (body, errorType) => this.#onInitError(body, errorType),
      },
    });
    this.credentialsExpire = sandbox.credentialsExpire;
    return sandbox;
  }

  get #isDead(): boolean {
    return this.#state === "dead";
  }

  get #memoryLimit(): number {
    return this.version.memoryMb * 1024 * 1024;
  }

  /** The function's time begins. */
  #begin(): void {
    const running = this.#running!;
    clearTimeout(running.timer);
    running.startedAt = performance.now();
    running.timer = setTimeout(() => this.#stop("timeout"), this.version.timeoutSeconds * 1000);
  }

  #logStart(): void {
    const { requestId, invokedFunctionArn } = this.#running!.invocation;
    this.#sandbox!.systemLog.start(requestId, invokedFunctionArn);
  }

  /** Hands the event to the runtime that waits for one. */
  #dispatch(): void {
    const { invocation, startedAt } = this.#running!;
    if (this.#watch) this.#watch.busy = true;
    this.#move("busy");
    const elapsedMs = performance.now() - startedAt;
    const headers: Record<string, string> = {
      "Lambda-Runtime-Aws-Request-Id": invocation.requestId,
      "Lambda-Runtime-Deadline-Ms": String(Date.now() + this.version.timeoutSeconds * 1000 - Math.round(elapsedMs)),
      "Lambda-Runtime-Invoked-Function-Arn": invocation.invokedFunctionArn,
      "Lambda-Runtime-Trace-Id": invocation.traceHeader,
    };
    if (invocation.clientContext !== undefined) headers["Lambda-Runtime-Client-Context"] = invocation.clientContext;
    this.#sandbox!.api.send(invocation.payload, headers);
  }

  #onNext(): void {
    if (this.#state === "starting") {
      if (this.#phase === "init") this.#running!.initMs = performance.now() - this.#initStartedAt;
      this.#isOverMemory();
      // What the function wrote while it was loaded is still in the pipe, and stands before START.
      afterPendingReads(() => {
        if (this.#state !== "starting") return;
        if (this.#phase === "init") this.#begin();
        this.#logStart();
        this.#dispatch();
      });
    } else if (this.#state === "busy" && this.#running?.answered) {
      this.#finish("idle");
    }
  }

  #onResponse(requestId: string, body: Buffer | undefined): RuntimeAnswer {
    const refusal = this.#unexpected(requestId);
    if (refusal) return refusal;
    if (this.#isOverMemory()) {
      this.#stop("memory");
      return "accepted";
    }
    if (body === undefined) {
      const failure = {
        errorType: "Function.ResponseSizeTooLarge",
        errorMessage: `Response payload size exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).`,
      };
      this.#answer(json(failure), "error", failure.errorType);
    } else {
      this.#answer(body, "success");
    }
    return "accepted";
  }

  #onError(requestId: string, body: Buffer): RuntimeAnswer {
    const refusal = this.#unexpected(requestId);
    if (refusal) return refusal;
    this.#isOverMemory();
    this.#answer(body, "error");
    return "accepted";
  }

  #onInitError(body: Buffer, errorType: string | undefined): RuntimeAnswer {
    if (this.#state !== "starting") return "invalidState";
    this.#initFailed("error", reportedErrorType(errorType), body);
    return "accepted";
  }

  #unexpected(requestId: string): RuntimeAnswer | undefined {
    if (this.#state !== "busy" || !this.#running) return "invalidState";
    if (this.#running.invocation.requestId !== requestId) return "invalidRequestId";
    return this.#running.answered ? "invalidState" : undefined;
  }

  #isOverMemory(): boolean {
    const isOver = this.#watch?.isOverMemory() ?? false;
    this.#peakBytes = this.#watch?.peakBytes ?? this.#peakBytes;
    return isOver;
  }

  /**
   * The timeout goes on: a runtime that has answered and never asks for the next event is stopped by it.
   *
   * fault   what the runtime did not survive, or could not do; undefined for an error of the function's own
   */
  #answer(payload: Buffer, outcome: "success" | "error" | "timeout", fault?: string): void {
    const running = this.#running!;
    const elapsedMs = performance.now() - running.startedAt;
    const isTimeout = outcome === "timeout";
    const durationMs = isTimeout ? Math.min(elapsedMs, this.version.timeoutSeconds * 1000) : elapsedMs;
    const status = isTimeout ? outcome : fault ? "error" : "success";
    running.answered = { durationMs, status, errorType: fault, producedBytes: isTimeout || fault ? 0 : payload.length };
    running.resolve(
      outcome === "success" ? { payload, durationMs } : { payload, functionError: "Unhandled", durationMs },
    );
  }

  /** The log of the invocation is complete, and the environment free, when all that it wrote has been read. */
  #finish(next: "idle" | "new"): void {
    const running = this.#running!;
    this.#release(running);
    afterPendingReads(() => {
      // Closed, or ended by itself, in the meantime.
      if (this.#running !== running) return;
      this.#running = undefined;
      this.#sandbox!.systemLog.report({
        ...running.answered!,
        requestId: running.invocation.requestId,
        initMs: running.initMs,
        maxMemoryMb: Math.min(Math.ceil(this.#peakBytes / 1024 / 1024), this.version.memoryMb),
      });
      this.#move(next === "idle" && this.#process === undefined ? "new" : next);
      this.lastUsed = this.#dependencies.settings.now();
      running.finished(this.#sandbox?.log.tail() ?? Buffer.alloc(0));
    });
  }

  #release(running: Running): void {
    clearTimeout(running.timer);
    if (this.#watch) this.#watch.busy = false;
  }

  /** Kills the process; `#processEnded` says what came of it. */
  #stop(cause: "timeout" | Excess): void {
    this.#killedFor = cause;
    this.#isOverMemory();
    this.#process?.kill();
  }

  #exceeded(excess: Excess): void {
    if (excess === "processes") {
      this.#sandbox!.log.write(
        `The function had more than ${MAX_PROCESSES} processes and threads, Lambda's limit, and was ended.`,
      );
    }
    if (this.#state !== "idle") {
      this.#stop(excess);
      return;
    }
    // At once, so that the next invocation does not meet a process that is being killed.
    this.#process!.kill();
    this.#forgetProcess();
    this.#sandbox!.api.disconnect();
    this.#move("new");
  }

  #forgetProcess(): void {
    this.#process = undefined;
    this.#watch?.end();
    this.#watch = undefined;
  }

  #processEnded(reason: string): void {
    this.#forgetProcess();
    this.#sandbox!.api.disconnect();
    const running = this.#running;
    if (this.#state === "starting") {
      const timedOut = this.#killedFor === "timeout";
      this.#initFailed(timedOut ? "timeout" : "error", timedOut ? undefined : this.#exitType, undefined, reason);
    } else if (this.#state === "busy" && running) {
      if (!running.answered) this.#answerExit(reason);
      else if (!this.#killedFor) this.#exitedAfterAnswer(running.answered, reason);
      this.#finish("new");
    } else if (this.#state === "idle") {
      this.#move("new");
    }
  }

  /** The answer for a process that went away without one. */
  #answerExit(reason: string): void {
    const { requestId } = this.#running!.invocation;
    if (this.#killedFor === "timeout") {
      this.#sandbox!.systemLog.timedOut(requestId);
      const seconds = this.version.timeoutSeconds.toFixed(2);
      const errorMessage = `RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`;
      this.#answer(json({ errorType: "Sandbox.Timedout", errorMessage }), "timeout");
      return;
    }
    this.#answer(json({ errorType: this.#exitType, errorMessage: this.#logExit(reason) }), "error", this.#exitType);
  }

  /** The answer stands, and the report says what came after it. */
  #exitedAfterAnswer(answered: NonNullable<Running["answered"]>, reason: string): void {
    this.#logExit(reason);
    answered.status = "error";
    answered.errorType = this.#exitType;
  }

  get #exitType(): string {
    return this.#killedFor === "memory" ? "Runtime.OutOfMemory" : "Runtime.ExitError";
  }

  #logExit(reason: string): string {
    const errorMessage = `RequestId: ${this.#running!.invocation.requestId} Error: ${reason}`;
    this.#sandbox!.systemLog.runtimeExit(errorMessage, this.#exitType);
    return errorMessage;
  }

  /**
   * The first failure of an init is not final: Lambda runs it again, now as a part of the invocation and of its timeout.
   *
   * body   what the runtime itself said of it; undefined when the process just ended
   */
  #initFailed(status: "error" | "timeout", errorType: string | undefined, body: Buffer | undefined, reason = ""): void {
    const running = this.#running!;
    const process = this.#process;
    this.#isOverMemory();
    process?.kill();
    this.#forgetProcess();
    const durationMs = performance.now() - this.#initStartedAt;
    const retry = () => {
      if (this.#running !== running || this.#state !== "starting") return;
      this.#sandbox!.api.disconnect();
      this.#sandbox!.systemLog.initReport(durationMs, this.#phase, status, errorType);
      if (this.#phase === "init") {
        this.#begin();
        this.#beginPhase("invoke");
        this.#launch(false).catch((error) => this.#fail(error));
        return;
      }
      this.#move("busy");
      this.#logStart();
      if (body) this.#answer(body, "error", errorType);
      else this.#answerExit(reason);
      this.#finish("new");
    };
    if (process) process.ended.then(retry);
    else retry();
  }

  /** The environment could not be made: no code, no role, no process. */
  #fail(error: unknown): void {
    const running = this.#running;
    if (!running || this.#state === "dead") return;
    this.#running = undefined;
    this.#release(running);
    this.#process?.kill();
    this.retired = true;
    this.#move("new");
    running.reject(error);
    running.finished(this.#sandbox?.log.tail() ?? Buffer.alloc(0));
  }
}

const json = (value: object) => Buffer.from(JSON.stringify(value));
