import type { Clients } from "../../backends/clients.ts";
import { MinilakeError } from "../../errors.ts";
import type { LakeDefinition } from "../definition.ts";
import type { Change, OnProgress, ResourceKind, ResourceReport } from "../progress.ts";

/** What every resource works with. */
export interface ResourceContext {
  clients: Clients;
  definition: LakeDefinition;
  /** plan: observes and compares, and makes no mutating call. One mechanism for both, so that they cannot disagree. */
  mode: "apply" | "plan";
  onProgress?: OnProgress | undefined;
  signal?: AbortSignal | undefined;
}

/** One mutable side of a resource, compared in canonical form; `write` brings it to what is wanted. */
export interface Aspect {
  name: string;
  same: boolean;
  write: () => Promise<unknown>;
}

/** Writes the aspects that differ, in order; returns their names, in a plan too. */
export async function syncAspects(context: ResourceContext, aspects: Aspect[]): Promise<string[]> {
  const different = aspects.filter((aspect) => !aspect.same);
  if (context.mode === "apply") for (const aspect of different) await aspect.write();
  return different.map((aspect) => aspect.name);
}

/** A resource that was there before: updated when some aspect was different. */
export function synced(kind: ResourceKind, name: string, aspects: string[]): ResourceReport {
  return { kind, name, change: aspects.length > 0 ? "updated" : "unchanged", aspects };
}

export function reported(kind: ResourceKind, name: string, change: Change): ResourceReport {
  return { kind, name, change, aspects: [] };
}

export const NOT_OURS = "it was not made by minilake for this lake";

export function keptBecauseNotOurs(kind: ResourceKind, name: string): ResourceReport {
  return { kind, name, change: "kept", aspects: [], reason: NOT_OURS };
}

/** Data that a run was not asked to remove. contents: "12 objects" */
export function keptBecauseFull(kind: ResourceKind, name: string, contents: string): ResourceReport {
  return {
    kind,
    name,
    change: "kept",
    aspects: [],
    reason: `it holds ${contents}; to remove it: minilake up --prune`,
  };
}

export type Tags = Record<string, string>;

/** Ours is what carries the lake's own tag; nothing else is ever changed or removed. */
export function isOurs(definition: LakeDefinition, tags: Tags | undefined): boolean {
  return tags?.["minilake:lake"] === definition.name;
}

/** Throws MinilakeError NotOurs. */
export function assertOurs(definition: LakeDefinition, kind: ResourceKind, name: string, tags: Tags): void {
  if (isOurs(definition, tags)) return;
  const owner = tags["minilake:lake"];
  throw new MinilakeError(
    "NotOurs",
    owner === undefined
      ? `The ${kind} ${name} exists already and was not made by minilake.`
      : `The ${kind} ${name} exists already and belongs to the lake "${owner}".`,
    {
      hint: `Rename or remove that ${kind}, or give the lake another name: "lake: <name>" in minilake.yaml, or --lake <name>.`,
    },
  );
}

/** Our tags are all there; further ones, put by others, are left alone. */
export function hasTags(observed: Tags, wanted: Tags): boolean {
  return Object.entries(wanted).every(([name, value]) => observed[name] === value);
}

export function tagList(tags: Tags): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

export function fromTagList(list: { Key?: string | undefined; Value?: string | undefined }[] | undefined): Tags {
  return Object.fromEntries((list ?? []).map(({ Key = "", Value = "" }) => [Key, Value]));
}

/**
 * A value's canonical text: members by name, lists of scalars by value, a list of one as the one.
 * AWS gives back policies and event lists in an order and form of its own.
 */
export function canonical(value: unknown): string {
  return JSON.stringify(normalise(value));
}

function normalise(value: unknown): unknown {
  if (Array.isArray(value)) {
    if (value.length === 1) return normalise(value[0]);
    return value.map(normalise).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, normalise(member)]),
  );
}
