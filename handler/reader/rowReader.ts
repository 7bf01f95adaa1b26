/**
 * Finds the rows of CSV text, byte by byte, without ever holding more than one row that is not complete.
 *
 * Outside of quotes each of \n, \r\n and \r ends a row. A quote opens a quoted field only as the first byte of a field;
 * anywhere else in an unquoted field it is a character. After the closing quote only a delimiter or the end of the row
 * may follow. A row whose quotes are broken costs its first physical line: reading resumes on the line after it, and
 * until the place where the break was noticed a row with quotes inside unquoted fields is broken too, because it may
 * be the tail of a quoted field.
 *
 * The encoding must be a superset of ASCII: UTF-8 or a single-byte one.
 */
export interface RowShape {
  /** Byte values. */
  delimiter: number;
  quote: number;
  /** Inside quotes a backslash takes the meaning from a quote or a backslash; quotes are then not doubled. */
  backslash: boolean;
  /** Fields that a row must have; 0: whatever it has, every row goes to `other`. */
  columns: number;
  /** Rows with bytes of 0x80 and more go to `other`: the text has to be transcoded, or looked at. */
  watchHighBytes: boolean;
}

/** What is special about a row that goes to `other`; several may apply. */
export const QUOTED = 1;
/** A quote character inside an unquoted field. */
export const STRAY_QUOTE = 2;
export const NUL = 4;
export const HIGH_BYTE = 8;
/** An unquoted field holds a comma or a double quote, which the output's own dialect has to quote. */
export const NEEDS_QUOTES = 16;
/** Not the expected number of fields. */
export const RAGGED = 32;
/** Text after a closing quote, or the tail of a row that was broken. */
export const BROKEN_QUOTE = 64;
/** A quote that nothing closes within MAX_ROW_BYTES. */
export const UNCLOSED_QUOTE = 128;

/** A row must fit in here, line ending included; a longer line is passed on in pieces. */
export const MAX_ROW_BYTES = 1024 * 1024;

/** A row of which so much is there cannot fit, whatever its line ending turns out to be. */
const CERTAINLY_TOO_LONG = MAX_ROW_BYTES + 4;

/** Positions are indexes into the window: a row's text is [start, end), its line ending [end, next). */
export interface RowSink {
  /** The expected number of fields and nothing special: field i ends at ends[i], and the next one starts behind that. */
  plain(window: Buffer, start: number, end: number, next: number, ends: Int32Array): void;
  /** `lines` is the number of physical lines that it takes. `reader.fields` has its fields, unless it is broken. */
  other(window: Buffer, start: number, end: number, next: number, flags: number, lines: number): void;
  blank(start: number, next: number, window: Buffer): void;
  /** Bytes of a line longer than MAX_ROW_BYTES; the last piece has `last` and the length of the line ending. */
  longLine(window: Buffer, start: number, end: number, next: number, last: boolean): void;
}

/** Bounds of the fields of one row; a quoted field without its quotes. */
export class FieldBounds {
  count = 0;
  starts = new Int32Array(256);
  ends = new Int32Array(256);
  kinds = new Uint8Array(256);

  add(start: number, end: number, kind: number): void {
    if (this.count === this.starts.length) {
      this.starts = grown(this.starts, new Int32Array(this.count * 2));
      this.ends = grown(this.ends, new Int32Array(this.count * 2));
      this.kinds = grown(this.kinds, new Uint8Array(this.count * 2));
    }
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.kinds[this.count++] = kind;
  }
}

/** Kinds of field in FieldBounds. */
export const FIELD_PLAIN = 0;
export const FIELD_QUOTED = 1;
/** Quoted, and it holds escapes to undo. */
export const FIELD_ESCAPED = 2;

function grown<T extends Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

const LF = 10;
const CR = 13;
const BACKSLASH = 92;
const COMMA = 44;
const DOUBLE_QUOTE = 34;

const CLASS_DELIMITER = 1;
const CLASS_LF = 2;
const CLASS_CR = 3;
const CLASS_QUOTE = 4;
const CLASS_NUL = 5;
const CLASS_HIGH = 6;
const CLASS_NEEDS_QUOTES = 7;

