import { createHash } from "node:crypto";
import { close, writev } from "node:fs";
import type { BlobStore } from "../store/blobs.ts";
import { type ChecksumAlgorithm, createHasher, type Hasher } from "./checksums.ts";

/** Bytes collected before a write. */
const WRITE_BYTES = 1 << 20;
/** Bytes that may wait for the disk before the sender is asked to pause. */
const MAX_WAITING_BYTES = 4 << 20;

export interface Digests {
  md5: Buffer;
  checksums: Map<ChecksumAlgorithm, Buffer>;
}

/** Takes a body of any size, hashes it and writes it to a new file, with a bounded part of it in memory. */
export class BodySink {
  readonly blob: string;
  size = 0;
  /** Called when a `write` that returned false has been followed by enough progress. */
  onDrain: () => void = () => {};
  readonly #blobs: BlobStore;
  readonly #file: number;
  readonly #md5 = createHash("md5");
  readonly #hashers: [ChecksumAlgorithm, Hasher][];
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;

  constructor(blobs: BlobStore, algorithms: ReadonlySet<ChecksumAlgorithm>) {
    this.#blobs = blobs;
    this.blob = blobs.newName();
    this.#file = blobs.create(this.blob);
    this.#hashers = [...algorithms].map((algorithm) => [algorithm, createHasher(algorithm)]);
  }

  /** False: pause until `onDrain`. */
  write(chunk: Buffer): boolean {
    this.size += chunk.length;
    this.#md5.update(chunk);
    for (const [, hasher] of this.#hashers) hasher.update(chunk);
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes >= WRITE_BYTES) this.#flush();
    return this.#waitingBytes < MAX_WAITING_BYTES;
  }

  /** Resolves once all bytes are in the file. Rejects with the error of the file system. */
  async finish(): Promise<Digests> {
    while (this.#writing || (this.#waitingBytes > 0 && !this.#failure)) {
      this.#flush();
      await this.#writing;
    }
    await this.#close();
    if (this.#failure) throw this.#failure;
    return {
      md5: this.#md5.digest(),
      checksums: new Map(this.#hashers.map(([algorithm, hasher]) => [algorithm, hasher.digest()])),
    };
  }

  /** Leaves no bytes. */
  async discard(): Promise<void> {
    this.#waiting = [];
    this.#waitingBytes = 0;
    await this.#writing;
    await this.#close();
    await this.#blobs.remove(this.blob);
  }

  #closed = false;
  #close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
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
