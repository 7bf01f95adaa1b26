export type ResourceKind =
  | "bucket"
  | "role"
  | "queue"
  | "log group"
  | "function"
  | "permission"
  | "invoke settings"
  | "notification";

/**
 * created, updated, unchanged   what `up` did, and what `plan` would do
 * removed, absent               what `down` did: absent was already gone
 * kept                          what `down` left: asked to (`--keep-data`), or not ours
 */
export type Change = "created" | "updated" | "unchanged" | "removed" | "absent" | "kept";

export interface ResourceReport {
  kind: ResourceKind;
  name: string;
  change: Change;
  /** What was different, such as ["versioning", "tags"]; [] unless updated. */
  aspects: string[];
  /** Why it was kept. */
  reason?: string;
}

/** What long work tells while it goes on; who calls decides whether and how to print it. */
export type Progress =
  | ({ step: "resource" } & ResourceReport)
  /** A bounded wait that has taken more than a moment. */
  | { step: "waiting"; resource: string; reason: string }
  | { step: "emptying"; resource: string; removed: number }
  | { step: "backend"; resource: string; message: string };

export type OnProgress = (event: Progress) => void;