/** Row incomplete: more bytes are needed to tell where it ends. */
const INCOMPLETE = -1;
/** The first line of the row is longer than MAX_ROW_BYTES. */
const LONG = -2;

export class RowReader {
  /** Fields of the row that `other` was last called for. */
  readonly fields = new FieldBounds();
  readonly #shape: RowShape;
  readonly #sink: RowSink;
  readonly #classes = new Uint8Array(256);
  /** As #classes, with high bytes watched. */
  readonly #watching = new Uint8Array(256);
  /**
   * One more than the highest special byte, in each of four bytes, when it is low enough for text to be mostly above it:
   * with commas or tabs, and no bytes of 0x80 and more to watch. 0 otherwise.
   */
  readonly #ceiling: number;
  /** Where the fields of the row at hand end, those of the expected number. */
  readonly #ends: Int32Array;
  #viewed: Buffer | undefined;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #inLongLine = false;
  /** Bytes read before the current window, and the place up to which a broken row was scanned. */
  #base = 0;
  #suspectUntil = 0;

  constructor(shape: RowShape, sink: RowSink) {
    this.#shape = shape;
    this.#sink = sink;
    this.#ends = new Int32Array(Math.max(1, shape.columns));
    const classes = this.#classes;
    // In this order: a delimiter that is a comma is a delimiter.
    classes[COMMA] = CLASS_NEEDS_QUOTES;
    classes[DOUBLE_QUOTE] = CLASS_NEEDS_QUOTES;
    classes[0] = CLASS_NUL;
    classes[LF] = CLASS_LF;
    classes[CR] = CLASS_CR;
    classes[shape.delimiter] = CLASS_DELIMITER;
    classes[shape.quote] = CLASS_QUOTE;
    this.#watching.set(classes);
    this.#watching.fill(CLASS_HIGH, 128);
    if (shape.watchHighBytes) classes.fill(CLASS_HIGH, 128);
    const highest = classes.findLastIndex((kind) => kind !== 0);
    this.#ceiling = highest <= COMMA ? (highest + 1) * 0x01010101 : 0;
  }

