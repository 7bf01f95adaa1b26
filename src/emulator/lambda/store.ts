import { randomUUID } from "node:crypto";
import type { Key, Store, Table } from "../store/store.ts";
import type { FunctionRecord, VersionRecord } from "./records.ts";

/**
 * Functions with their versions, aliases and policies. Every record is kept in memory as well, because this process
 * is the only one that writes them; a change is visible after its transaction, never before.
 */
export class FunctionStore {
  readonly #store: Store;
  readonly #table: Table<FunctionRecord>;
  readonly #records = new Map<string, FunctionRecord>();

  constructor(store: Store) {
    this.#store = store;
    this.#table = store.table<FunctionRecord>("lambda.functions");
    for (const { value } of this.#table.range()) this.#records.set(value.name, value);
  }

  find(name: string): Readonly<FunctionRecord> | undefined {
    return this.#records.get(name);
  }

  /** All functions in the order of their names. */
  all(): Readonly<FunctionRecord>[] {
    return [...this.#records.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  create(record: FunctionRecord): void {
    this.#write(record);
  }

  /** `change` gets a copy; what it leaves behind is stored. A throw in it changes nothing. */
  update<T>(name: string, change: (draft: FunctionRecord) => T): T {
    const current = this.#records.get(name);
    if (!current) throw new Error(`function ${name} is not in the store`);
    const draft = structuredClone(current) as FunctionRecord;
    const result = change(draft);
    this.#write(draft);
    return result;
  }

  remove(name: string): void {
    this.#store.transaction(() => this.#table.remove(name as Key), { mayUseReserve: true });
    this.#records.delete(name);
  }

  /** True when a version still has this code. */
  usesCode(codeHash: string): boolean {
    for (const record of this.#records.values()) {
      if (Object.values(record.versions).some((version) => version.codeHash === codeHash)) return true;
    }
    return false;
  }

  #write(record: FunctionRecord): void {
    this.#store.transaction(() => this.#table.put(record.name as Key, record));
    this.#records.set(record.name, record);
  }
}

/** "$LATEST" first, then by number. */
export function versionsInOrder(record: Readonly<FunctionRecord>): VersionRecord[] {
  return Object.values(record.versions).sort((a, b) => numberOf(a) - numberOf(b));
}

const numberOf = (version: VersionRecord) => (version.version === "$LATEST" ? 0 : Number(version.version));

export const newRevision = (): string => randomUUID();
