/**
 * The part of CBOR that the protocol rpc-v2-cbor uses: integers, doubles, texts, bytes, lists, maps with text keys, booleans,
 * null, and points in time (tag 1, seconds since the epoch).
 * https://www.rfc-editor.org/rfc/rfc8949
 */

/** No AWS shape nests deeper; a longer chain of lists is an attack on the stack. */
const MAX_DEPTH = 32;
/** A body of one MiB, the most that any operation takes, holds fewer; sixteen MiB of empty maps would be a gigabyte of memory. */
const MAX_ITEMS = 1_048_576;

const INDEFINITE = 31;
const BREAK = 0xff;

/** Not what this decoder takes; the message says why and where. */
export class CborError extends Error {}

/**
 * The one value that `bytes` hold. Maps become objects, tag 1 a Date, bytes a Buffer, "undefined" null. Integers beyond 2^53 lose
 * digits, as they do in JSON.
 *
 * Throws   CborError for what is cut off, followed by more, nested deeper than 32, of more than a million items, has a key twice,
 *          or is of a kind that rpc-v2-cbor does not use
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = reader.item(0);
  reader.end();
  return value;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  #items = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  end(): void {
    if (this.#at < this.#bytes.length) throw this.#error("something follows the value");
  }

  item(depth: number): unknown {
    if (depth > MAX_DEPTH) throw this.#error("it is nested too deeply");
    if (++this.#items > MAX_ITEMS) throw this.#error("it holds too many values");
    const first = this.#take(1)[0]!;
    const major = first >> 5;
    const info = first & 31;
    switch (major) {
      case 0:
        return this.#argument(info);
      case 1:
        return -1 - this.#argument(info);
      case 2:
        return this.#string(major, info);
      case 3:
        return this.#text(info);
      case 4:
        return [...this.#times(info, () => this.item(depth + 1))];
      case 5:
        return this.#map(info, depth);
      case 6:
        return this.#time(info, depth);
      default:
        return this.#simple(info);
    }
  }

  #argument(info: number): number {
    if (info < 24) return info;
    if (info === 24) return this.#take(1).readUInt8();
    if (info === 25) return this.#take(2).readUInt16BE();
    if (info === 26) return this.#take(4).readUInt32BE();
    if (info === 27) return Number(this.#take(8).readBigUInt64BE());
    throw this.#error("a length is not one that CBOR knows");
  }

  /** What `read` gives, as often as the length says, or up to the break. */
  *#times<T>(info: number, read: () => T): Generator<T> {
    if (info === INDEFINITE) {
      while (this.#bytes[this.#at] !== BREAK) yield read();
      this.#at++;
    } else for (let left = this.#argument(info); left > 0; left--) yield read();
  }

  #string(major: number, info: number): Buffer {
    if (info !== INDEFINITE) return this.#take(this.#argument(info));
    const chunk = () => {
      const first = this.#take(1)[0]!;
      if (first >> 5 !== major || ++this.#items > MAX_ITEMS) throw this.#error("a part of a text is not one");
      return this.#take(this.#argument(first & 31));
    };
    return Buffer.concat([...this.#times(info, chunk)]);
  }

  #text(info: number): string {
    try {
      return UTF8.decode(this.#string(3, info));
    } catch (error) {
      throw error instanceof CborError ? error : this.#error("a text is not UTF-8");
    }
  }

  #map(info: number, depth: number): object {
    const entries = new Map<string, unknown>();
    const read = () => {
      const key = this.item(depth + 1);
      if (typeof key !== "string") throw this.#error("a key is not a text");
      if (entries.has(key)) throw this.#error("a key is there twice");
      entries.set(key, this.item(depth + 1));
    };
    for (const _each of this.#times(info, read));
    return Object.fromEntries(entries);
  }

  #time(info: number, depth: number): Date {
    if (this.#argument(info) !== 1) throw this.#error("a tag is not that of a time");
    const seconds = this.item(depth + 1);
    const time = new Date(typeof seconds === "number" ? Math.round(seconds * 1000) : Number.NaN);
    if (Number.isNaN(time.getTime())) throw this.#error("a time is not a number of seconds");
    return time;
  }

  #simple(info: number): boolean | null | number {
    if (info === 20 || info === 21) return info === 21;
    if (info === 22 || info === 23) return null;
    if (info === 25) return halfPrecision(this.#take(2).readUInt16BE());
    if (info === 26) return this.#take(4).readFloatBE();
    if (info === 27) return this.#take(8).readDoubleBE();
    throw this.#error("a value is of no kind that is used here");
  }

  #take(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw this.#error("it ends too early");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #error = (why: string) => new CborError(`${why}, at byte ${this.#at}`);
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Sign, five bits of exponent, ten of fraction. */
function halfPrecision(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 0x3ff) / 0x400;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}

/**
 * Texts, numbers, booleans, Dates, lists, Maps and objects. Numbers go out as doubles, save for the members that `isInteger` names:
 * some clients read nothing else than what the service's model says. `undefined` members are left out.
 */
export function encodeCbor(value: unknown, isInteger: (member: string) => boolean = () => false): Buffer {
  const parts: Buffer[] = [];
  write(value, false);
  return Buffer.concat(parts);

  function write(item: unknown, asInteger: boolean): void {
    if (typeof item === "string") {
      const bytes = Buffer.from(item, "utf8");
      parts.push(head(3, bytes.length), bytes);
    } else if (typeof item === "number") parts.push(asInteger ? integer(item) : double(item));
    else if (typeof item === "boolean") parts.push(Buffer.of(item ? 0xf5 : 0xf4));
    else if (item instanceof Date) {
      const seconds = item.getTime() / 1000;
      parts.push(head(6, 1), Number.isInteger(seconds) ? integer(seconds) : double(seconds));
    } else if (Array.isArray(item)) {
      parts.push(head(4, item.length));
      for (const each of item) write(each, asInteger);
    } else {
      const entries = item instanceof Map ? [...item] : Object.entries(item as object);
      const present = entries.filter(([, inner]) => inner !== undefined);
      parts.push(head(5, present.length));
      for (const [key, inner] of present) {
        write(key, false);
        write(inner, isInteger(key));
      }
    }
  }
}

const integer = (number: number) => (number < 0 ? head(1, -1 - number) : head(0, number));

function double(number: number): Buffer {
  const bytes = Buffer.alloc(9, 0xfb);
  bytes.writeDoubleBE(number, 1);
  return bytes;
}

/** The first byte of an item, and its length or value where that does not fit in. */
function head(major: number, argument: number): Buffer {
  const type = major << 5;
  if (argument < 24) return Buffer.of(type | argument);
  if (argument < 0x100) return Buffer.of(type | 24, argument);
  const bytes = Buffer.alloc(argument < 0x100000000 ? 5 : 9, type | 26);
  if (bytes.length === 5) bytes.writeUInt32BE(argument, 1);
  else {
    bytes[0] = type | 27;
    bytes.writeBigUInt64BE(BigInt(argument), 1);
  }
  return bytes;
}
