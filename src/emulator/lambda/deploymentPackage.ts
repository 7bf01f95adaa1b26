import { createWriteStream, lstatSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32 } from "node:zlib";
import { type Entry, fromBuffer, type ZipFile } from "yauzl";
import { AwsError } from "../awsError.ts";
import { invalidParameter } from "./constraints.ts";

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const MAX_ZIPPED_BYTES = 52_428_800;
export const MAX_UNZIPPED_BYTES = 262_144_000;
/** Not AWS's: a package of millions of empty files would fill a disk's inodes within the size limits. */
const MAX_ENTRIES = 100_000;
/** Larger files are streamed. */
const IN_MEMORY_BYTES = 1 << 20;

const FILE_TYPE_MASK = 0o170000;
const SYMLINK_TYPE = 0o120000;

const unreadable = (cause?: unknown) =>
  new AwsError(
    "InvalidParameterValueException",
    "Could not unzip uploaded file. Please check your file, then try to upload again.",
    400,
    { cause },
  );
export const emptyZip = () => invalidParameter("Uploaded file must be a non-empty zip");
const tooLarge = () => invalidParameter(`Unzipped size must be smaller than ${MAX_UNZIPPED_BYTES} bytes`);

/**
 * Unpacks a deployment package into `folder`, which must exist and be empty.
 *
 * Refused: what is not a zip, or an empty one, names that leave the folder, two entries for one name, links that lead outside or nowhere,
 * more than 250 MB by what the entries declare or by what they really hold, wrong checksums, encrypted entries.
 * Throws InvalidParameterValueException; the folder may then hold a part of the files.
 */
export async function unpackDeploymentPackage(zip: Buffer, folder: string): Promise<void> {
  const archive = await openArchive(zip);
  const entries = await listEntries(archive);
  if (entries.length === 0) throw emptyZip();
  const root = realpathSync.native(folder);
  const links: { path: string; target: string }[] = [];
  let unzippedBytes = 0;
  const count = (bytes: number) => {
    unzippedBytes += bytes;
    if (unzippedBytes > MAX_UNZIPPED_BYTES) throw tooLarge();
  };
  for (const entry of entries) {
    const path = join(root, entry.fileName);
    try {
      if (entry.fileName.endsWith("/")) {
        mkdirSync(path, { recursive: true });
        continue;
      }
      mkdirSync(dirname(path), { recursive: true });
      const mode = entry.externalFileAttributes >>> 16;
      if ((mode & FILE_TYPE_MASK) === SYMLINK_TYPE) {
        const target = await readEntry(archive, entry, count);
        links.push({ path, target: target.toString("utf8") });
      } else {
        await writeEntry(archive, entry, path, modeForAll(mode & 0o777 || 0o644), count);
      }
    } catch (error) {
      if (error instanceof AwsError) throw error;
      if (isDiskFailure(error)) throw error;
      throw unreadable(error);
    }
  }
  // Last, so that no file was written through a link.
  for (const link of links) makeLink(root, link.path, link.target);
  for (const link of links) requireInside(root, link.path);
}

/**
 * Lambda runs a function as a user who does not own its files: what a package allows all others is what the function may do with a file.
 * https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html
 */
const modeForAll = (mode: number) => (mode & 0o7) * 0o111;

function openArchive(zip: Buffer): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    fromBuffer(zip, { lazyEntries: true, validateEntrySizes: true, strictFileNames: true }, (error, archive) => {
      if (error || !archive) reject(unreadable(error));
      else resolve(archive);
    });
  });
}

function listEntries(archive: ZipFile): Promise<Entry[]> {
  return new Promise((resolve, reject) => {
    const entries: Entry[] = [];
    const names = new Set<string>();
    let declaredBytes = 0;
    const refuse = (error: AwsError) => {
      archive.removeAllListeners();
      archive.on("error", () => undefined);
      reject(error);
    };
    archive.on("entry", (entry: Entry) => {
      declaredBytes += entry.uncompressedSize;
      if (declaredBytes > MAX_UNZIPPED_BYTES || entries.length >= MAX_ENTRIES) return refuse(tooLarge());
      const name = posix.normalize(entry.fileName);
      const isFolder = entry.fileName.endsWith("/");
      if (!isFolder && names.has(name)) return refuse(unreadable(`two entries named ${name}`));
      if ((entry.generalPurposeBitFlag & 1) === 1) return refuse(unreadable(`${name} is encrypted`));
      if (entry.fileName.includes("\0")) return refuse(unreadable("a name holds a NUL"));
      names.add(name);
      entries.push(entry);
      archive.readEntry();
    });
    archive.on("error", (error: Error) => refuse(unreadable(error)));
    archive.on("end", () => resolve(entries));
    archive.readEntry();
  });
}

function openEntry(archive: ZipFile, entry: Entry): Promise<NodeJS.ReadableStream> {
  return new Promise((resolve, reject) => {
    archive.openReadStream(entry, (error, stream) => {
      if (error || !stream) reject(error);
      else resolve(stream);
    });
  });
}

/** Counts what really comes out, and checks it against the entry's CRC-32. */
async function* checked(stream: NodeJS.ReadableStream, entry: Entry, count: (bytes: number) => void) {
  let sum = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    count(chunk.length);
    sum = crc32(chunk, sum);
    yield chunk;
  }
  if (sum !== entry.crc32) throw unreadable(`${entry.fileName} does not match its checksum`);
}

async function readEntry(archive: ZipFile, entry: Entry, count: (bytes: number) => void): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of checked(await openEntry(archive, entry), entry, count)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function writeEntry(
  archive: ZipFile,
  entry: Entry,
  path: string,
  mode: number,
  count: (bytes: number) => void,
): Promise<void> {
  if (entry.uncompressedSize <= IN_MEMORY_BYTES) {
    writeFileSync(path, await readEntry(archive, entry, count), { mode, flag: "wx" });
    return;
  }
  const stream = await openEntry(archive, entry);
  let sum = 0;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        count(chunk.length);
        sum = crc32(chunk, sum);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
  await pipeline(stream, check, createWriteStream(path, { mode, flags: "wx" }));
  if (sum !== entry.crc32) throw unreadable(`${entry.fileName} does not match its checksum`);
}

function makeLink(root: string, path: string, target: string): void {
  const lands = join(dirname(path), target);
  if (target.startsWith("/") || target.includes("\0") || !isInside(root, lands)) {
    throw unreadable(`the link ${relative(root, path)} leads outside of the package`);
  }
  try {
    symlinkSync(target, path);
  } catch (error) {
    throw unreadable(error);
  }
}

/** A chain of links can lead outside although each one looks harmless by itself. */
function requireInside(root: string, path: string): void {
  let real: string;
  try {
    // The system's own: Node's takes a link's ".." by its text, and not from where the link before it has led.
    real = realpathSync.native(path);
  } catch (error) {
    throw unreadable(error);
  }
  if (!isInside(root, real) || !lstatSync(path).isSymbolicLink()) {
    throw unreadable(`the link ${relative(root, path)} leads outside of the package`);
  }
}

const isInside = (root: string, path: string) => path === root || path.startsWith(root + sep);

const isDiskFailure = (error: unknown) =>
  ["ENOSPC", "EIO", "EMFILE", "EROFS", "EDQUOT"].includes((error as NodeJS.ErrnoException)?.code ?? "");
