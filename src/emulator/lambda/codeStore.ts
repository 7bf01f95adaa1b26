import { createHash, randomBytes } from "node:crypto";
import { chmodSync, createReadStream, existsSync, mkdirSync, type ReadStream, readdirSync, statSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unpackDeploymentPackage } from "./deploymentPackage.ts";

/**
 * Deployment packages by the SHA-256 of their zip: `<hash>.zip` as uploaded, and `<hash>/` unpacked once for all environments.
 * A file appears under its final name only when it is whole, so a crash leaves nothing half done.
 */
export class CodeStore {
  readonly #folder: string;
  readonly #adding = new Map<string, Promise<void>>();
  /** How many uses each hash has that no stored version shows: uploads in progress, running environments. */
  readonly #uses = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /**
   * Checks, unpacks and keeps a package. It counts as used until `release` is called with its hash. What fails leaves nothing.
   * Throws AwsError InvalidParameterValueException as `unpackDeploymentPackage` does.
   */
  async add(zip: Buffer): Promise<{ hash: string; size: number }> {
    const hash = hashOf(zip);
    this.retain(hash);
    try {
      await this.#once(hash, async () => {
        const folder = join(this.#folder, hash);
        const isNew = !existsSync(folder);
        await this.#unpack(hash, zip);
        await this.#keepZip(hash, zip).catch(async (error) => {
          if (isNew) await removeFolder(folder);
          throw error;
        });
      });
    } catch (error) {
      this.release(hash);
      throw error;
    }
    return { hash, size: zip.length };
  }

  /** Only checks, for DryRun. */
  async check(zip: Buffer): Promise<{ hash: string; size: number }> {
    this.retain("check");
    const scratch = await this.#scratchFolder("check");
    try {
      await unpackDeploymentPackage(zip, scratch);
    } finally {
      this.release("check");
      await removeFolder(scratch);
    }
    return { hash: hashOf(zip), size: zip.length };
  }

  /** The unpacked folder, made again from the zip if it is gone. Throws an Error that names a zip which is missing or damaged. */
  async unpacked(hash: string): Promise<string> {
    const folder = join(this.#folder, hash);
    if (!existsSync(folder)) await this.#once(hash, async () => this.#unpack(hash, await this.#readZip(hash)));
    return folder;
  }

  async #readZip(hash: string): Promise<Buffer> {
    const path = this.#zipPath(hash);
    const zip = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      return undefined;
    });
    if (zip && hashOf(zip) === hash) return zip;
    const fault = zip ? "is not as it was uploaded" : "is missing";
    throw new Error(`its code ${path} ${fault}. Put the file back from a copy, or update the function's code.`);
  }

  zip(hash: string): { size: number; stream: () => ReadStream } | undefined {
    const stats = statSync(this.#zipPath(hash), { throwIfNoEntry: false });
    return stats && { size: stats.size, stream: () => createReadStream(this.#zipPath(hash)) };
  }

  retain(hash: string): void {
    this.#uses.set(hash, (this.#uses.get(hash) ?? 0) + 1);
  }

  release(hash: string): void {
    const uses = (this.#uses.get(hash) ?? 1) - 1;
    if (uses > 0) this.#uses.set(hash, uses);
    else this.#uses.delete(hash);
  }

  /** Removes what neither a stored version nor a current use needs, scratch folders of an earlier process included. */
  async collect(isReferenced: (hash: string) => boolean): Promise<void> {
    for (const name of readdirSync(this.#folder)) {
      const hash = name.replace(/[-.].*$/, "");
      const isNeeded = () => isReferenced(hash) || this.#uses.has(hash);
      if (isNeeded()) continue;
      // The same package may come in again at this moment: it waits for the removal, or the removal sees its use.
      await this.#once(hash, async () => {
        if (isNeeded()) return;
        const path = join(this.#folder, name);
        if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) await removeFolder(path);
        else await rm(path, { force: true });
      });
    }
  }

  async #once(hash: string, work: () => Promise<void>): Promise<void> {
    const before = this.#adding.get(hash);
    const mine = (before ?? Promise.resolve()).catch(() => undefined).then(work);
    this.#adding.set(hash, mine);
    try {
      await mine;
    } finally {
      if (this.#adding.get(hash) === mine) this.#adding.delete(hash);
    }
  }

  async #unpack(hash: string, zip: Buffer): Promise<void> {
    const target = join(this.#folder, hash);
    if (existsSync(target)) return;
    const scratch = await this.#scratchFolder(hash);
    try {
      await unpackDeploymentPackage(zip, scratch);
      makeReadOnly(scratch);
      await chmod(scratch, 0o755);
      await rename(scratch, target);
      await chmod(target, 0o555);
    } catch (error) {
      await removeFolder(scratch);
      throw error;
    }
  }

  async #keepZip(hash: string, zip: Buffer): Promise<void> {
    if (existsSync(this.#zipPath(hash))) return;
    const partial = join(this.#folder, `${hash}-${randomBytes(4).toString("hex")}.partial`);
    try {
      await writeFile(partial, zip, { flag: "wx" });
      await rename(partial, this.#zipPath(hash));
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
  }

  async #scratchFolder(hash: string): Promise<string> {
    const folder = join(this.#folder, `${hash}-${randomBytes(4).toString("hex")}`);
    await mkdir(folder);
    return folder;
  }

  #zipPath(hash: string): string {
    return join(this.#folder, `${hash}.zip`);
  }
}

const hashOf = (zip: Buffer) => createHash("sha256").update(zip).digest("hex");

/** A function cannot change its own code on AWS. Permissions stop everybody but root. */
function makeReadOnly(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      makeReadOnly(path);
    } else if (entry.isFile()) {
      chmodSync(path, statSync(path).mode & 0o555);
    }
  }
  chmodSync(folder, 0o555);
}

/** Removes a folder with read-only folders in it. */
export async function removeFolder(folder: string): Promise<void> {
  await makeWritable(folder).catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
}

async function makeWritable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(folder, entry.name));
  }
}
