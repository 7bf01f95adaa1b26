import archiver from "archiver";

/** Zip knows no time before this; every entry gets it, so that the same content is the same bytes. */
const ZIP_EPOCH = new Date("1980-01-01T00:00:00Z");
const FILE_MODE = 0o644;

export interface ZipEntry {
  name: string;
  content: Buffer;
}

/**
 * Order as given.
 *
 * level  of zlib
 */
export async function zipEntries(entries: ZipEntry[], level = 9): Promise<Buffer> {
  const archive = archiver("zip", { zlib: { level } });
  const chunks: Buffer[] = [];
  const done = new Promise<Buffer>((resolve, reject) => {
    archive.on("data", (chunk: Buffer) => chunks.push(chunk));
    archive.on("end", () => resolve(Buffer.concat(chunks)));
    archive.on("error", reject);
    archive.on("warning", reject);
  });
  for (const { name, content } of entries) archive.append(content, { name, date: ZIP_EPOCH, mode: FILE_MODE });
  await archive.finalize();
  return done;
}

/** Signatures and layout: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.12 and 4.3.16. */
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_ENTRY_BYTES = 46;
const END = 0x06054b50;
const END_BYTES = 22;

/** True for a zip that is whole: its directory ends where the end record stands. */
export function isWholeZip(zip: Buffer): boolean {
  if (zip.length < END_BYTES || zip.readUInt32LE(zip.length - END_BYTES) !== END) return false;
  const { start, length } = directoryOf(zip);
  return start + length === zip.length - END_BYTES;
}

/**
 * The entries of two zips of `zipEntries` in one, without compressing anything again. Up to 4 GiB and 65,535 entries.
 */
export function joinZips(first: Buffer, second: Buffer): Buffer {
  const a = directoryOf(first);
  const b = directoryOf(second);
  const directory = Buffer.concat([
    first.subarray(a.start, a.start + a.length),
    second.subarray(b.start, b.start + b.length),
  ]);
  for (let at = a.length; at < directory.length; ) {
    if (directory.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error("the zip's directory is damaged");
    directory.writeUInt32LE(directory.readUInt32LE(at + 42) + a.start, at + 42);
    const name = directory.readUInt16LE(at + 28);
    const extra = directory.readUInt16LE(at + 30);
    const comment = directory.readUInt16LE(at + 32);
    at += DIRECTORY_ENTRY_BYTES + name + extra + comment;
  }
  const end = Buffer.from(first.subarray(first.length - END_BYTES));
  end.writeUInt16LE(a.entries + b.entries, 8);
  end.writeUInt16LE(a.entries + b.entries, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(a.start + b.start, 16);
  return Buffer.concat([first.subarray(0, a.start), second.subarray(0, b.start), directory, end]);
}

function directoryOf(zip: Buffer): { start: number; length: number; entries: number } {
  const end = zip.length - END_BYTES;
  return { entries: zip.readUInt16LE(end + 10), length: zip.readUInt32LE(end + 12), start: zip.readUInt32LE(end + 16) };
}
