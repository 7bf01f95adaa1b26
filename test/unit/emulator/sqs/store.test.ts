import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_ATTRIBUTES } from "../../../../src/emulator/sqs/attributes.ts";
import { type Queue, QueueStore } from "../../../../src/emulator/sqs/store.ts";
import { Store } from "../../../../src/emulator/store/store.ts";

let folder: string;
let store: Store;
let queues: QueueStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "minilake-sqs-"));
  store = Store.open(folder);
  queues = new QueueStore(store);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const NOW = 1_800_000_000_000;

const newQueue = (attributes: Record<string, string> = {}, name = "q"): Queue =>
  store.transaction(() =>
    queues.createQueue({
      name,
      arn: `arn:aws:sqs:us-east-1:000000000000:${name}`,
      attributes: { ...DEFAULT_ATTRIBUTES, ...attributes },
      tags: {},
      createdAt: NOW,
      modifiedAt: NOW,
    }),
  );

const send = (queue: Queue, body: string, at = NOW, delaySeconds = 0) =>
  store.transaction(() => queues.send(queue, { body, attributes: {}, senderId: "x", delaySeconds }, at));

const receive = (queue: Queue, at = NOW, count = 10, visibilitySeconds = 30) =>
  store
    .transaction(() => queues.receive(queue, count, visibilitySeconds, at))!
    .messages.map(({ message }) => message.body);

describe("QueueStore", () => {
  it("gives messages in the order of sending, and hidden ones again when their time has come", () => {
    const queue = newQueue();
    for (const body of ["a", "b", "c"]) send(queue, body);
    expect(receive(queue, NOW, 2)).toEqual(["a", "b"]);
    expect(receive(queue, NOW + 29_999)).toEqual(["c"]);
    expect(receive(queue, NOW + 30_000)).toEqual(["a", "b"]);
    expect(queues.nextVisibleAt(queue)).toBe(NOW + 59_999);
  });

  it("keeps delayed messages back and counts them", () => {
    const queue = newQueue();
    send(queue, "now");
    send(queue, "later", NOW, 10);
    expect(queues.counts(queue, NOW)).toEqual({ visible: 1, inFlight: 0, delayed: 1 });
    expect(receive(queue)).toEqual(["now"]);
    expect(queues.counts(queue, NOW)).toEqual({ visible: 0, inFlight: 1, delayed: 1 });
    expect(queues.counts(queue, NOW + 30_000)).toEqual({ visible: 2, inFlight: 0, delayed: 0 });
  });

  it("forgets messages when their retention ends, received or not", () => {
    const queue = newQueue({ MessageRetentionPeriod: "60" });
    send(queue, "old");
    send(queue, "young", NOW + 30_000);
    expect(receive(queue, NOW, 1, 1)).toEqual(["old"]);
    expect(receive(queue, NOW + 60_000)).toEqual(["young"]);
    send(queue, "never received", NOW + 61_000);
    expect(queues.counts(queue, NOW + 200_000)).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
    expect([...store.table("sqs.messages").keys()]).toEqual([]);
    expect([...store.table("sqs.schedule").keys()]).toEqual([]);
  });

  it("looks through a bounded part of what has expired, and goes on next time", () => {
    const queue = newQueue({ MessageRetentionPeriod: "60" });
    store.transaction(() => {
      for (let index = 0; index < 1_200; index++) send(queue, "old");
    });
    send(queue, "young", NOW + 60_000);
    const answers = Array.from({ length: 3 }, () => receive(queue, NOW + 60_000));
    expect(answers).toEqual([[], [], ["young"]]);
  });

  it("cleans up what deleted and purged queues leave, in bounded steps", () => {
    const purged = newQueue({}, "purged");
    const deleted = newQueue({}, "deleted");
    store.transaction(() => {
      for (let index = 0; index < 1_200; index++) {
        send(purged, "x");
        send(deleted, "x");
      }
      queues.purgeQueue(purged, NOW);
      queues.deleteQueue(deleted);
    });
    send(queues.findQueue("purged")!, "after");
    let steps = 0;
    while (queues.cleanUp(NOW)) steps++;
    expect(steps).toBeGreaterThan(4);
    expect(store.table("sqs.messages").count()).toBe(1);
    expect(store.table("sqs.states").count()).toBe(1);
    expect(receive(queues.findQueue("purged")!)).toEqual(["after"]);
  });

  it("lets so many messages be in flight, and more again when some are deleted", () => {
    queues = new QueueStore(store, 100);
    const queue = newQueue();
    for (let index = 0; index < 150; index++) send(queue, "x");
    const take = (count: number) => store.transaction(() => queues.receive(queue, count, 600, NOW));
    const first = take(1)!.messages[0]!;
    expect(take(120)!.messages).toHaveLength(99);
    expect(take(1)).toBeUndefined();
    store.transaction(() => queues.deleteMessage(first.key));
    expect(take(10)!.messages).toHaveLength(1);
  });
});
