import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { expect, onTestFinished, test } from "vitest";
import type { Clients } from "../../../src/backends/clients.ts";
import type { LakeDefinition } from "../../../src/lake/definition.ts";
import { ingestFiles } from "../../../src/lake/ingest.ts";
import { expandSources } from "../../../src/lake/sources.ts";

test("an endpoint that dies during ingest: how many files were uploaded, and what to do", async () => {
  const folder = mkdtempSync(join(tmpdir(), "minilake-ingest-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ["a.csv", "b.csv", "c.csv"]) writeFileSync(join(folder, name), "id,day\n1,2026-01-05\n");
  let puts = 0;
  const server = createServer((request, response) => {
    if (request.method === "PUT" && ++puts > 2) return void request.socket.destroy();
    request.resume().on("end", () => response.writeHead(200, { etag: '"e"' }).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const s3 = new S3Client({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forcePathStyle: true,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
  });
  onTestFinished(() => s3.destroy());
  const clients = { s3: async () => s3 } as unknown as Clients;
  const definition = { name: "x", buckets: { raw: "raw-x", control: "control-x" }, stages: [{ name: "curate" }] };
  const { sources } = await expandSources([folder], { cwd: folder });
  await expect(
    ingestFiles(clients, definition as unknown as LakeDefinition, sources, { concurrency: 1, wait: false }),
  ).rejects.toMatchObject({
    code: "EndpointUnreachable",
    message: "The AWS endpoint stopped answering (ECONNRESET) when 2 of 3 files were uploaded.",
    hint: expect.stringContaining("run the same command again"),
  });
});
