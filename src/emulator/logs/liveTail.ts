import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import type { Matcher } from "./matching.ts";
import type { LogEvent } from "./store.ts";

/** What one session shows; group and stream names as the client sees them. */
export interface TailFilter {
  groupIds: Map<number, string>;
  isWantedStream: (name: string) => boolean;
  matches: Matcher;
}

interface TailedEvent {
  logGroupIdentifier: string;
  logStreamName: string;
  message: string;
  timestamp: number;
  ingestionTime: number;
}

interface Session {
  filter: TailFilter;
  pending: TailedEvent[];
  sampled: boolean;
}

const UPDATE_INTERVAL_MS = 1_000;
const MAX_EVENTS_PER_UPDATE = 500;
const SESSION_MS = 3 * 3_600_000;

/** Live tail sessions: each gets what is appended, once a second, as an event stream. */
export class LiveTails {
  readonly #sessions = new Set<Session>();
  readonly #streams = new Set<Readable>();

  /** Costs nothing without sessions. */
  offer(groupId: number, stream: string, events: LogEvent[], ingestionTime: number): void {
    for (const session of this.#sessions) {
      const logGroupIdentifier = session.filter.groupIds.get(groupId);
      if (logGroupIdentifier === undefined || !session.filter.isWantedStream(stream)) continue;
      for (const { timestamp, message } of events) {
        if (!session.filter.matches(message)) continue;
        if (session.pending.length === MAX_EVENTS_PER_UPDATE) {
          session.sampled = true;
          break;
        }
        session.pending.push({ logGroupIdentifier, logStreamName: stream, message, timestamp, ingestionTime });
      }
    }
  }

  /** The body of a live tail answer: `start` first, then an update per second until the client goes, or three hours are over. */
  open(filter: TailFilter, start: object): Readable {
    const session: Session = { filter, pending: [], sampled: false };
    const stream = new Readable({
      read() {},
      destroy(error, done) {
        close();
        done(error);
      },
    });
    const update = () => {
      const { pending, sampled } = session;
      session.pending = [];
      session.sampled = false;
      // A client that does not read gets no more until it does.
      if (stream.readableLength > 1_048_576) return;
      stream.push(eventMessage("sessionUpdate", { sessionMetadata: { sampled }, sessionResults: pending }));
    };
    const updates = setInterval(update, UPDATE_INTERVAL_MS);
    const end = setTimeout(() => {
      stream.push(exceptionMessage("SessionTimeoutException", { message: "The Live Tail session has timed out." }));
      stream.push(null);
      close();
    }, SESSION_MS);
    const close = () => {
      clearInterval(updates);
      clearTimeout(end);
      this.#sessions.delete(session);
      this.#streams.delete(stream);
    };
    this.#sessions.add(session);
    this.#streams.add(stream);
    stream.push(eventMessage("initial-response", {}));
    stream.push(eventMessage("sessionStart", start));
    return stream;
  }

  stop(): void {
    for (const stream of this.#streams) stream.destroy();
  }
}

const eventMessage = (type: string, payload: object) =>
  encodeMessage({ ":message-type": "event", ":event-type": type, ":content-type": "application/json" }, payload);

const exceptionMessage = (type: string, payload: object) =>
  encodeMessage(
    { ":message-type": "exception", ":exception-type": type, ":content-type": "application/json" },
    payload,
  );

const STRING_HEADER = 7;

/**
 * One message of `application/vnd.amazon.eventstream`: total length, length of the headers, CRC-32 of these 8 bytes; headers (name
 * length, name, type 7, value length, value); payload; CRC-32 of all before. Numbers are 4 bytes, big-endian, but for the lengths
 * within headers (1 and 2 bytes).
 * https://smithy.io/2.0/aws/amazon-eventstream.html
 */
export function encodeMessage(headers: Record<string, string>, payload: object): Buffer {
  const headerBytes = Buffer.concat(
    Object.entries(headers).map(([name, value]) => {
      const bytes = Buffer.from(value);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(bytes.length);
      return Buffer.concat([Buffer.of(name.length), Buffer.from(name), Buffer.of(STRING_HEADER), length, bytes]);
    }),
  );
  const body = Buffer.from(JSON.stringify(payload));
  const message = Buffer.alloc(12 + headerBytes.length + body.length + 4);
  message.writeUInt32BE(message.length, 0);
  message.writeUInt32BE(headerBytes.length, 4);
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8);
  headerBytes.copy(message, 12);
  body.copy(message, 12 + headerBytes.length);
  message.writeUInt32BE(crc32(message.subarray(0, message.length - 4)), message.length - 4);
  return message;
}
