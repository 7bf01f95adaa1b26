import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { FrameReader, LineSplitter } from "./functionLog.ts";
import type { OrphanGuard } from "./orphanGuard.ts";
import {
  descendants,
  endMarked,
  hasChildren,
  killIdentified,
  MARK,
  type ProcessIdentity,
  signalIdentified,
} from "./processes.ts";

/** How the process ended, in the words of Lambda's Runtime.ExitError. */
export type ProcessEnd = { reason: string };

/**
 * The operating system's process that runs a function. What the function starts ends with it: on Linux all that carries its mark or
 * descends from it, elsewhere its process group.
 */
export class RuntimeProcess {
  readonly pid: number;
  /** Resolves when the process is gone and what it wrote has been read. */
  readonly ended: Promise<ProcessEnd>;
  /** Set from outside: what the process is known to have started. */
  others: () => ProcessIdentity[] = () => [];
  readonly #child: ChildProcess;
  readonly #guard: OrphanGuard;
  #descendants: ProcessIdentity[] = [];
  /** What was stopped outside of its process group; undefined while it runs. */
  #frozen: ProcessIdentity[] | undefined;

  /** Throws, or `ended` says so, when the program cannot be started. */
  constructor(options: {
    program: string;
    arguments: string[];
    cwd: string;
    environment: Record<string, string>;
    /** No other process has the same. */
    mark: string;
    guard: OrphanGuard;
    /** A line of stdout or stderr. */
    onLine: (line: string) => void;
    /** An event that the runtime's logging wrote. */
    onLog: (message: string) => void;
  }) {
    this.#child = spawn(options.program, options.arguments, {
      cwd: options.cwd,
      env: { ...options.environment, [MARK]: options.mark },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      detached: true,
    });
    this.pid = this.#child.pid ?? 0;
    this.#guard = options.guard;
    if (this.pid !== 0) this.#guard.add(this.pid);
    const lines = [this.#child.stdout, this.#child.stderr].map((stream) => {
      const splitter = new LineSplitter(options.onLine);
      stream?.on("data", (chunk: Buffer) => splitter.push(chunk));
      stream?.on("error", () => undefined);
      return splitter;
    });
    const frames = new FrameReader(options.onLog);
    const framed = this.#child.stdio[3] as Readable | null;
    framed?.on("data", (chunk: Buffer) => frames.push(chunk));
    framed?.on("error", () => undefined);
    this.ended = new Promise((resolve) => {
      const end = async (reason: string) => {
        if (this.pid !== 0) this.#guard.remove(this.pid);
        killIdentified([...this.#descendants, ...this.others()]);
        if (this.pid !== 0) await endMarked(options.mark);
        // What is still in the pipes comes with the next turn of the event loop; a grandchild may hold them open for ever.
        afterPendingReads(() => {
          for (const splitter of lines) splitter.end();
          for (const stream of [this.#child.stdout, this.#child.stderr, framed]) stream?.destroy();
          resolve({ reason });
        });
      };
      this.#child.on("error", (error) => end(`could not be started: ${error.message}`));
      this.#child.on("exit", (code, signal) => {
        this.#killGroup("SIGKILL");
        if (signal) end(`Runtime exited with error: signal: ${SIGNAL_WORDS[signal] ?? signal.toLowerCase()}`);
        else if (code === 0) end("Runtime exited without providing a reason");
        else end(`Runtime exited with error: exit status ${code}`);
      });
    });
  }

  terminate(): void {
    this.#descendants = descendants(this.pid);
    this.#killGroup("SIGTERM");
    this.thaw();
  }

  /**
   * Stops everything in it where it stands, as Lambda does between invocations. Does nothing where a stopped process could
   * outlive the endpoint.
   */
  freeze(): void {
    if (this.#frozen || !this.#guard.guards(this.pid)) return;
    this.#killGroup("SIGSTOP");
    this.#frozen = [...this.others(), ...(hasChildren(this.pid) ? descendants(this.pid) : [])];
    signalIdentified(this.#frozen, "SIGSTOP");
  }

  /** Lets it go on. */
  thaw(): void {
    if (!this.#frozen) return;
    signalIdentified(this.#frozen, "SIGCONT");
    this.#frozen = undefined;
    this.#killGroup("SIGCONT");
  }

  kill(): void {
    this.#descendants.push(...descendants(this.pid));
    this.#killGroup("SIGKILL");
  }

  #killGroup(signal: NodeJS.Signals): void {
    if (this.pid === 0) return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      // the whole group is gone already
    }
  }
}

/** As Go's os/exec, which Lambda is written with, calls them. */
const SIGNAL_WORDS: Partial<Record<NodeJS.Signals, string>> = {
  SIGKILL: "killed",
  SIGTERM: "terminated",
  SIGSEGV: "segmentation fault",
  SIGABRT: "aborted",
  SIGINT: "interrupt",
  SIGHUP: "hangup",
  SIGBUS: "bus error",
  SIGFPE: "floating point exception",
  SIGILL: "illegal instruction",
  SIGTRAP: "trace/breakpoint trap",
};

/** Calls back when everything that was readable at the time of the call has been read. */
export function afterPendingReads(then: () => void): void {
  setImmediate(() => setImmediate(then));
}
