import { formatBytes, formatCount, formatDuration, plural } from "../ui/format.ts";
import type { VerifyProgress } from "../verify/report.ts";

/** What verify is doing, on one line. */
export function describeProgress(progress: VerifyProgress): string {
  const { phase, objectsDone, objectsTotal, bytesDone, bytesTotal, objectsListed, elapsedMs, waiting } = progress;
  switch (phase) {
    case "list":
      return `Listing raw objects: ${formatCount(objectsTotal)}`;
    case "compare":
      return (
        `Comparing rows: ${formatCount(objectsDone)} of ${plural(objectsTotal, "raw object")}, ` +
        `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}${pace(progress)}`
      );
    case "wait":
      return `Waiting for work under way: ${plural(waiting, "raw object")} without a receipt, for ${formatDuration(elapsedMs)}`;
    case "again":
      return "Looking again: a function may have been at work";
    case "orphans":
      return `Looking for objects that no raw object explains: ${formatCount(objectsListed)} listed`;
    case "explain":
      return "Looking closer at what does not hold";
    case "duplicates":
      return "Looking for keys that stand in several files";
  }
}

/** Of smaller objects their number is what takes time. */
const SMALL_BYTES = 64 * 1024;

/** Rate and remaining time, once there is something to judge by. Small objects take time by their number, large ones by their bytes. */
function pace({ objectsDone, objectsTotal, bytesDone, bytesTotal, elapsedMs }: VerifyProgress): string {
  const done = Math.min(objectsTotal === 0 ? 1 : objectsDone / objectsTotal, 1);
  const doneBytes = bytesTotal === 0 ? 1 : bytesDone / bytesTotal;
  // Both have to reach the end; a large object that is under way counts by its bytes.
  const share = objectsTotal < 100 ? doneBytes : (done + doneBytes) / 2;
  if (objectsTotal === 0 || elapsedMs < 2_000 || share < 0.005) return "";
  const rate =
    bytesTotal / objectsTotal < SMALL_BYTES
      ? `${formatCount(Math.round((objectsDone / elapsedMs) * 1_000))} objects/s`
      : `${formatBytes((bytesDone / elapsedMs) * 1_000)}/s`;
  if (share >= 1) return `, ${rate}`;
  const leftSeconds = Math.ceil(((elapsedMs / share) * (1 - share)) / 1_000);
  return `, ${rate}, about ${leftSeconds < 60 ? `${leftSeconds} s` : formatDuration(leftSeconds * 1_000)} left`;
}