  /**
   * Passes on the complete rows of window[start, end) and returns where the first incomplete one starts; with `final`
   * everything is passed on. `watch` makes rows with high bytes go to `other` in this call. The caller must offer an
   * incomplete row again, together with what follows it, in a window that has room for MAX_ROW_BYTES.
   */
  read(window: Buffer, start: number, end: number, final: boolean, watch = false): number {
    const sink = this.#sink;
    const classes = watch ? this.#watching : this.#classes;
    const { delimiter, columns } = this.#shape;
    const last = columns - 1;
    const ends = this.#ends;
    let row = start;
    if (this.#inLongLine) {
      row = this.#longLine(window, start, end, final);
      if (this.#inLongLine) return this.#consumed(start, row);
    }
    let i = row;
    let field = 0;
    let flags = 0;
    let next = 0;
    const ceiling = this.#ceiling;
    const fourAtOnce = !watch && ceiling !== 0 && end - start >= 64;
    const wordsEnd = fourAtOnce ? end - 4 : -1;
    if (fourAtOnce && this.#viewed !== window) {
      this.#viewed = window;
      this.#view = new DataView(window.buffer, window.byteOffset, window.byteLength);
    }
    const view = this.#view;
    while (i < end) {
      // Four bytes at once, none of which is below the ceiling; then straight to the first that is.
      while (i <= wordsEnd) {
        const word = view.getInt32(i, true);
        const below = (word - ceiling) & ~word & 0x80808080;
        if (below !== 0) {
          i += (31 - Math.clz32(below & -below)) >> 3;
          break;
        }
        i += 4;
      }
      if (i === end) break;
      const kind = classes[window[i]!]!;
      if (kind === 0) {
        i++;
        continue;
      }
      if (kind === CLASS_DELIMITER) {
        if (field < last) ends[field] = i;
        field++;
        i++;
        continue;
      }
      if (kind === CLASS_LF) {
        next = i + 1;
      } else if (kind === CLASS_CR) {
        if (i + 1 < end) next = window[i + 1] === LF ? i + 2 : i + 1;
        else if (final) next = i + 1;
        else break;
      } else if (kind === CLASS_QUOTE) {
        if (i !== row && window[i - 1] !== delimiter) {
          flags |= STRAY_QUOTE;
          i++;
          continue;
        }
        next = this.#quotedRow(window, row, end, final, start, watch);
        if (next === INCOMPLETE) return this.#consumed(start, row);
        if (next === LONG) {
          next = this.#longLine(window, row, end, final);
          if (this.#inLongLine) return this.#consumed(start, next);
        }
        row = i = next;
        field = flags = 0;
        continue;
      } else {
        flags |= kind === CLASS_NUL ? NUL : kind === CLASS_HIGH ? HIGH_BYTE : NEEDS_QUOTES;
        i++;
        continue;
      }
      if (next - row > MAX_ROW_BYTES) {
        next = this.#longLine(window, row, end, final);
      } else if (i === row) {
        sink.blank(row, next, window);
      } else if (flags === 0 && field === last) {
        ends[last] = i;
        sink.plain(window, row, i, next, ends);
      } else {
        this.#special(window, row, i, next, flags, start);
      }
      row = i = next;
      field = flags = 0;
    }
    if (row < end) {
      if (final ? end - row > MAX_ROW_BYTES : end - row >= CERTAINLY_TOO_LONG) {
        row = this.#longLine(window, row, end, final);
      } else if (final) {
        if (flags === 0 && field === last) {
          ends[last] = end;
          sink.plain(window, row, end, end, ends);
        } else {
          this.#special(window, row, end, end, flags, start);
        }
        row = end;
      }
    }
    return this.#consumed(start, row);
  }

  /** The sink threw at a complete row, so many bytes after where `read` had begun; that row is to be offered again. */
  stoppedAfter(bytes: number): void {
    this.#base += bytes;
  }

  #consumed(start: number, row: number): number {
    this.#base += row - start;
    return row;
  }

  /** A row without quoted fields that is not plain. */
  #special(window: Buffer, row: number, end: number, next: number, flags: number, windowStart: number): void {
    let special = flags;
    if (flags & STRAY_QUOTE && this.#base + (row - windowStart) < this.#suspectUntil) special |= BROKEN_QUOTE;
    const { delimiter, columns } = this.#shape;
    const fields = this.fields;
    fields.count = 0;
    let start = row;
    for (let i = row; i < end; i++) {
      if (window[i] === delimiter) {
        fields.add(start, i, FIELD_PLAIN);
        start = i + 1;
      }
    }
    fields.add(start, end, FIELD_PLAIN);
    if (columns !== 0 && fields.count !== columns) special |= RAGGED;
    this.#sink.other(window, row, end, next, special, 1);
  }

  /** Passes on the row at `row`, which has a quoted field, and returns where the next one starts. */
  #quotedRow(window: Buffer, row: number, end: number, final: boolean, windowStart: number, watch: boolean): number {
    const { delimiter, quote, backslash, columns } = this.#shape;
    const fields = this.fields;
    const classes = watch ? this.#watching : this.#classes;
    fields.count = 0;
    let flags = QUOTED;
    let lines = 1;
    let i = row;
    for (;;) {
      if (i < end && window[i] === quote) {
        const start = i + 1;
        let kind = FIELD_QUOTED;
        let j = start;
        for (;;) {
          if (j >= end) return this.#unfinished(window, row, end, final, windowStart);
          const byte = window[j]!;
          if (byte === quote) {
            if (j + 1 >= end && !final) return this.#unfinished(window, row, end, final, windowStart);
            if (!backslash && j + 1 < end && window[j + 1] === quote) {
              kind = FIELD_ESCAPED;
              j += 2;
              continue;
            }
            break;
          }
          if (byte === LF) lines++;
          else if (byte === CR) {
            if (j + 1 < end && window[j + 1] !== LF) lines++;
          } else if (byte === BACKSLASH && backslash) {
            if (j + 1 >= end) {
              j++;
              continue;
            }
            if (window[j + 1] === quote || window[j + 1] === BACKSLASH) {
              kind = FIELD_ESCAPED;
              j++;
            }
          } else {
            const special = classes[byte]!;
            if (special === CLASS_NUL) flags |= NUL;
            else if (special === CLASS_HIGH) flags |= HIGH_BYTE;
          }
          j++;
        }
        fields.add(start, j, kind);
        i = j + 1;
        if (i < end) {
          const byte = window[i]!;
          if (byte !== delimiter && byte !== LF && byte !== CR) {
            return this.#broken(window, row, end, final, BROKEN_QUOTE, i, windowStart);
          }
        }
      } else {
        const start = i;
        while (i < end) {
          const byte = window[i]!;
          const special = classes[byte]!;
          if (special !== 0) {
            if (special === CLASS_DELIMITER || special === CLASS_LF || special === CLASS_CR) break;
            if (special === CLASS_NUL) flags |= NUL;
            else if (special === CLASS_HIGH) flags |= HIGH_BYTE;
            else if (special === CLASS_QUOTE) flags |= STRAY_QUOTE;
          }
          i++;
        }
        fields.add(start, i, FIELD_PLAIN);
      }
      if (i < end && window[i] === delimiter) {
        i++;
        continue;
      }
      let next = end;
      if (i < end) {
        if (window[i] === LF) next = i + 1;
        else if (i + 1 < end) next = window[i + 1] === LF ? i + 2 : i + 1;
        else if (!final) return this.#unfinished(window, row, end, final, windowStart);
      } else if (!final) {
        return this.#unfinished(window, row, end, final, windowStart);
      }
      if (next - row > MAX_ROW_BYTES) return this.#broken(window, row, end, final, UNCLOSED_QUOTE, end, windowStart);
      if (flags & STRAY_QUOTE && this.#base + (row - windowStart) < this.#suspectUntil) flags |= BROKEN_QUOTE;
      if (columns !== 0 && fields.count !== columns) flags |= RAGGED;
      this.#sink.other(window, row, i, next, flags, lines);
      return next;
    }
  }

  #unfinished(window: Buffer, row: number, end: number, final: boolean, windowStart: number): number {
    if (!final && end - row < CERTAINLY_TOO_LONG) return INCOMPLETE;
    return this.#broken(window, row, end, final, UNCLOSED_QUOTE, end, windowStart);
  }

