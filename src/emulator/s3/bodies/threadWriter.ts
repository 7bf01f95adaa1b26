import { close } from "node:fs";
import { Worker } from "node:worker_threads";
import type { BodyWriter } from "./sink.ts";

/** Bytes handed over at a time, and how many such slots one body uses: one to fill while others are hashed and written. */
const SLOT_BYTES = 512 * 1024;
const SLOTS_PER_BODY = 4;
/** Kept for the next bodies. */
const MAX_SPARE_SLOTS = 16;

/**
 * The other thread: MD5 is the slowest of the hashes, and writing blocks. Kept as text so that it needs no file of its own beside a bundle.
 * The memory of a slot goes there and comes back; shared memory would be slower to fill, byte by byte.
 *
 * in    { id, file }             a body begins
 *       { id, slot, bytes }      hash and write the first `bytes` of the slot
 *       { id, end: true }        the body is whole
 *       { id, forget: true }     it will never be
 * out   { id, slot } when a slot is free again; { id, md5 } or { id, error: { message, code } } at the end
 */
const THREAD = `
const { parentPort } = require("node:worker_threads");
const { createHash } = require("node:crypto");
const { writeSync } = require("node:fs");
const bodies = new Map();
parentPort.on("message", ({ id, file, slot, bytes, forget }) => {
  if (file !== undefined) {
    bodies.set(id, { md5: createHash("md5"), file, error: undefined });
    return;
  }
  const body = bodies.get(id);
  if (slot !== undefined) {
    if (!body.error) {
      const view = new Uint8Array(slot, 0, bytes);
      body.md5.update(view);
      try {
        for (let at = 0; at < bytes; ) at += writeSync(body.file, view, at, bytes - at);
      } catch (error) {
        body.error = { message: error.message, code: error.code };
      }
    }
    parentPort.postMessage({ id, slot }, [slot]);
    return;
  }
  bodies.delete(id);
  if (body.error) parentPort.postMessage({ id, error: body.error });
  else parentPort.postMessage({ id, md5: forget ? undefined : body.md5.digest() });
});
`;

interface FromThread {
  id: number;
  slot?: ArrayBuffer;
  md5?: Uint8Array;
  error?: { message: string; code: string };
}

let thread: Worker | undefined;
let lastId = 0;
const writers = new Map<number, ThreadWriter>();
const spareSlots: ArrayBuffer[] = [];

/** One thread serves all bodies; it keeps no process alive. */
function startThread(): Worker {
  if (thread) return thread;
  const started = new Worker(THREAD, { eval: true, execArgv: [] });
  started.unref();
  started.on("message", (message: FromThread) => writers.get(message.id)?.onMessage(message));
  started.on("error", (error) => {
    if (thread === started) thread = undefined;
    for (const writer of [...writers.values()])
      writer.onMessage({ id: 0, error: { message: error.message, code: "" } });
  });
  thread = started;
  return started;
}

/** Copies chunks into slots of memory, which a thread hashes and writes. */
export class ThreadWriter implements BodyWriter {
  readonly copies = true;
  onDrain: () => void = () => {};
  readonly #file: number;
  readonly #id = ++lastId;
  readonly #thread = startThread();
  #filling: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;
  readonly #free = Array.from({ length: SLOTS_PER_BODY }, () => spareSlots.pop() ?? new ArrayBuffer(SLOT_BYTES));
  #waiting: Buffer[] = [];
  #isEnded = false;
  #settle: { done: (md5: Buffer) => void; failed: (error: Error) => void } | undefined;
  #result: { md5: Buffer } | { error: Error } | undefined;
  #isClosed = false;

  constructor(file: number) {
    this.#file = file;
    writers.set(this.#id, this);
    this.#thread.postMessage({ id: this.#id, file });
  }

  write(chunk: Buffer): boolean {
    // A thread that died takes nothing any more; `finish` says why.
    if (this.#result) return true;
    if (this.#waiting.length > 0) this.#waiting.push(chunk);
    else {
      const copied = this.#copy(chunk);
      if (copied < chunk.length) this.#waiting.push(chunk.subarray(copied));
    }
    return this.#waiting.length === 0;
  }

  finish(): Promise<Buffer> {
    return new Promise<Buffer>((done, failed) => {
      this.#settle = { done, failed };
      this.#isEnded = true;
      this.#endWhenCopied();
      this.#settleWhenDone();
    }).finally(() => this.#close());
  }

  async abort(): Promise<void> {
    if (this.#isClosed) return;
    this.#waiting = [];
    if (this.#result === undefined) {
      // The thread may still be writing: the file must not be closed under it.
      await new Promise<void>((done) => {
        this.#settle = { done: () => done(), failed: () => done() };
        this.#thread.postMessage({ id: this.#id, forget: true });
      });
    }
    await this.#close();
  }

  onMessage({ slot, md5, error }: FromThread): void {
    if (slot !== undefined) {
      this.#free.push(slot);
      this.#copyWaiting();
      return;
    }
    if (error) this.#result = { error: Object.assign(new Error(error.message), { code: error.code }) };
    else this.#result = { md5: Buffer.from(md5 ?? []) };
    this.#settleWhenDone();
    this.onDrain();
  }

  /** How many bytes found room. */
  #copy(chunk: Buffer): number {
    let at = 0;
    while (at < chunk.length) {
      if (this.#filling === undefined) {
        const slot = this.#free.shift();
        if (slot === undefined) break;
        this.#filling = new Uint8Array(slot);
      }
      const bytes = Math.min(chunk.length - at, SLOT_BYTES - this.#filled);
      const piece = bytes === chunk.length ? chunk : chunk.subarray(at, at + bytes);
      this.#filling.set(piece, this.#filled);
      this.#filled += bytes;
      at += bytes;
      if (this.#filled === SLOT_BYTES) this.#send();
    }
    return at;
  }

  #send(): void {
    const slot = this.#filling!.buffer;
    this.#thread.postMessage({ id: this.#id, slot, bytes: this.#filled }, [slot]);
    this.#filling = undefined;
    this.#filled = 0;
  }

  #copyWaiting(): void {
    if (this.#waiting.length === 0) return;
    while (this.#waiting.length > 0) {
      const chunk = this.#waiting[0]!;
      const copied = this.#copy(chunk);
      if (copied < chunk.length) {
        this.#waiting[0] = chunk.subarray(copied);
        return;
      }
      this.#waiting.shift();
    }
    this.onDrain();
    this.#endWhenCopied();
  }

  #endWhenCopied(): void {
    if (!this.#isEnded || this.#waiting.length > 0) return;
    if (this.#filling !== undefined) this.#send();
    this.#isEnded = false;
    this.#thread.postMessage({ id: this.#id, end: true });
  }

  #settleWhenDone(): void {
    if (!this.#result || !this.#settle) return;
    if ("error" in this.#result) this.#settle.failed(this.#result.error);
    else this.#settle.done(this.#result.md5);
  }

  #close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    writers.delete(this.#id);
    spareSlots.push(...this.#free.slice(0, MAX_SPARE_SLOTS - spareSlots.length));
    return new Promise((done) => close(this.#file, () => done()));
  }
}
