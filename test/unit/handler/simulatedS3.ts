import { createHash } from "node:crypto";
import {
  type ObjectBody,
  type ObjectIdentity,
  type ObjectStore,
  PreconditionFailed,
  type PutBody,
  type WriteCondition,
} from "../../../handler/s3/objectStore.ts";

interface StoredVersion {
  versionId: string | null;
  etag: string;
  /** undefined: a delete marker. */
  bytes: Buffer | undefined;
}

/** Buckets in memory with S3's versions and conditions. */
export class SimulatedS3 implements ObjectStore {
  readonly objects = new Map<string, StoredVersion[]>();
  readonly versioned = new Set<string>();
  readonly #texts = new Set<string>();
  chunkBytes = 64 * 1024;
  /** Told of every change to an object. */
  onChange: (bucket: string, key: string, kind: "created" | "removed") => void = () => {};
  #versions = 0;

  /**
   * A view for one run. `step` is awaited before each operation takes effect; it may wait, throw, or ask for the operation
   * to be sent twice, as a client does that lost the first answer.
   */
  through(step: (operation: string, bucket: string, key: string) => Promise<"once" | "twice">): ObjectStore {
    const on = async <T>(name: string, bucket: string, key: string, work: () => T): Promise<T> => {
      if ((await step(name, bucket, key)) === "twice") work();
      return work();
    };
    return {
      get: (b, k) => on("get", b, k, () => this.getNow(b, k)),
      head: (b, k) => on("head", b, k, () => this.headNow(b, k)),
      put: (b, k, body, condition) => on("put", b, k, () => this.putNow(b, k, bytesOf(body), condition)),
      delete: (b, k) => on("delete", b, k, () => this.deleteNow(b, k)),
    };
  }

  /** Every text that an object of the bucket has ever had. */
  written(bucket: string): string[] {
    return [...this.#texts]
      .filter((text) => text.startsWith(`${bucket}:`))
      .map((text) => text.slice(bucket.length + 1));
  }

  get = async (bucket: string, key: string) => this.getNow(bucket, key);
  head = async (bucket: string, key: string) => this.headNow(bucket, key);
  put = async (bucket: string, key: string, body: PutBody, condition?: WriteCondition) =>
    this.putNow(bucket, key, bytesOf(body), condition);
  delete = async (bucket: string, key: string) => this.deleteNow(bucket, key);

  current(bucket: string, key: string): StoredVersion | undefined {
    const last = this.objects.get(`${bucket}/${key}`)?.at(-1);
    return last?.bytes === undefined ? undefined : last;
  }

  /** Keys of the live objects of a bucket, in order. */
  keys(bucket: string): string[] {
    const keys: string[] = [];
    for (const [path, versions] of this.objects) {
      if (path.startsWith(`${bucket}/`) && versions.at(-1)?.bytes !== undefined)
        keys.push(path.slice(bucket.length + 1));
    }
    return keys.sort();
  }

  text(bucket: string, key: string): string {
    const version = this.current(bucket, key);
    if (version === undefined) throw new Error(`no ${bucket}/${key}; there are ${this.keys(bucket).join(", ")}`);
    return version.bytes!.toString("utf8");
  }

  getNow(bucket: string, key: string): ObjectBody | undefined {
    const version = this.current(bucket, key);
    if (version === undefined) return undefined;
    const { etag, versionId, bytes } = version;
    const { chunkBytes } = this;
    return {
      etag,
      versionId,
      size: bytes!.length,
      body: (async function* () {
        for (let i = 0; i < bytes!.length; i += chunkBytes) yield bytes!.subarray(i, i + chunkBytes);
      })(),
      cancel: () => undefined,
    };
  }

  headNow(bucket: string, key: string): ObjectIdentity | undefined {
    const version = this.current(bucket, key);
    return version && { etag: version.etag, versionId: version.versionId, size: version.bytes!.length };
  }

  putNow(
    bucket: string,
    key: string,
    bytes: Buffer,
    condition?: WriteCondition,
  ): { etag: string; versionId: string | null } {
    const current = this.current(bucket, key);
    if (condition !== undefined) {
      const holds = "ifAbsent" in condition ? current === undefined : current?.etag === condition.ifMatch;
      if (!holds) throw new PreconditionFailed(`${bucket}/${key}`);
    }
    const etag = createHash("md5").update(bytes).digest("hex");
    const versionId = this.versioned.has(bucket) ? `v${++this.#versions}` : null;
    this.#store(bucket, key, { versionId, etag, bytes });
    this.#texts.add(`${bucket}:${bytes.toString("utf8")}`);
    this.onChange(bucket, key, "created");
    return { etag, versionId };
  }

  deleteNow(bucket: string, key: string): void {
    if (this.versioned.has(bucket)) {
      this.#store(bucket, key, { versionId: `v${++this.#versions}`, etag: "", bytes: undefined });
    } else {
      this.objects.delete(`${bucket}/${key}`);
    }
    this.onChange(bucket, key, "removed");
  }

  #store(bucket: string, key: string, version: StoredVersion): void {
    const path = `${bucket}/${key}`;
    if (this.versioned.has(bucket)) this.objects.set(path, [...(this.objects.get(path) ?? []), version]);
    else this.objects.set(path, [version]);
  }
}

function bytesOf(body: PutBody): Buffer {
  const bytes = copied(body);
  if (bytes.length !== body.length) throw new Error(`the body has ${bytes.length} bytes and announced ${body.length}`);
  return bytes;
}

/** Pieces are copied as they come: a large one is overwritten by the next. */
function copied(body: PutBody): Buffer {
  const pieces: Buffer[] = [];
  for (const piece of body.pieces()) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}
