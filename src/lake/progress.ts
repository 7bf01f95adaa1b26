export type ResourceKind =
  | "bucket"
  | "role"
  | "queue"
  | "log group"
  | "function"
  | "permission"
  | "invoke settings"
  | "notification"
  /** What a stage that is no more has written into a bucket that stays, by prefix. */
  | "objects"
  /** `definition.json` in the control bucket: what `up` last brought the lake to. */
  | "definition";

/**
 * created, updated, unchanged   what `up` did, and what `plan` would do
 * removed, absent               what `down` did: absent was already gone
 * kept                          what was left: asked to (`--keep-data`), not ours, or data that nothing was said about
 */
export type Change = "created" | "updated" | "unchanged" | "removed" | "absent" | "kept";

export interface ResourceReport {
  kind: ResourceKind;
  name: string;
  change: Change;
  /** What was different, such as ["versioning", "tags"]; [] unless updated. */
  aspects: string[];
  /** Why it was kept, or what it takes the place of. */
  reason?: string;
  /** Aspects that this endpoint does not have. */
  skipped?: string[];
}

/** What long work tells while it goes on; who calls decides whether and how to print it. */
export type Progress =
  | ({ step: "resource" } & ResourceReport)
  /** A bounded wait that has taken more than a moment. */
  | { step: "waiting"; resource: string; reason: string }
  | { step: "emptying"; resource: string; removed: number }
  | { step: "backend"; resource: string; message: string };

export type OnProgress = (event: Progress) => void;