  /** Gives up the first physical line of the row; `seen` is how far it was scanned. */
  #broken(
    window: Buffer,
    row: number,
    end: number,
    final: boolean,
    flag: number,
    seen: number,
    windowStart: number,
  ): number {
    let i = row;
    while (i < end && window[i] !== LF && window[i] !== CR) i++;
    let next = i + 1;
    if (i === end) {
      if (!final) return end - row < CERTAINLY_TOO_LONG ? INCOMPLETE : LONG;
      next = end;
    } else if (window[i] === CR) {
      if (i + 1 < end) next = window[i + 1] === LF ? i + 2 : i + 1;
      else if (!final) return INCOMPLETE;
    }
    const limit = row + MAX_ROW_BYTES;
    if (next > limit) return LONG;
    // What was seen beyond a row's limit depends on the window, and must not count.
    this.#suspectUntil = Math.max(this.#suspectUntil, this.#base + (Math.min(seen, limit) - windowStart));
    this.fields.count = 0;
    this.#sink.other(window, row, i, next, seen > limit ? UNCLOSED_QUOTE : flag, 1);
    return next;
  }

  /** Passes on what there is of a line that is too long, and returns where it ended, or how far it went. */
  #longLine(window: Buffer, start: number, end: number, final: boolean): number {
    this.#inLongLine = true;
    let i = start;
    while (i < end && window[i] !== LF && window[i] !== CR) i++;
    if (i === end) {
      this.#sink.longLine(window, start, end, end, final);
      if (final) this.#inLongLine = false;
      return end;
    }
    let next = i + 1;
    if (window[i] === CR) {
      if (i + 1 < end) next = window[i + 1] === LF ? i + 2 : i + 1;
      else if (!final) {
        if (i > start) this.#sink.longLine(window, start, i, i, false);
        return i;
      }
    }
    this.#sink.longLine(window, start, i, next, true);
    this.#inLongLine = false;
    return next;
  }
}
