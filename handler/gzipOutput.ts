import { crc32, gzipSync } from "node:zlib";
import type { PutBody } from "./s3/objectStore.ts";

/** Byte 9 of the header names the operating system; 255 is unknown, so that all of them write the same bytes. */
const OS_BYTE = 9;
const OS_UNKNOWN = 255;
/** Text that one gzip member holds; a longer output is several members, which every reader takes as one text. */
const MEMBER_BYTES = 8 * 1024 * 1024;

/** The same bytes for the same text: no name, no time, no system. */
export function compress(plain: PutBody): PutBody {
  const members: Buffer[] = [];
  let pending: Uint8Array[] = [];
  let bytes = 0;
  const close = () => {
    const member = gzipSync(Buffer.concat(pending), { level: 6 });
    member[OS_BYTE] = OS_UNKNOWN;
    members.push(member);
    pending = [];
    bytes = 0;
  };
  for (const piece of plain.pieces()) {
    let from = 0;
    while (from < piece.length) {
      const length = Math.min(piece.length - from, MEMBER_BYTES - bytes);
      pending.push(Buffer.from(piece.subarray(from, from + length)));
      bytes += length;
      from += length;
      if (bytes === MEMBER_BYTES) close();
    }
  }
  if (bytes > 0 || members.length === 0) close();
  let crc = 0;
  let length = 0;
  for (const member of members) {
    crc = crc32(member, crc);
    length += member.length;
  }
  return { contentType: "application/gzip", length, crc32: crc, pieces: () => members };
}
