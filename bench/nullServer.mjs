// The client's own ceiling: an HTTP server that answers every S3 request at once without looking at it.
import { createServer } from "node:http";

const sizes = new Map();
const body = Buffer.alloc(100 * 1024 * 1024, 97);
const listings = Number(process.env.NULL_LIST_KEYS ?? 10_000);

createServer((request, response) => {
  const url = request.url ?? "/";
  if (request.method === "PUT") {
    sizes.set(url.split("?")[0], Number(request.headers["content-length"] ?? 0));
    request.on("data", () => {});
    request.on("end", () => response.writeHead(200, { ETag: '"d41d8cd98f00b204e9800998ecf8427e"' }).end());
    return;
  }
  if (url.includes("list-type=2")) return list(url, response);
  const size = Math.min(sizes.get(url.split("?")[0]) ?? 0, body.length);
  response.writeHead(200, { "content-length": size, ETag: '"d41d8cd98f00b204e9800998ecf8427e"' });
  response.end(body.subarray(0, size));
}).listen(Number(process.argv[2]), "127.0.0.1");

function list(url, response) {
  const start = Number(new URL(url, "http://x").searchParams.get("continuation-token") ?? 0);
  const end = Math.min(start + 1000, listings);
  const contents = [];
  for (let index = start; index < end; index++) {
    contents.push(
      `<Contents><Key>many/${String(index).padStart(6, "0")}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>10</Size><StorageClass>STANDARD</StorageClass></Contents>`,
    );
  }
  const more = end < listings;
  response.writeHead(200, { "content-type": "application/xml" });
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><KeyCount>${end - start}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>${more}</IsTruncated>${more ? `<NextContinuationToken>${end}</NextContinuationToken>` : ""}${contents.join("")}</ListBucketResult>`,
  );
}
