import type { Authorize, Caller } from "../access.ts";
import type { EmulatorSettings } from "../settings.ts";
import { tagConditions } from "../tagConditions.ts";
import { streamArn } from "./context.ts";
import type { LogEvent, LogGroup, LogStore, LogStream, OnAppend } from "./store.ts";

/** A permission taken away is noticed after this long: as quick as IAM's own changes on AWS. */
const PERMISSION_CACHE_MS = 5_000;
const MAX_CACHED = 10_000;

/** Writes functions' output with the permissions of their roles. */
export class FunctionLogs {
  readonly #store: LogStore;
  readonly #settings: EmulatorSettings;
  readonly #authorize: Authorize;
  readonly #onAppend: OnAppend;
  /** By role session, group and stream: until when writing is known to be allowed (or not). */
  readonly #permissions = new Map<string, { allowed: boolean; until: number; deletions: number }>();

  constructor(store: LogStore, settings: EmulatorSettings, authorize: Authorize, onAppend: OnAppend) {
    this.#store = store;
    this.#settings = settings;
    this.#authorize = authorize;
    this.#onAppend = onAppend;
  }

  append(caller: Caller, groupName: string, streamName: string, events: LogEvent[]): void {
    if (events.length === 0) return;
    const now = this.#settings.now();
    this.#store.transaction(() => {
      if (!this.#isAllowed(caller, groupName, streamName, now)) return;
      const group = this.#store.findGroup(groupName) ?? this.#createGroup(groupName, now);
      const stream: LogStream =
        this.#store.findStream(group, streamName) ?? this.#store.createStream(group, streamName, now);
      this.#store.append(group, stream, events, now);
      this.#onAppend(group, stream, events, now);
    });
  }

  /** Group and stream are made when they are missing and the role may make them; without them there is nothing to write to. */
  #isAllowed(caller: Caller, groupName: string, streamName: string, now: number): boolean {
    const key = `${caller.arn}\n${groupName}\n${streamName}`;
    const known = this.#permissions.get(key);
    if (known && known.until > now && known.deletions === this.#store.deletions) return known.allowed;
    const group = this.#store.findGroup(groupName);
    const conditions = tagConditions({ resource: group?.tags });
    const may = (action: string, stream: string) =>
      this.#authorize(caller, { action, resource: streamArn(this.#settings, groupName, stream), conditions }).allowed;
    const allowed =
      (group !== undefined || may("logs:CreateLogGroup", "")) &&
      ((group !== undefined && this.#store.findStream(group, streamName) !== undefined) ||
        may("logs:CreateLogStream", streamName)) &&
      may("logs:PutLogEvents", streamName);
    if (this.#permissions.size >= MAX_CACHED) this.#permissions.clear();
    this.#permissions.set(key, { allowed, until: now + PERMISSION_CACHE_MS, deletions: this.#store.deletions });
    return allowed;
  }

  #createGroup(name: string, now: number): LogGroup {
    return this.#store.createGroup({ name, createdAt: now, class: "STANDARD", tags: {} });
  }
}
