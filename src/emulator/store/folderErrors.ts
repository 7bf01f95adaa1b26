import { existsSync } from "node:fs";
import { join } from "node:path";
import { MinilakeError } from "../../errors.ts";

/** What a damaged record, or MDB_PAGE_NOTFOUND and its like, mean to the one whose endpoint it is. */
export function damagedStore(folder: string, cause: Error): MinilakeError {
  return damaged(folder, `is damaged: ${join(folder, "store", "data.mdb")}: ${cause.message}`, cause);
}

/** `damage` ends the sentence "The data folder … ". */
export function damaged(folder: string, damage: string, cause?: Error): MinilakeError {
  const bodies = join(folder, "blobs");
  const saved = existsSync(bodies)
    ? ` What can be saved: bodies of more than 64 KiB are files of their own in ${bodies}, without their names.`
    : "";
  return new MinilakeError("DataFolder", `The data folder ${folder} ${damage}. Nothing in it was changed.`, {
    hint: `Put the file back from a copy; or remove the folder to start with an empty endpoint, and ingest your files again.${saved}`,
    cause,
  });
}

/** The data folder was removed, moved away or replaced while it was in use: what is written now would be gone with this process. */
export class LostFolder extends Error {
  constructor() {
    super("the data folder is not there any more");
  }
}

export function lostFolder(folder: string, cause: LostFolder): MinilakeError {
  return new MinilakeError(
    "DataFolder",
    `The data folder ${folder} was removed, moved or replaced while the endpoint runs on it: nothing more can be stored.`,
    { hint: "Put it back, or stop the endpoint and start it again with an empty folder.", cause },
  );
}

export function notAFolder(path: string): MinilakeError {
  return new MinilakeError("DataFolder", `The data folder ${path} is a file, not a folder.`, {
    hint: "Name another one: --data-dir <folder>",
  });
}

/** `what` ends the sentence "The data folder … ". */
export function unusable(folder: string, what: string, cause?: unknown): MinilakeError {
  const reason = cause instanceof Error ? ` (${cause.message})` : "";
  return new MinilakeError("DataFolder", `The data folder ${folder} ${what}${reason}.`, {
    hint: "Check its permissions and the free space, or remove the folder to start with an empty endpoint.",
    cause,
  });
}
