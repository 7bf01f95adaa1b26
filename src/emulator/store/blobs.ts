import { randomBytes } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  type ReadStream,
  readdirSync,
  rmSync,
  type WriteStream,
} from "node:fs";
import { unlink } from "node:fs/promises";
import { join } from "node:path";

/**
 * Bodies as files. A name is random and never derived from a key, so no key can become a path.
 * A file that no table refers to is an orphan, removed at start by `removeOrphans`.
 */
export class BlobStore {
  readonly #folder: string;

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

  /** The bytes are in the operating system's hands, and so survive `kill -9`, once the stream has finished. */
  write(name: string): WriteStream {
    mkdirSync(join(this.#folder, name.slice(0, 2)), { recursive: true });
    return createWriteStream(this.path(name), { flags: "wx", highWaterMark: 1 << 20 });
  }

  /** Bytes start..end, both inclusive. */
  read(name: string, start?: number, end?: number): ReadStream {
    return createReadStream(this.path(name), { start, end, highWaterMark: 1 << 20 });
  }

  /** Removing what is gone is success. */
  async remove(name: string): Promise<void> {
    await unlink(this.path(name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }

  /** Deletes every file that `isReferenced` does not know; returns how many. Only before requests are answered. */
  removeOrphans(isReferenced: (name: string) => boolean): number {
    let removed = 0;
    for (const shard of readdirSync(this.#folder)) {
      for (const file of readdirSync(join(this.#folder, shard))) {
        if (isReferenced(`${shard}/${file}`)) continue;
        rmSync(join(this.#folder, shard, file), { force: true });
        removed++;
      }
    }
    return removed;
  }
}
