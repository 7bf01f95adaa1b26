import type { BlobStore } from "../../store/blobs.ts";
import { type ChecksumAlgorithm, createHasher, type Hasher } from "../checksums.ts";
import { LocalWriter } from "./localWriter.ts";
import { ThreadWriter } from "./threadWriter.ts";

/** From here on a second core pays for the copy that it costs to reach it. */
const THREAD_BYTES = 2 << 20;

/** Writes what it is given to a file, computing its MD5 on the way. */
export interface BodyWriter {
  /** False: pause until `onDrain`. The chunk may be kept, and must not be changed, until `finish` has resolved. */
  write(chunk: Buffer): boolean;
  /** A chunk whose `write` returned true is not kept. */
  readonly copies: boolean;
  /** Called when a `write` that returned false has been followed by enough progress. */
  onDrain: () => void;
  /** Resolves with the MD5 once all bytes are in the file. Rejects with the error of the file system. */
  finish(): Promise<Buffer>;
  /** Stops writing and closes the file. */
  abort(): Promise<void>;
}

export interface Digests {
  md5: Buffer;
  checksums: Map<ChecksumAlgorithm, Buffer>;
}

/** Takes a body of any size, hashes it and writes it to a new file, with a bounded part of it in memory. */
export class BodySink {
  readonly blob: string;
  size = 0;
  readonly #blobs: BlobStore;
  readonly #writer: BodyWriter;
  readonly #hashers: [ChecksumAlgorithm, Hasher][];
  readonly #wantsMd5: boolean;

  /** `expectedBytes` only chooses the way of writing. The algorithms must be loaded. */
  constructor(blobs: BlobStore, algorithms: ReadonlySet<ChecksumAlgorithm>, expectedBytes: number) {
    this.#blobs = blobs;
    this.blob = blobs.newName();
    const file = blobs.create(this.blob);
    this.#writer = expectedBytes >= THREAD_BYTES ? new ThreadWriter(file) : new LocalWriter(file);
    // The writer computes MD5 anyway.
    this.#wantsMd5 = algorithms.has("MD5");
    this.#hashers = [...algorithms]
      .filter((algorithm) => algorithm !== "MD5")
      .map((algorithm) => [algorithm, createHasher(algorithm)]);
  }

  set onDrain(listener: () => void) {
    this.#writer.onDrain = listener;
  }

  /** A chunk whose `write` returned true is not kept. */
  get copies(): boolean {
    return this.#writer.copies;
  }

  /** False: pause until `onDrain`. */
  write(chunk: Buffer): boolean {
    this.size += chunk.length;
    const goOn = this.#writer.write(chunk);
    for (const [, hasher] of this.#hashers) hasher.update(chunk);
    return goOn;
  }

  /** Resolves once all bytes are in the file. Rejects with the error of the file system. */
  async finish(): Promise<Digests> {
    const md5 = await this.#writer.finish();
    const checksums = new Map(this.#hashers.map(([algorithm, hasher]) => [algorithm, hasher.digest()]));
    if (this.#wantsMd5) checksums.set("MD5", md5);
    return { md5, checksums };
  }

  /** Leaves no bytes. */
  async discard(): Promise<void> {
    await this.#writer.abort();
    await this.#blobs.remove(this.blob);
  }
}
