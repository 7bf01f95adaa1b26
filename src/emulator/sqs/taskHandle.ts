import { resourceNotFound } from "./errors.ts";
import type { MoveTask } from "./moveTasks.ts";

/** Base64 of task and source, as AWS makes them. */
export const createTaskHandle = (task: MoveTask) =>
  Buffer.from(JSON.stringify({ taskId: task.id, sourceArn: task.sourceArn })).toString("base64");

/** Throws ResourceNotFoundException for what is no handle. */
export function parseTaskHandle(handle: string): { taskId: string; sourceArn: string } {
  try {
    const parsed = JSON.parse(Buffer.from(handle, "base64").toString("utf8")) as Record<string, unknown>;
    if (typeof parsed.taskId === "string" && typeof parsed.sourceArn === "string") {
      return { taskId: parsed.taskId, sourceArn: parsed.sourceArn };
    }
  } catch {
    // Not ours: answered below.
  }
  throw resourceNotFound("Task does not exist.");
}
