import type { Caller } from "../access.ts";

/** CloudWatch's limit for one event; a longer line is split. */
const MAX_EVENT_BYTES = 256 * 1024;
/** How long lines wait for company before they are written. */
const FLUSH_MS = 40;
/** What LogType Tail shows. */
const TAIL_BYTES = 4096;

type AppendLogs = (
  caller: Caller,
  group: string,
  stream: string,
  events: { timestamp: number; message: string }[],
) => void;

/**
 * Collects the log lines of all environments and writes them together, after the results they speak of.
 * Whatever goes wrong with logs is reported and changes no result.
 */
export class LogWriter {
  readonly #append: AppendLogs;
  readonly #transaction: (work: () => void) => void;
  readonly #report: (message: string, error: unknown) => void;
  readonly #waiting = new Set<StreamLog>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: {
    append: AppendLogs;
    /** Many streams are written in one transaction. */
    transaction: (work: () => void) => void;
    report: (message: string, error: unknown) => void;
  }) {
    this.#append = options.append;
    this.#transaction = options.transaction;
    this.#report = options.report;
  }

  changed(log: StreamLog): void {
    this.#waiting.add(log);
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.size === 0) return;
    const logs = [...this.#waiting];
    this.#waiting.clear();
    try {
      this.#transaction(() => {
        for (const log of logs) this.#append(log.caller, log.group, log.stream, log.take());
      });
    } catch (error) {
      this.#report("lines of function logs were not stored", error);
    }
  }
}

/** The log stream of one execution environment. */
export class StreamLog {
  readonly caller: Caller;
  readonly group: string;
  readonly stream: string;
  readonly #writer: LogWriter;
  readonly #now: () => number;
  #events: { timestamp: number; message: string }[] = [];
  #tail: string[] = [];
  #tailBytes = 0;

  constructor(writer: LogWriter, now: () => number, caller: Caller, group: string, stream: string) {
    this.#writer = writer;
    this.#now = now;
    this.caller = caller;
    this.group = group;
    this.stream = stream;
  }

  /** `message` with its newline. */
  write(message: string, timestamp = this.#now()): void {
    for (const part of splitLong(message)) {
      this.#events.push({ timestamp, message: part });
      this.#tail.push(part);
      this.#tailBytes += part.length;
      while (this.#tailBytes - this.#tail[0]!.length > TAIL_BYTES) this.#tailBytes -= this.#tail.shift()!.length;
    }
    this.#writer.changed(this);
  }

  take(): { timestamp: number; message: string }[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  beginTail(): void {
    this.#tail = [];
    this.#tailBytes = 0;
  }

  /** The last 4 KB written since `beginTail`. */
  tail(): Buffer {
    const all = Buffer.from(this.#tail.join(""), "utf8");
    return all.subarray(Math.max(0, all.length - TAIL_BYTES));
  }
}

function splitLong(message: string): string[] {
  // One UTF-16 unit is at most three bytes of UTF-8, so a short string needs no counting.
  if (message.length * 3 <= MAX_EVENT_BYTES || Buffer.byteLength(message) <= MAX_EVENT_BYTES) return [message];
  const bytes = Buffer.from(message, "utf8");
  const parts: string[] = [];
  for (let start = 0; start < bytes.length; ) {
    let end = Math.min(start + MAX_EVENT_BYTES, bytes.length);
    // Not in the middle of a character: continuation bytes are 10xxxxxx.
    while (end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--;
    parts.push(bytes.toString("utf8", start, end));
    start = end;
  }
  return parts;
}

/** Cuts a byte stream into lines, each with its "\n"; a lone "\r" does not end a line. */
export class LineSplitter {
  readonly #emit: (line: string) => void;
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(emit: (line: string) => void) {
    this.#emit = emit;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const line = chunk.subarray(start, end + 1);
      this.#emit((this.#rest.length === 0 ? line : Buffer.concat([...this.#rest, line])).toString("utf8"));
      this.#rest = [];
      this.#restBytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) {
      this.#rest.push(chunk.subarray(start));
      this.#restBytes += chunk.length - start;
      if (this.#restBytes >= MAX_EVENT_BYTES) this.end();
    }
  }

  /** Gives out what has come without a newline. */
  end(): void {
    if (this.#rest.length === 0) return;
    this.#emit(Buffer.concat(this.#rest).toString("utf8"));
    this.#rest = [];
    this.#restBytes = 0;
  }
}

const FRAME_TYPE = 0xa55a0003;
const FRAME_HEAD_BYTES = 16;
/** A frame that claims more than this is not one of the bootstrap's. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024;

/**
 * Reads log events that keep their inner newlines, as the bootstraps frame them on file descriptor 3:
 * type (4 bytes), length (4), microseconds since the epoch (8), text.
 */
export class FrameReader {
  readonly #emit: (message: string) => void;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Nothing can be read out before there are so many bytes. */
  #needed = FRAME_HEAD_BYTES;

  constructor(emit: (message: string) => void) {
    this.#emit = emit;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#needed) return;
    let bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    this.#needed = FRAME_HEAD_BYTES;
    while (bytes.length >= FRAME_HEAD_BYTES) {
      const length = bytes.readUInt32BE(4);
      if (bytes.readUInt32BE(0) !== FRAME_TYPE || length > MAX_FRAME_BYTES) {
        // User code wrote to the descriptor by itself: show it as it is.
        this.#emit(bytes.toString("utf8"));
        bytes = Buffer.alloc(0);
        break;
      }
      if (bytes.length < FRAME_HEAD_BYTES + length) {
        this.#needed = FRAME_HEAD_BYTES + length;
        break;
      }
      this.#emit(bytes.toString("utf8", FRAME_HEAD_BYTES, FRAME_HEAD_BYTES + length));
      bytes = bytes.subarray(FRAME_HEAD_BYTES + length);
    }
    this.#chunks = bytes.length === 0 ? [] : [bytes];
    this.#bytes = bytes.length;
  }
}
