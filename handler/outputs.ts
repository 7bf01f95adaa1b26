import { closeSync, openSync, readSync, rmSync, statfsSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { type PutBody, REUSED_BYTES } from "./s3/objectStore.ts";

/**
 * Collects the bytes of thousands of outputs side by side in bounded memory.
 *
 * All outputs share one arena and take it in blocks. When it is full it goes to one temporary file with a single
 * sequential write, and only the places of the blocks are kept. An output is then read back piece by piece as it is
 * sent. So memory is the arena, and disk is about the size of the text; a small file never touches the disk.
 */
export const ARENA_BYTES = 20 * 1024 * 1024;
/** Room for the heads of some hundred outputs. */
const SMALLEST_ARENA_BYTES = 512 * 1024;
const SMALLEST_BLOCK = 512;
const LARGEST_BLOCK = 128 * 1024;
const INITIAL_OUTPUTS = 128;

/** The temporary space ends before all outputs are in. */
export class SpaceExhausted extends Error {
  override readonly name = "SpaceExhausted";
  readonly availableBytes: number;

  constructor(availableBytes: number) {
    super(`the temporary space of ${availableBytes} bytes is full`);
    this.availableBytes = availableBytes;
  }
}

export class Outputs {
  #arena: Buffer;
  #view: DataView;
  #used = 0;
  #count = 0;
  /** Per output: the open block [blockStart, position, limit) in the arena; limit 0 when there is none. */
  #position = new Int32Array(INITIAL_OUTPUTS);
  #limit = new Int32Array(INITIAL_OUTPUTS);
  #blockStart = new Int32Array(INITIAL_OUTPUTS);
  #rows = new Float64Array(INITIAL_OUTPUTS);
  /** Bytes in closed blocks. */
  #bytes = new Float64Array(INITIAL_OUTPUTS);
  #crc = new Float64Array(INITIAL_OUTPUTS);
  #firstExtent = new Int32Array(INITIAL_OUTPUTS);
  #lastExtent = new Int32Array(INITIAL_OUTPUTS);
  /** Closed blocks, one chain per output; an offset is in the file, or in the arena when it is not below #spilled. */
  #extentOffset = new Float64Array(1024);
  #extentLength = new Int32Array(1024);
  #extentNext = new Int32Array(1024);
  #extents = 0;
  #spilled = 0;
  #file: { descriptor: number; path: string } | undefined;
  #spaceBytes: number | undefined;
  readonly #folder: string;

  /**
   * expectedBytes  about what will come: a small file is not worth a large arena, which costs a garbage collection
   * spaceBytes     bounds the temporary file; by default what the folder has free
   */
  constructor(options: { expectedBytes?: number; arenaBytes?: number; folder?: string; spaceBytes?: number } = {}) {
    const enough = SMALLEST_ARENA_BYTES + 2 * (options.expectedBytes ?? ARENA_BYTES);
    this.#arena = Buffer.allocUnsafeSlow(options.arenaBytes ?? Math.min(ARENA_BYTES, enough));
    this.#view = new DataView(this.#arena.buffer);
    this.#folder = options.folder ?? tmpdir();
    this.#spaceBytes = options.spaceBytes;
  }

  get count(): number {
    return this.#count;
  }

  rows(output: number): number {
    return this.#rows[output]!;
  }

  bytes(output: number): number {
    return this.#bytes[output]! + this.#position[output]! - this.#blockStart[output]!;
  }

  /** Opens an output that starts with `head` and returns its number. */
  open(head: Uint8Array): number {
    if (this.#count === this.#rows.length) this.#growOutputs();
    const output = this.#count++;
    this.#firstExtent[output] = -1;
    this.#lastExtent[output] = -1;
    this.append(output, head, 0, head.length);
    return output;
  }

  /** Appends a row and its line feed. */
  appendRow(output: number, window: Buffer, view: DataView, start: number, end: number): void {
    const length = end - start;
    let at = this.#position[output]!;
    // Words are copied whole, hence three bytes of slack.
    if (at + length + 4 > this.#limit[output]!) at = this.#block(output, length + 4);
    const arena = this.#arena;
    if (length > 400) {
      window.copy(arena, at, start, end);
    } else {
      const target = this.#view;
      // The window's slack lets the last word reach beyond the row.
      for (let i = 0; i < length; i += 4) target.setInt32(at + i, view.getInt32(start + i, true), true);
    }
    arena[at + length] = 10;
    this.#position[output] = at + length + 1;
    this.#rows[output]!++;
  }

  /** Appends bytes that are no row of their own. */
  append(output: number, bytes: Uint8Array, start: number, end: number): void {
    let from = start;
    while (from < end) {
      let at = this.#position[output]!;
      let room = this.#limit[output]! - at;
      if (room <= 0) {
        at = this.#block(output, Math.min(end - from, LARGEST_BLOCK));
        room = this.#limit[output]! - at;
      }
      const length = Math.min(room, end - from);
      this.#arena.set(from === 0 && length === bytes.length ? bytes : bytes.subarray(from, from + length), at);
      this.#position[output] = at + length;
      from += length;
    }
  }

  /** Appends four words of 32 bits, little-endian. */
  appendWords(output: number, a: number, b: number, c: number, d: number): void {
    let at = this.#position[output]!;
    if (at + 16 > this.#limit[output]!) at = this.#block(output, 16);
    const target = this.#view;
    target.setInt32(at, a, true);
    target.setInt32(at + 4, b, true);
    target.setInt32(at + 8, c, true);
    target.setInt32(at + 12, d, true);
    this.#position[output] = at + 16;
  }

  countRow(output: number): void {
    this.#rows[output]!++;
  }

  /** Closes the open block of `output` and opens one of at least `length` bytes; returns where it starts. */
  #block(output: number, length: number): number {
    this.#close(output);
    // About an eighth of what the output has so far: few blocks for large outputs, little waste for small ones.
    let size = SMALLEST_BLOCK;
    const wanted = this.#bytes[output]! / 8;
    while (size < wanted && size < LARGEST_BLOCK) size *= 2;
    if (size < length) size = length;
    if (this.#used + size > this.#arena.length) this.#spill();
    if (size > this.#arena.length) this.#enlarge(size);
    const at = this.#used;
    this.#used += size;
    this.#blockStart[output] = at;
    this.#position[output] = at;
    this.#limit[output] = at + size;
    return at;
  }

  /** A compressed file may hold a row that is longer than all that was expected. The arena is empty. */
  #enlarge(bytes: number): void {
    this.#arena = Buffer.allocUnsafeSlow(Math.max(bytes, ARENA_BYTES));
    this.#view = new DataView(this.#arena.buffer);
  }

  #close(output: number): void {
    const start = this.#blockStart[output]!;
    const length = this.#position[output]! - start;
    this.#limit[output] = 0;
    if (length === 0) return;
    const extent = this.#extents++;
    if (extent === this.#extentLength.length) this.#growExtents();
    this.#extentOffset[extent] = this.#spilled + start;
    this.#extentLength[extent] = length;
    this.#extentNext[extent] = -1;
    const last = this.#lastExtent[output]!;
    if (last < 0) this.#firstExtent[output] = extent;
    else this.#extentNext[last] = extent;
    this.#lastExtent[output] = extent;
    this.#bytes[output]! += length;
    this.#crc[output] = crc32(this.#arena.subarray(start, start + length), this.#crc[output]!);
    this.#blockStart[output] = this.#position[output]!;
  }

  #closeAll(): void {
    for (let output = 0; output < this.#count; output++) this.#close(output);
  }

  #spill(): void {
    this.#closeAll();
    this.#spaceBytes ??= freeBytes(this.#folder);
    if (this.#spilled + this.#used > this.#spaceBytes) throw new SpaceExhausted(this.#spaceBytes);
    if (this.#file === undefined) {
      const path = join(this.#folder, `minilake-${process.pid}-${Math.random().toString(36).slice(2)}.spill`);
      this.#file = { path, descriptor: openSync(path, "wx+", 0o600) };
      // Unlinked at once: whatever ends the process, the space comes back.
      rmSync(path);
    }
    try {
      let written = 0;
      while (written < this.#used) {
        written += writeSync(
          this.#file.descriptor,
          this.#arena,
          written,
          this.#used - written,
          this.#spilled + written,
        );
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOSPC") throw new SpaceExhausted(this.#spilled);
      throw error;
    }
    this.#spilled += this.#used;
    this.#used = 0;
    for (let output = 0; output < this.#count; output++) {
      this.#blockStart[output] = 0;
      this.#position[output] = 0;
      this.#limit[output] = 0;
    }
  }

  /** The finished output as the body of a request. Nothing may be appended any more. */
  body(output: number, contentType: string): PutBody {
    this.#close(output);
    return {
      contentType,
      length: this.#bytes[output]!,
      crc32: this.#crc[output]!,
      pieces: () => this.#pieces(output),
    };
  }

  /** The bytes of a finished output, as they were appended: no block is cut. Each piece is to be read before the next. */
  pieces(output: number): Iterable<Uint8Array> {
    this.#close(output);
    return this.#pieces(output);
  }

  *#pieces(output: number): Generator<Uint8Array> {
    let buffer: Buffer | undefined;
    let filled = 0;
    for (let extent = this.#firstExtent[output]!; extent >= 0; extent = this.#extentNext[extent]!) {
      const offset = this.#extentOffset[extent]!;
      const length = this.#extentLength[extent]!;
      if (offset >= this.#spilled) {
        if (buffer !== undefined && filled > 0) yield buffer.subarray(0, filled);
        buffer = undefined; // a shorter piece may still be on its way
        filled = 0;
        yield this.#arena.subarray(offset - this.#spilled, offset - this.#spilled + length);
        continue;
      }
      let done = 0;
      while (done < length) {
        buffer ??= Buffer.allocUnsafeSlow(Math.min(REUSED_BYTES, this.#bytes[output]!));
        const wanted = Math.min(buffer.length - filled, length - done);
        const got = readSync(this.#file!.descriptor, buffer, filled, wanted, offset + done);
        if (got === 0) throw new Error("the temporary file is shorter than what was written to it");
        done += got;
        filled += got;
        if (filled === buffer.length) {
          yield buffer;
          if (buffer.length < REUSED_BYTES) buffer = undefined;
          filled = 0;
        }
      }
    }
    if (buffer !== undefined && filled > 0) yield buffer.subarray(0, filled);
  }

  /** Gives the temporary space back. */
  discard(): void {
    if (this.#file !== undefined) closeSync(this.#file.descriptor);
    this.#file = undefined;
  }

  #growOutputs(): void {
    const size = this.#count * 2;
    const longer = (from: Int32Array) => {
      const to = new Int32Array(size);
      to.set(from);
      return to;
    };
    const wider = (from: Float64Array) => {
      const to = new Float64Array(size);
      to.set(from);
      return to;
    };
    this.#position = longer(this.#position);
    this.#limit = longer(this.#limit);
    this.#blockStart = longer(this.#blockStart);
    this.#firstExtent = longer(this.#firstExtent);
    this.#lastExtent = longer(this.#lastExtent);
    this.#rows = wider(this.#rows);
    this.#bytes = wider(this.#bytes);
    this.#crc = wider(this.#crc);
  }

  #growExtents(): void {
    const size = this.#extentLength.length * 2;
    const offsets = new Float64Array(size);
    offsets.set(this.#extentOffset);
    this.#extentOffset = offsets;
    const lengths = new Int32Array(size);
    lengths.set(this.#extentLength);
    this.#extentLength = lengths;
    const nexts = new Int32Array(size);
    nexts.set(this.#extentNext);
    this.#extentNext = nexts;
  }
}

/** What temporary files may take up, a little less than what is free. */
export function freeBytes(folder: string = tmpdir()): number {
  const { bavail, bsize } = statfsSync(folder);
  return Math.floor(bavail * bsize * 0.95);
}
