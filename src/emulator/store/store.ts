import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import * as lmdb from "lmdb";
import { MinilakeError } from "../../errors.ts";
import { BlobStore } from "./blobs.ts";
import { findDamage, isDamageError } from "./findDamage.ts";
import { damaged, damagedStore, notAFolder, unusable } from "./folderErrors.ts";
import { lockFolder } from "./folderLock.ts";
import { Headroom, type TransactionOptions } from "./headroom.ts";
import { CHECK_BYTES, DamagedRecord, isWholeValue, keyCheck, withChecks } from "./recordCheck.ts";

/** Scalars or tuples of them; tuples order element by element, strings in UTF-8 byte order. At most 1,978 bytes encoded. */
export type Key = string | number | (string | number)[];

export interface RangeOptions {
  /** Inclusive. */
  start?: Key;
  /** Exclusive. */
  end?: Key;
  limit?: number;
  reverse?: boolean;
}

/** An ordered map of one kind of record, kept in the data folder. Values are plain data (MessagePack), Buffers included. */
export interface Table<V> {
  get(key: Key): V | undefined;
  has(key: Key): boolean;
  /** Only inside `Store.transaction`. */
  put(key: Key, value: V): void;
  /** Only inside `Store.transaction`. True when there was something to remove. */
  remove(key: Key): boolean;
  /** Lazily, in key order, as of the moment when iteration starts. Do not change the table while iterating over it. */
  range(options?: RangeOptions): Iterable<{ key: Key; value: V }>;
  keys(options?: RangeOptions): Iterable<Key>;
  count(options?: RangeOptions): number;
}

/**
 * The one durable state of an embedded endpoint: tables in LMDB, large bodies in files beside it.
 *
 * What a transaction wrote is in the operating system's hands when `transaction` returns: it survives `kill -9`
 * of the process at any moment. It is not flushed to the disk each time, so the last moments before a power failure may be lost.
 */
export class Store {
  readonly blobs: BlobStore;
  readonly #root: lmdb.RootDatabase;
  readonly #unlock: () => void;
  readonly #headroom: Headroom;
  readonly #tables = new Map<string, Table<unknown>>();
  #inTransaction = false;
  #isStarting = true;

  private constructor(folder: string, root: lmdb.RootDatabase, unlock: () => void) {
    this.#root = root;
    this.#unlock = unlock;
    this.#headroom = new Headroom(join(folder, "store", "data.mdb"));
    this.blobs = new BlobStore(join(folder, "blobs"));
  }

  /**
   * Opens, or makes, the data folder and takes its lock.
   * Throws MinilakeError DataFolder when it is damaged, not writable, or in use by another process.
   */
  static open(path: string): Store {
    const folder = resolve(path);
    makeFolder(folder);
    const unlock = lockFolder(folder);
    try {
      const damage = findDamage(join(folder, "store", "data.mdb"));
      if (damage) throw damaged(folder, damage);
      return new Store(folder, openRoot(folder), unlock);
    } catch (cause) {
      unlock();
      if (cause instanceof MinilakeError) throw cause;
      if (isDamageError(cause)) throw damagedStore(folder, cause);
      throw unusable(folder, "cannot be opened: it is damaged or not writable", cause);
    }
  }

