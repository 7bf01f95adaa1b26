// Builds what the package ships: the command line as ES modules with lazily loaded chunks, and each function as one file.
// Runs by itself on `npm install` (prepare); lmdb stays outside of the bundle because it carries a native library.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const shared = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  format: "esm",
  logLevel: "warning",
  legalComments: "none",
  metafile: true,
  // ES modules first: they can be shaken, which halves what the AWS SDK weighs.
  mainFields: ["module", "main"],
};

const program = await build({
  ...shared,
  entryPoints: { "bin/minilake": "bin/minilake.ts", index: "src/library/index.ts" },
  outdir: "dist",
  target: "node20.19",
  splitting: true,
  // Names stay as they are: stack traces can be read, and keeping them beside short ones costs every closure a call.
  minifyWhitespace: true,
  minifySyntax: true,
  chunkNames: "chunks/[name]-[hash]",
  external: ["lmdb", "@duckdb/node-api"],
  define: { MINILAKE_VERSION: JSON.stringify(manifest.version) },
  // Some bundled libraries are CommonJS and call require for Node's own modules.
  banner: {
    js: "import { createRequire as minilakeCreateRequire } from 'node:module'; const require = minilakeCreateRequire(import.meta.url);",
  },
});

const functions = await build({
  ...shared,
  entryPoints: { curate: "handler/curate.ts", validate: "handler/validate.ts" },
  outdir: "dist/handler",
  outExtension: { ".js": ".mjs" },
  target: "node20",
  minify: true,
});

const declarations = declareLibrary();
removeStale([program.metafile, functions.metafile]);
writeLicences([program.metafile, functions.metafile]);

/** What the library exports, for TypeScript. Our imports end in .ts, and what is there for them in a package is a .d.ts. */
function declareLibrary() {
  const folder = join(dist, "types");
  const sources = ["src/library/types.ts", "src/errors.ts", "src/contract/receipt.ts", "src/verify/report.ts"];
  const options =
    "--declaration --emitDeclarationOnly --allowImportingTsExtensions --target es2023 --module nodenext --types node --skipLibCheck --strict";
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const args = [tsc, "--ignoreConfig", ...options.split(" "), "--rootDir", "src", "--outDir", folder, ...sources];
  execFileSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  const files = sources.map((source) => join(folder, source.replace(/^src\//, "").replace(/\.ts$/, ".d.ts")));
  for (const file of files) {
    writeFileSync(file, readFileSync(file, "utf8").replace(/(from "\.[^"]*)\.ts"/g, '$1.js"'));
  }
  const entry = join(dist, "index.d.ts");
  writeFileSync(
    entry,
    `export { MinilakeError } from "./types/errors.js";
export type { CreateLake, CreateLakeOptions, IngestedFile, Lake } from "./types/library/types.js";
export declare const createLake: import("./types/library/types.js").CreateLake;
`,
  );
  return [...files, entry];
}

/** Chunks of earlier builds go last, so that a program that is running finds its files until the new ones are there. */
function removeStale(metafiles) {
  const current = new Set(metafiles.flatMap(({ outputs }) => Object.keys(outputs).map((output) => join(root, output))));
  for (const file of declarations) current.add(file);
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && !current.has(file)) rmSync(file);
  }
}

/** The licences of what was bundled, as those licences ask for. */
function writeLicences(metafiles) {
  const folders = new Set();
  for (const { inputs } of metafiles) {
    for (const input of Object.keys(inputs)) {
      const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
      if (match) folders.add(match[1]);
    }
  }
  const parts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const file = ["LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "license", "license.md"]
      .map((candidate) => join(root, folder, candidate))
      .find((candidate) => existsSync(candidate));
    return `${name} ${version} (${license})\n\n${file ? readFileSync(file, "utf8").trim() : "(no licence file in the package)"}\n`;
  });
  mkdirSync(dist, { recursive: true });
  writeFileSync(join(dist, "THIRD-PARTY-LICENCES.txt"), parts.join(`\n${"-".repeat(80)}\n\n`));
}
