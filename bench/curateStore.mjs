// S3 as the bench of curate needs it: serves one file as every source object, counts rows of what is put, keeps receipts.
//   node bench/curateStore.mjs FILE [count|keep FOLDER]   prints its port; GET /-/counts tells what came in. count: the rows of
//   CSV objects, too; keep: writes the objects of "curated" to a folder
import { createReadStream, mkdirSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";

const file = process.argv[2];
const counting = process.argv[3] === "count";
const folder = process.argv[3] === "keep" ? process.argv[4] : undefined;
const size = statSync(file).size;
const kept = new Map();
const counts = { objects: 0, rows: 0, bytes: 0, requests: 0 };

const server = createServer((request, response) => {
  counts.requests++;
  const [path] = request.url.split("?");
  if (path === "/-/counts") {
    response.end(JSON.stringify(counts));
    Object.assign(counts, { objects: 0, rows: 0, bytes: 0, requests: 0 });
    kept.clear();
    return;
  }
  const source = path.startsWith("/raw/");
  if (request.method === "GET" || request.method === "HEAD") {
    if (source) {
      response.writeHead(200, { etag: '"source"', "content-length": size, "x-amz-version-id": "v1" });
      if (request.method === "HEAD") response.end();
      else createReadStream(file, { highWaterMark: 256 * 1024 }).pipe(response);
      return;
    }
    const body = kept.get(path);
    response.writeHead(body ? 200 : 404, { etag: '"kept"', "content-length": body?.length ?? 0 });
    response.end(request.method === "HEAD" ? undefined : body);
    return;
  }
  const control = path.startsWith("/control/");
  const chunks = [];
  request.on("data", (chunk) => {
    counts.bytes += chunk.length;
    if (control || folder) chunks.push(chunk);
    else if (counting) for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) counts.rows++;
  });
  request.on("end", () => {
    if (control) kept.set(path, Buffer.concat(chunks));
    else {
      counts.objects++;
      counts.rows--;
      if (folder && path.startsWith("/curated/")) {
        const place = join(folder, decodeURIComponent(path));
        mkdirSync(dirname(place), { recursive: true });
        writeFileSync(place, Buffer.concat(chunks));
      }
    }
    response.writeHead(200, { etag: '"kept"' });
    response.end();
  });
});

server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
process.on("disconnect", () => process.exit());
