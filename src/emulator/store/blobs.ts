import { randomBytes } from "node:crypto";
import { mkdirSync, openSync, readdirSync, rmSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { LostFolder } from "./folderErrors.ts";

/**
 * Bodies as files. A name is random and never derived from a key, so no key can become a path.
 * A file that no table refers to is an orphan, removed at start by `removeOrphans`.
 */
export class BlobStore {
  readonly #folder: string;
  readonly #shards = new Set<string>();
  readonly #holders = new Map<string, number>();
  readonly #doomed = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  newName(): string {
    const name = randomBytes(16).toString("hex");
    return `${name.slice(0, 2)}/${name}`;
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  /**
   * A descriptor of a new, empty file. What was written to it is in the operating system's hands, and so survives `kill -9`.
   * Throws LostFolder.
   */
  create(name: string): number {
    const shard = name.slice(0, 2);
    try {
      if (!this.#shards.has(shard)) this.#makeShard(shard);
      return openSync(this.path(name), "wx");
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === "ENOENT" ? new LostFolder() : error;
    }
  }

  #makeShard(shard: string): void {
    try {
      mkdirSync(join(this.#folder, shard));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    this.#shards.add(shard);
  }

  /** Keeps a file readable, whatever is removed meanwhile, until the function that it returns is called. */
  hold(names: readonly string[]): () => void {
    for (const name of names) this.#holders.set(name, (this.#holders.get(name) ?? 0) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      for (const name of names) {
        const left = (this.#holders.get(name) ?? 1) - 1;
        if (left > 0) this.#holders.set(name, left);
        else {
          this.#holders.delete(name);
          if (this.#doomed.delete(name)) void this.remove(name);
        }
      }
    };
  }

  /** Undoes a removal that is still waiting for its last reader. */
  revive(name: string): void {
    this.#doomed.delete(name);
  }

  /** At once, or when the last reader lets go. Removing what is gone is success. */
  async remove(name: string): Promise<void> {
    if (this.#holders.has(name)) {
      this.#doomed.add(name);
      return;
    }
    // Nothing refers to the file any more; should it stay, the next start finds it an orphan.
    await unlink(this.path(name)).catch(() => undefined);
  }

  /** Deletes every file that `isReferenced` does not know; returns how many. Only before requests are answered. */
  removeOrphans(isReferenced: (name: string) => boolean): number {
    let removed = 0;
    for (const shard of readdirSync(this.#folder, { withFileTypes: true })) {
      // What others leave in folders, such as .DS_Store, is not ours.
      if (!shard.isDirectory()) continue;
      for (const file of readdirSync(join(this.#folder, shard.name), { withFileTypes: true })) {
        if (!file.isFile() || isReferenced(`${shard.name}/${file.name}`)) continue;
        rmSync(join(this.#folder, shard.name, file.name), { force: true });
        removed++;
      }
    }
    return removed;
  }
}
