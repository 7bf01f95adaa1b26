import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { type Clients, createClients } from "../../src/backends/clients.ts";
import type { EmulatorOptions } from "../../src/emulator/server.ts";
import { type Bundle, buildBundle } from "../../src/lake/bundle.ts";
import { defineLake, type LakeDefinition, type LakePlace, type LakeSettings } from "../../src/lake/definition.ts";
import { down } from "../../src/lake/reconcile.ts";
import { packageRoot } from "../../src/packageRoot.ts";
import { type Target, target } from "./target.ts";

export interface LakeFixture {
  target: Target;
  clients: Clients;
  definition: LakeDefinition;
  bundle: Bundle;
  /** Names of the calls made through `clients` since the last `take`, such as "PutObject". */
  calls: { take(): string[]; mutating(): string[] };
  /** The same lake with other settings. */
  redefine(settings: Partial<LakeSettings>, place?: Partial<LakePlace>): LakeDefinition;
  /** The deployment package of such a lake. */
  bundleOf(definition: LakeDefinition): Promise<Bundle>;
  close(): Promise<void>;
}

const SETTINGS: Omit<LakeSettings, "lake" | "region"> = {
  partition: { as: "dt_reference", timezone: "UTC" },
  dialect: {},
  onDelete: "remove",
  memoryMb: 512,
  timeoutSeconds: 60,
};

/**
 * An endpoint, clients whose calls are counted, and the definition of a lake with a name of its own.
 *
 * code   "curate": the real functions, built here. "none": one that does nothing.
 */
export async function lakeFixture(
  code: "curate" | "none",
  options: Partial<EmulatorOptions> = {},
): Promise<LakeFixture> {
  const at = await target(options);
  const folder = mkdtempSync(join(tmpdir(), "minilake-functions-"));
  if (code === "none") {
    for (const name of ["curate", "validate"]) {
      writeFileSync(join(folder, `${name}.mjs`), "export const handler = async () => {};\n");
    }
  } else {
    await build({
      entryPoints: ["curate", "validate"].map((name) => join(packageRoot(), "handler", `${name}.ts`)),
      outdir: folder,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      logLevel: "error",
    });
  }
  const lake = at.uniqueName("lk");
  const redefine: LakeFixture["redefine"] = (settings, place) =>
    defineLake({ ...SETTINGS, lake, region: at.region, ...settings }, { accountId: at.accountId, ...place });
  const definition = redefine({});
  const counted = countCalls(createClients({ ...at, forcePathStyle: true }));
  return {
    target: at,
    clients: counted.clients,
    definition,
    bundle: await buildBundle(definition.configuration, folder),
    bundleOf: ({ configuration }) => buildBundle(configuration, folder),
    calls: counted,
    redefine,
    close: async () => {
      await down(counted.clients, definition).catch(() => {});
      counted.clients.destroy();
      rmSync(folder, { recursive: true, force: true });
      await at.close();
    },
  };
}

const READING = /^(Get|List|Describe|Head|Filter|Receive)/;

export function countCalls(clients: Clients): { clients: Clients; take(): string[]; mutating(): string[] } {
  let calls: string[] = [];
  const observe = onCall((name) => {
    calls.push(name);
  });
  const take = () => {
    const taken = calls;
    calls = [];
    return taken;
  };
  return { clients: observe(clients), take, mutating: () => take().filter((name) => !READING.test(name)) };
}

/** The same clients, with `before` called (and awaited) ahead of every call; what it throws, the call throws. */
export function onCall(before: (name: string) => void | Promise<void>) {
  return (clients: Clients): Clients => {
    const watched = new WeakSet<object>();
    // The SDK's clients have differently typed middleware stacks; what is added here fits all of them.
    const watch = async <C extends { middlewareStack: unknown }>(made: Promise<C>): Promise<C> => {
      const client = await made;
      if (watched.has(client)) return client;
      watched.add(client);
      const stack = client.middlewareStack as {
        add(middleware: unknown, options: { step: string; name: string; override: boolean }): void;
      };
      stack.add(
        (next: (args: unknown) => Promise<unknown>, context: { commandName?: string }) => async (args: unknown) => {
          await before((context.commandName ?? "").replace(/Command$/, ""));
          return next(args);
        },
        { step: "initialize", name: `observe-${Math.random()}`, override: false },
      );
      return client;
    };
    return {
      region: clients.region,
      s3: () => watch(clients.s3()),
      iam: () => watch(clients.iam()),
      lambda: () => watch(clients.lambda()),
      sqs: () => watch(clients.sqs()),
      logs: () => watch(clients.logs()),
      cloudwatch: () => watch(clients.cloudwatch()),
      sts: () => watch(clients.sts()),
      destroy: () => clients.destroy(),
    };
  };
}
