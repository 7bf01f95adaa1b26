import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Caller } from "../../../../src/emulator/access.ts";
import { FunctionLogs } from "../../../../src/emulator/logs/functionLogs.ts";
import { type LogEvent, LogStore } from "../../../../src/emulator/logs/store.ts";
import type { EmulatorSettings } from "../../../../src/emulator/settings.ts";
import { Store } from "../../../../src/emulator/store/store.ts";

const caller: Caller = { kind: "session", accountId: "1", arn: "arn:aws:sts::1:assumed-role/r/f", userId: "AROA:f" };
const G = "/aws/lambda/f";
const S = "2026/01/01/[$LATEST]0";

let folder: string;
let database: Store;
let store: LogStore;
let now: number;
let asked: string[];
let denied: string[];
let logs: FunctionLogs;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "minilake-logs-"));
  database = Store.open(folder);
  store = new LogStore(database);
  now = 1_800_000_000_000;
  asked = [];
  denied = [];
  const settings = { region: "us-east-1", accountId: "000000000000", now: () => now } as EmulatorSettings;
  logs = new FunctionLogs(
    store,
    settings,
    (_caller, { action, resource }) => {
      asked.push(`${action} ${resource}`);
      return { allowed: !denied.includes(action), message: "" };
    },
    () => {},
  );
});
afterEach(async () => {
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

const append = (...events: LogEvent[]) => logs.append(caller, G, S, events);
const line = (message: string): LogEvent => ({ timestamp: now, message });
const messages = () => {
  const group = store.findGroup(G);
  return group ? [...store.readGroup(group, { timestamp: 0, number: 0 }, now + 1)].map(({ message }) => message) : [];
};

describe("FunctionLogs", () => {
  it("makes group and stream, and asks for each permission once", () => {
    append(line("START"), line("a"));
    append(line("END"));
    expect(messages()).toEqual(["START", "a", "END"]);
    const arn = `arn:aws:logs:us-east-1:000000000000:log-group:${G}`;
    expect(asked).toEqual([
      `logs:CreateLogGroup ${arn}:log-stream:`,
      `logs:CreateLogStream ${arn}:log-stream:${S}`,
      `logs:PutLogEvents ${arn}:log-stream:${S}`,
    ]);
  });

  it.each(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"])("logs nothing without %s", (action) => {
    denied = [action];
    append(line("x"));
    expect(store.findGroup(G)).toBeUndefined();
  });

  it("needs no permission to make what is there", () => {
    denied = ["logs:CreateLogGroup"];
    database.transaction(() => store.createGroup({ name: G, createdAt: now, class: "STANDARD", tags: {} }));
    append(line("x"));
    expect(messages()).toEqual(["x"]);
  });

  it("notices within seconds that a permission is gone", () => {
    append(line("1"));
    denied = ["logs:PutLogEvents"];
    append(line("2"));
    now += 5_001;
    append(line("3"));
    expect(messages()).toEqual(["1", "2"]);
  });

  it("makes a deleted group again", () => {
    append(line("1"));
    database.transaction(() => store.deleteGroup(store.findGroup(G)!));
    append(line("2"));
    expect(messages()).toEqual(["2"]);
  });
});

describe("LogStore", () => {
  it("reads a stream from both ends, strictly between two places", () => {
    append(...["a", "b", "c", "d"].map(line));
    const group = store.findGroup(G)!;
    const stream = store.findStream(group, S)!;
    const from = { timestamp: 0, number: -1 };
    const to = { timestamp: now + 1, number: 0 };
    const read = (after: { timestamp: number; number: number }, before: typeof after, reverse: boolean) =>
      [...store.readStream(group, stream, after, before, reverse)].map(({ message }) => message);
    expect(read(from, to, false)).toEqual(["a", "b", "c", "d"]);
    expect(read(from, to, true)).toEqual(["d", "c", "b", "a"]);
    const [a, , , d] = [...store.readStream(group, stream, from, to, false)];
    expect(read(a!, d!, false)).toEqual(["b", "c"]);
    expect(read(a!, d!, true)).toEqual(["c", "b"]);
  });

  it("removes expired events, and those of deleted groups and streams, in bounded steps", () => {
    for (let index = 0; index < 1_200; index++) append(line(`${index}`));
    logs.append(caller, G, "other", [line("kept?")]);
    const group = store.findGroup(G)!;
    database.transaction(() => store.deleteStream(group, store.findStream(group, S)!));
    expect(store.cleanUp(now)).toBe(true);
    expect(database.table("logs.events").count()).toBe(701);
    while (store.cleanUp(now));
    expect(messages()).toEqual(["kept?"]);
    database.transaction(() => store.updateGroup({ ...group, retentionInDays: 1 }));
    while (store.cleanUp(now + 86_400_000));
    expect(messages()).toEqual(["kept?"]);
    while (store.cleanUp(now + 86_400_001));
    expect(database.table("logs.events").count()).toBe(0);
    append(line("x"));
    database.transaction(() => store.deleteGroup(store.findGroup(G)!));
    while (store.cleanUp(now));
    for (const table of ["groups", "streams", "events", "streamEvents", "abandoned"]) {
      expect(database.table(`logs.${table}`).count(), table).toBe(0);
    }
  });
});
