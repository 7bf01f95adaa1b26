// Figures of the embedded endpoint beside its peers' (DESIGN 11): start, memory, throughput, small objects, listings,
// restart. Every figure is a median of RUNS with its spread; endpoints take turns, so that all meet the same machine.
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from "@aws-sdk/client-s3";
import { inParallel, markdownTable, quantile, spread, start } from "./measure.mjs";

const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const BIG = Buffer.alloc(100 * 1024 * 1024, "minilake ");
const SMALL = Buffer.alloc(1024, "x");

export function client(endpoint, name) {
  return new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials:
      name === "s3rver"
        ? { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" }
        : { accessKeyId: "test", secretAccessKey: "test" },
  });
}

export async function benchEndpoint(names, log = console.error) {
  const results = new Map(
    names.map((name) => [name, { start: [], idle: [], put: [], get: [], puts: [], gets: [], list: [] }]),
  );
  const running = new Map();
  for (let run = 0; run < RUNS; run++) {
    for (const name of [...results.keys()]) {
      try {
        const endpoint = await start(name);
        results.get(name).start.push(endpoint.startMs);
        results.get(name).idle.push(endpoint.memoryMiB());
        await endpoint.stop();
      } catch (error) {
        log(`${name}: NOT RUN, ${error.message}`);
        results.delete(name);
      }
    }
  }
  for (const name of results.keys()) {
    const endpoint = await start(name);
    const s3 = client(endpoint.endpoint, name);
    await s3.send(new CreateBucketCommand({ Bucket: "bench" }));
    // One first: s3rver makes a folder of the prefix and stumbles over two requests that do so at once.
    for (const first of ["many/first", "small/0"]) {
      await s3.send(new PutObjectCommand({ Bucket: "bench", Key: first, Body: "0" }));
    }
    await inParallel(10_000, 16, (index) =>
      s3.send(
        new PutObjectCommand({ Bucket: "bench", Key: `many/${String(index).padStart(6, "0")}`, Body: "0123456789" }),
      ),
    );
    running.set(name, { endpoint, s3 });
  }
  for (let run = 0; run < RUNS; run++) {
    for (const [name, { s3 }] of running) {
      const result = results.get(name);
      log(`run ${run + 1} of ${RUNS}: ${name}`);
      try {
        const timed = async (work) => {
          const began = performance.now();
          await work();
          return performance.now() - began;
        };
        result.put.push(
          100_000 / (await timed(() => s3.send(new PutObjectCommand({ Bucket: "bench", Key: "big", Body: BIG })))),
        );
        result.get.push(
          100_000 /
            (await timed(async () => {
              const { Body } = await s3.send(new GetObjectCommand({ Bucket: "bench", Key: "big" }));
              for await (const _chunk of Body);
            })),
        );
        const count = name === "moto" ? 500 : 2000;
        result.puts.push(
          (count * 1000) /
            (await timed(() =>
              inParallel(count, 16, (index) =>
                s3.send(new PutObjectCommand({ Bucket: "bench", Key: `small/${index}`, Body: SMALL })),
              ),
            )),
        );
        result.gets.push(
          (count * 1000) /
            (await timed(() =>
              inParallel(count, 16, async (index) => {
                const { Body } = await s3.send(new GetObjectCommand({ Bucket: "bench", Key: `small/${index}` }));
                await Body.transformToByteArray();
              }),
            )),
        );
        result.list.push(
          await timed(async () => {
            let keys = 0;
            for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: "bench", Prefix: "many/0" })) {
              keys += page.KeyCount;
            }
            if (keys !== 10_000) throw new Error(`${name} listed ${keys} of 10,000 keys`);
          }),
        );
      } catch (error) {
        // A peer that breaks under the load loses this run, not the others theirs.
        log(`${name}: run ${run + 1} broke off: ${error.message}`);
      }
    }
  }
  for (const { endpoint, s3 } of running.values()) {
    s3.destroy();
    await endpoint.stop();
  }
  const base = results.get("null server");
  const ratio = (values, of) =>
    of === undefined ? "" : ` = ${((100 * quantile(values, 0.5)) / quantile(of, 0.5)).toFixed(0)} %`;
  return markdownTable(
    [
      "",
      "start ms",
      "idle MiB",
      "100 MiB PUT MiB/s",
      "100 MiB GET MiB/s",
      "1 KiB PUT/s",
      "1 KiB GET/s",
      "list 10,000 ms",
    ],
    [...results].map(([name, result]) => [
      name,
      spread(result.start, 0),
      spread(result.idle, 0),
      spread(result.put, 0) + ratio(result.put, base?.put),
      spread(result.get, 0) + ratio(result.get, base?.get),
      spread(result.puts, 0) + ratio(result.puts, base?.puts),
      spread(result.gets, 0) + ratio(result.gets, base?.gets),
      spread(result.list, 0),
    ]),
  );
}

if (import.meta.url === `file://${process.argv[1]}`) {
  const names = process.argv.slice(2);
  console.log(
    await benchEndpoint(names.length > 0 ? names : ["null server", "minilake", "ministack", "moto", "s3rver"]),
  );
}