  table<V>(name: string): Table<V> {
    const known = this.#tables.get(name);
    if (known) return known as Table<V>;
    let checkOfKey = 0;
    const { encoder: codec } = this.#root as unknown as { encoder: Codec };
    const encoder: Codec = {
      encode: (value) => {
        const record = withChecks(codec.encode(value), checkOfKey);
        this.#headroom.spend(record.length);
        return record;
      },
      decode: (bytes, size = bytes.length) => {
        if (!isWholeValue(bytes, size)) throw new DamagedRecord(name);
        return codec.decode(bytes, size - CHECK_BYTES);
      },
    };
    const db = this.#root.openDB<V, Key>({ name, encoder } as lmdb.DatabaseOptions & { name: string });
    const writable = () => {
      if (!this.#inTransaction) throw new Error(`table ${name} was changed outside of a transaction`);
    };
    const table: Table<V> = {
      get: (key) => db.get(key),
      has: (key) => db.doesExist(key),
      put: (key, value) => {
        writable();
        checkOfKey = keyCheck(name, keyValueToBuffer(key));
        db.putSync(key, value);
      },
      remove: (key) => {
        writable();
        return db.removeSync(key);
      },
      range: (options = {}) =>
        toItsEnd(db, name, options, db.getRange(options) as Iterable<{ key: Key; value: V }>, ({ key }) => key),
      keys: (options = {}) => toItsEnd(db, name, options, db.getKeys(options), (key) => key),
      count: (options = {}) => db.getKeysCount(options),
    };
    this.#tables.set(name, table as Table<unknown>);
    return table;
  }

  /**
   * Runs `work` atomically over all tables; a throw undoes all of it. `work` is synchronous and may nest (one transaction then).
   * Throws what `isDiskFull` knows when the disk is full, and LostFolder when the data folder is not where it was; nothing is done then.
   */
  transaction<T>(work: () => T, options: TransactionOptions = {}): T {
    if (this.#inTransaction) return work();
    this.#headroom.make(this.#isStarting ? { mayUseReserve: true } : options);
    this.#inTransaction = true;
    try {
      return this.#root.transactionSync(work) as T;
    } finally {
      this.#inTransaction = false;
    }
  }

  /** Until then transactions may use what is kept back for a full disk: on one, too, an endpoint can start. */
  started(): void {
    this.#isStarting = false;
  }

  /** Flushes to disk, closes and gives the lock back. */
  async close(): Promise<void> {
    await this.#root.close();
    this.#headroom.close();
    this.#unlock();
  }
}

/** Makes the folder and those above it one by one: Node's own `recursive` never returns where a folder exists and takes no other. */
function makeFolder(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isFile()) throw notAFolder(folder);
  if (found) return;
  if (!existsSync(dirname(folder))) makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw unusable(folder, "cannot be made", cause);
  }
}

/**
 * `entries` of the range, and then the certainty that it has no more: LMDB ends a range early when it cannot go on.
 * Throws DamagedRecord.
 */
function* toItsEnd<T>(
  db: lmdb.Database<unknown, Key>,
  table: string,
  { start, end, limit, reverse }: RangeOptions,
  entries: Iterable<T>,
  keyOf: (entry: T) => Key,
): Generator<T, void> {
  let last: Key | undefined;
  let count = 0;
  for (const entry of entries) {
    last = keyOf(entry);
    count++;
    yield entry;
  }
  if (reverse || count === limit) return;
  // Seen from the other side.
  const before = end === undefined ? {} : { start: end, exclusiveStart: true };
  const [atEnd] = db.getKeys({ ...before, reverse: true, limit: 1 });
  const from = last ?? start;
  if (atEnd === undefined || from === undefined) {
    if (atEnd !== undefined) throw new DamagedRecord(table);
    return;
  }
  const isMissed = lmdb.compareKeys(atEnd, from) - (last === undefined ? -1 : 0) > 0;
  if (isMissed) throw new DamagedRecord(table);
}

/** How lmdb turns values into bytes; it does not declare them. */
interface Codec {
  encode(value: unknown): Buffer;
  decode(bytes: Buffer, size?: number): unknown;
}

/** A key as it lies in the database; lmdb has this function and does not declare it. */
const { keyValueToBuffer } = lmdb as unknown as { keyValueToBuffer(key: Key): Buffer };

function openRoot(folder: string): lmdb.RootDatabase {
  const options = {
    path: join(folder, "store"),
    maxDbs: 100,
    noSync: true,
    overlappingSync: false,
    compression: false,
    // Without the definitions of records, which each value would carry, it is read and written faster.
    useRecords: false,
  };
  return lmdb.open(options);
}
