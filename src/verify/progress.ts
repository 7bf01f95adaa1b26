import type { VerifyProgress } from "./report.ts";

/** Progress is told at least this often. */
const TOLD_BYTES = 1024 * 1024;
const TOLD_OBJECTS = 1_000;

/** How far a run is, told as it goes on. */
export class Progress {
  readonly #now: VerifyProgress = {
    phase: "list",
    objectsDone: 0,
    objectsTotal: 0,
    bytesDone: 0,
    bytesTotal: 0,
    objectsListed: 0,
    elapsedMs: 0,
    waiting: 0,
  };
  readonly #tell: ((progress: VerifyProgress) => void) | undefined;
  #phaseStarted = Date.now();

  constructor(tell: ((progress: VerifyProgress) => void) | undefined) {
    this.#tell = tell;
  }

  get objectsDone(): number {
    return this.#now.objectsDone;
  }

  get objectsTotal(): number {
    return this.#now.objectsTotal;
  }

  /** waiting   raw objects that no receipt answers */
  enter(phase: VerifyProgress["phase"], waiting = 0): void {
    const now = this.#now;
    if (now.phase !== phase) this.#phaseStarted = Date.now();
    if (phase === "orphans" && now.phase !== phase) now.objectsListed = 0;
    now.phase = phase;
    now.waiting = waiting;
    this.#say();
  }

  /** A raw object was found. */
  found(bytes: number): void {
    this.#now.objectsTotal += 1;
    this.#now.bytesTotal += bytes;
    if (this.#now.objectsTotal % TOLD_OBJECTS === 0) this.#say();
  }

  /** A raw object was compared. */
  compared(): void {
    this.#now.objectsDone += 1;
    this.#say();
  }

  /** Bytes of a raw object have been read; large objects are told of while they are. */
  read(bytes: number): void {
    const now = this.#now;
    if (now.phase !== "compare") return;
    const before = Math.floor(now.bytesDone / TOLD_BYTES);
    now.bytesDone = Math.min(now.bytesDone + bytes, now.bytesTotal);
    if (Math.floor(now.bytesDone / TOLD_BYTES) > before) this.#say();
  }

  /** A stored object was listed. */
  listed(): void {
    this.#now.objectsListed += 1;
    if (this.#now.objectsListed % TOLD_OBJECTS === 0) this.#say();
  }

  #say(): void {
    this.#now.elapsedMs = Date.now() - this.#phaseStarted;
    this.#tell?.({ ...this.#now });
  }
}
