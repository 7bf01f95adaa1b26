import { createHash } from "node:crypto";
import { close, writev } from "node:fs";
import type { BodyWriter } from "./sink.ts";

/** Bytes collected before a write. */
const WRITE_BYTES = 1 << 20;
/** Bytes that may wait for the disk before the sender is asked to pause. */
const MAX_WAITING_BYTES = 4 << 20;

/** Hashes on this thread and writes without blocking it: for bodies too small to be worth another thread. */
export class LocalWriter implements BodyWriter {
  readonly copies = false;
  onDrain: () => void = () => {};
  readonly #file: number;
  readonly #md5 = createHash("md5");
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;
  #isClosed = false;

  constructor(file: number) {
    this.#file = file;
  }

  write(chunk: Buffer): boolean {
    this.#md5.update(chunk);
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes >= WRITE_BYTES) this.#flush();
    return this.#waitingBytes < MAX_WAITING_BYTES;
  }

  async finish(): Promise<Buffer> {
    while (this.#writing || (this.#waitingBytes > 0 && !this.#failure)) {
      this.#flush();
      await this.#writing;
    }
    await this.#close();
    if (this.#failure) throw this.#failure;
    return this.#md5.digest();
  }

  async abort(): Promise<void> {
    this.#waiting = [];
    this.#waitingBytes = 0;
    await this.#writing;
    await this.#close();
  }

  #close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    return new Promise((done) => close(this.#file, () => done()));
  }

  #flush(): void {
    if (this.#writing || this.#waitingBytes === 0 || this.#failure) return;
    const chunks = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#writing = writeAll(this.#file, chunks).then(
      () => this.#written(),
      (error: Error) => {
        this.#failure = error;
        this.#written();
      },
    );
  }

  #written(): void {
    this.#writing = undefined;
    if (this.#waitingBytes >= WRITE_BYTES) this.#flush();
    this.onDrain();
  }
}

/** A vectored write may stop short, as when the disk is nearly full. */
async function writeAll(file: number, chunks: Buffer[]): Promise<void> {
  let rest = chunks;
  while (rest.length > 0) {
    const written = await new Promise<number>((done, failed) =>
      writev(file, rest, (error, bytes) => (error ? failed(error) : done(bytes))),
    );
    rest = skip(rest, written);
  }
}

function skip(chunks: Buffer[], bytes: number): Buffer[] {
  let left = bytes;
  for (let index = 0; index < chunks.length; index++) {
    const chunk = chunks[index]!;
    if (left < chunk.length) return [chunk.subarray(left), ...chunks.slice(index + 1)];
    left -= chunk.length;
  }
  return [];
}
