import type { CompiledContract } from "../contract/compiledContract.ts";
import type { KeyListener } from "./contract/contractJudge.ts";
import { KeyLog } from "./keyLog.ts";
import { type DuplicateKeys, MAX_DUPLICATE_FILES } from "./report.ts";

/** Keys held in memory, for each set of columns; more go to a temporary folder, 26 bytes each. */
const KEYS_BYTES = 32 * 1024 * 1024;

/** The keys of one reading of one raw object. */
export interface NotedFile {
  /** Its number; `forget` takes it back. */
  file: number;
  note: KeyListener;
}

/**
 * Finds keys that stand in several raw objects, of the columns that a contract calls unique within a file. They are noted
 * while rows are compared; an object that is compared again is noted anew, and its older keys do not count any more.
 */
export class UniqueKeys {
  /** By the index of the gate. */
  readonly #sets: Map<number, { rule: DuplicateKeys["rule"]; columns: string[]; log: KeyLog }>;
  /** Raw key of each number; undefined for a reading that does not count. */
  readonly #files: (string | undefined)[] = [];
  /** Sources by number until it is known whether their keys count. */
  readonly #started = new Map<number, string>();

  private constructor(sets: [gate: number, set: { rule: DuplicateKeys["rule"]; columns: string[] }][]) {
    this.#sets = new Map(sets.map(([gate, set]) => [gate, { ...set, log: new KeyLog(KEYS_BYTES) }]));
  }

  /** Undefined for a contract that calls nothing unique. */
  static of(contract: CompiledContract | undefined): UniqueKeys | undefined {
    const sets = (contract?.gates ?? []).flatMap(
      ({ rule, columns }, gate): [number, { rule: DuplicateKeys["rule"]; columns: string[] }][] =>
        rule === "unique" || rule === "primary-key" ? [[gate, { rule, columns }]] : [],
    );
    return sets.length === 0 ? undefined : new UniqueKeys(sets);
  }

  begin(source: string): NotedFile {
    const file = this.#files.push(undefined) - 1;
    this.#started.set(file, source);
    return { file, note: (gate, key, line) => this.#sets.get(gate)?.log.add(key, { file, line }) };
  }

  /** The keys of this reading count. */
  keep(file: number): void {
    this.#files[file] = this.#started.get(file);
    this.#started.delete(file);
  }

  forget(file: number): void {
    this.#started.delete(file);
    this.#files[file] = undefined;
  }

  /** samples   keys shown for each set of columns */
  find(samples: number): DuplicateKeys[] {
    return [...this.#sets.values()].flatMap(({ rule, columns, log }) => {
      const found: DuplicateKeys = { rule, columns, keys: 0, rows: 0, files: [], filesOmitted: 0, samples: [] };
      const rowsOf = new Map<number, number>();
      for (const { rows, files, places } of log.repeated((file) => this.#files[file] !== undefined)) {
        if (files.size === 1) continue;
        found.keys += 1;
        found.rows += rows;
        for (const [file, ofFile] of files) rowsOf.set(file, (rowsOf.get(file) ?? 0) + ofFile);
        if (found.samples.length < samples) {
          found.samples.push({ places: places.map(({ file, line }) => ({ source: this.#files[file]!, line })) });
        }
      }
      const files = [...rowsOf]
        .map(([file, rows]) => ({ source: this.#files[file]!, rows }))
        .sort((left, right) => right.rows - left.rows || (left.source < right.source ? -1 : 1));
      found.files = files.slice(0, MAX_DUPLICATE_FILES);
      found.filesOmitted = files.length - found.files.length;
      return found.keys === 0 ? [] : [found];
    });
  }

  /** Takes temporary files away. */
  discard(): void {
    for (const { log } of this.#sets.values()) log.discard();
  }
}
