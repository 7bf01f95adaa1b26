import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { describe, expect, onTestFinished, test } from "vitest";
import { waitFor } from "../../../conformance/target.ts";
import { lambdaEndpoint } from "./endpoint.ts";
import { call, createFunction } from "./functions.ts";

/** A name that no other test and no other program uses in the machine's /tmp. */
const fresh = () => `minilake-${crypto.randomUUID()}`;

const PYTHON = { Runtime: "python3.12", Handler: "app.handler" } as const;

const COUNTERS = {
  node: {
    files: {
      "index.mjs": `import { appendFileSync, readFileSync, readdirSync } from "node:fs";
        export const handler = async ({ name }) => {
          appendFileSync("/tmp/" + name, "x");
          return { count: readFileSync("/tmp/" + name, "utf8").length, names: readdirSync("/tmp") };
        };`,
    },
    options: {},
  },
  python: {
    files: {
      "app.py": `
import os
def handler(event, context):
    path = "/tmp/" + event["name"]
    with open(path, "a") as file:
        file.write("x")
    return {"count": os.path.getsize(path), "names": os.listdir("/tmp")}
`,
    },
    options: PYTHON,
  },
};

describe.each(Object.entries(COUNTERS))("the literal /tmp of a %s function", (_name, { files, options }) => {
  test("is its environment's own, stays while that is warm, is empty in a new one and goes with it", async () => {
    const endpoint = await lambdaEndpoint();
    const name = fresh();
    const environments = join(endpoint.folder, "lambda/environments");
    await createFunction(endpoint, files, options);
    expect((await call(endpoint, { name })).payload).toEqual({ count: 1, names: [name] });
    expect((await call(endpoint, { name })).payload).toEqual({ count: 2, names: [name] });
    expect(existsSync(join("/tmp", name))).toBe(false);
    const [first] = readdirSync(environments);
    expect(readdirSync(join(environments, first!, "tmp"))).toEqual([name]);

    await endpoint.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: "f", Description: "changed" }));
    expect((await call(endpoint, { name })).payload).toEqual({ count: 1, names: [name] });
    await waitFor(async () => !readdirSync(environments).includes(first!));
  });
});

const NODE_CALLS = `
import fs from "node:fs";
import { createReadStream, createWriteStream } from "node:fs";
import { cp, mkdtemp, open, opendir, readFile, rename, writeFile } from "node:fs/promises";
import { execFile, execFileSync, execSync } from "node:child_process";
import { createRequire } from "node:module";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";

const message = (work) => { try { work(); } catch (error) { return [error.code, error.message, error.path]; } };
const inWorker = (code) => new Promise((resolve, reject) => {
  new Worker(code, { eval: true }).on("message", resolve).on("error", reject);
});

export const handler = async ({ name }) => {
  const own = "/tmp/" + name;
  fs.mkdirSync(own);
  process.chdir(own);
  const result = { cwd: process.cwd() };
  process.chdir(process.env.LAMBDA_TASK_ROOT);
  await pipeline(async function* () { yield "streamed"; }, createWriteStream(own + "/stream"));
  result.stream = fs.readFileSync(Buffer.from(own + "/stream"), "utf8");
  await rename(own + "/stream", pathToFileURL(own + "/renamed"));
  fs.symlinkSync(own + "/renamed", own + "/link");
  fs.linkSync(own + "/renamed", own + "/hard");
  result.link = [fs.readlinkSync(own + "/link"), fs.realpathSync(own + "/link"), await readFile(own + "/link", "utf8")];
  result.native = fs.realpathSync.native("/tmp/../tmp//" + name + "/./link");
  const parts = [];
  for await (const chunk of createReadStream(own + "/link", "utf8")) parts.push(chunk);
  result.read = parts.join("");
  await cp(own, own + "-copy", { recursive: true });
  result.copied = fs.readdirSync(own + "-copy").sort();
  const names = [];
  for await (const entry of await opendir(own)) names.push(entry.name);
  result.listed = names.sort();
  result.entries = fs.readdirSync(own, { withFileTypes: true }).every((entry) => entry.parentPath === own);
  result.made = (await mkdtemp("/tmp/made-")).replace(/.{6}$/, "");
  result.errors = [
    message(() => fs.readFileSync(own + "/none")),
    await readFile(own + "/none").catch((error) => error.message),
    await new Promise((resolve) => fs.copyFile(own + "/none", own + "/other", (error) => resolve(error.dest))),
  ];
  result.exists = [fs.existsSync(own), await promisify(fs.exists)(own), fs.existsSync(own + "/none")];
  const handle = await open(own + "/handle", "w");
  await handle.writeFile("by handle");
  await handle.close();
  fs.writeFileSync(own + "/module.cjs", "module.exports = __filename.length");
  result.required = createRequire(import.meta.url)(own + "/module.cjs") > 0;
  result.programs = [
    execFileSync("cat", [own + "/handle"], { encoding: "utf8" }),
    execSync("cat '" + own + "/handle'", { encoding: "utf8" }),
    (await promisify(execFile)("cat", ["handle"], { cwd: own })).stdout,
    execSync('cat "$TMPDIR"/' + name + "/handle", { encoding: "utf8", env: { PATH: process.env.PATH } }),
  ];
  result.worker = await inWorker(
    'const fs = require("node:fs"); require("node:worker_threads").parentPort.postMessage(fs.readFileSync(' +
      JSON.stringify(own + "/handle") + ', "utf8"))');
  await writeFile("/tmpfile-" + name, "").catch(() => {});
  fs.rmSync("/tmpfile-" + name, { force: true });
  fs.rmSync(own, { recursive: true });
  result.left = fs.readdirSync("/tmp").map((each) => each.replace(/^made-.*/, "made")).sort();
  return result;
};`;

test("what a Node function does under /tmp, by whatever call, happens in its own folder", async () => {
  const endpoint = await lambdaEndpoint();
  await createFunction(endpoint, NODE_CALLS, { Timeout: 30, MemorySize: 512 });
  const name = fresh();
  const own = `/tmp/${name}`;
  const { payload } = await call(endpoint, { name });
  expect(payload).toEqual({
    cwd: own,
    stream: "streamed",
    link: [`${own}/renamed`, `${own}/renamed`, "streamed"],
    native: `${own}/renamed`,
    read: "streamed",
    copied: ["hard", "link", "renamed"],
    listed: ["hard", "link", "renamed"],
    entries: true,
    made: "/tmp/made-",
    errors: [
      ["ENOENT", `ENOENT: no such file or directory, open '${own}/none'`, `${own}/none`],
      `ENOENT: no such file or directory, open '${own}/none'`,
      `${own}/other`,
    ],
    exists: [true, true, false],
    required: true,
    programs: Array(4).fill("by handle"),
    worker: "by handle",
    left: ["made", `${name}-copy`],
  });
  expect(existsSync(own)).toBe(false);
  expect(existsSync(`${own}-copy`)).toBe(false);
});

const PYTHON_CALLS = `
import glob, io, os, pathlib, shutil, sqlite3, subprocess, tempfile

def failure(work):
    try:
        work()
    except OSError as error:
        return [type(error).__name__, str(error)]

def handler(event, context):
    own = "/tmp/" + event["name"]
    os.makedirs(own + "/deep/er")
    os.chdir(own)
    result = {"cwd": os.getcwd()}
    os.chdir(os.environ["LAMBDA_TASK_ROOT"])
    pathlib.Path(own, "text").write_text("text")
    with io.open(own + "/text", "r+b", buffering=0) as raw:
        raw.seek(4)
        raw.write(b" more")
    with open(own.encode() + b"/text", encoding="utf-8") as file:
        result["text"] = [file.read(), os.fsdecode(file.name)]
    os.rename(own + "/text", own + "/renamed")
    os.symlink(own + "/renamed", own + "/link")
    result["link"] = [os.readlink(own + "/link"), os.path.realpath(own + "/link"), open(own + "/link").read()]
    shutil.copytree(own, own + "-copy")
    result["copied"] = sorted(os.listdir(own + "-copy"))
    with os.scandir(own) as entries:
        result["entries"] = sorted(os.fspath(entry) for entry in entries)
    result["globbed"] = glob.glob("/tmp/../tmp/" + event["name"] + "/ren*")
    result["walked"] = [top for top, _, _ in os.walk(own)]
    with tempfile.NamedTemporaryFile("w", dir="/tmp") as file:
        file.write("x")
        file.flush()
        result["temporary"] = os.path.getsize(file.name)
    database = sqlite3.connect(own + "/data.db")
    database.execute("create table t (a)")
    database.commit()
    database.close()
    result["database"] = os.path.exists(own + "/data.db")
    for name in ("file:" + own + "/data.db?mode=ro", "file://" + own + "/data.db"):
        sqlite3.connect(name, uri=True).execute("select * from t")
    os.system("touch '" + own + "/by system'")
    os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", "touch " + own + "/by_spawn"], {}), 0)
    os.spawnv(os.P_WAIT, "/bin/sh", ["sh", "-c", "touch " + own + "/by_exec"])
    result["ran"] = [os.path.exists(own + "/" + name) for name in ("by system", "by_spawn", "by_exec")]
    result["error"] = failure(lambda: open(own + "/none"))
    result["moved"] = failure(lambda: os.rename(own + "/none", own + "/other"))
    result["programs"] = [
        subprocess.check_output(["cat", own + "/renamed"], text=True),
        subprocess.check_output("cat '" + own + "/renamed'", shell=True, text=True),
        subprocess.run(["cat", "renamed"], cwd=own, capture_output=True, text=True).stdout,
    ]
    shutil.rmtree(own)
    result["left"] = os.listdir("/tmp")
    return result
`;

test("what a Python function does under /tmp, by whatever call, happens in its own folder", async () => {
  const endpoint = await lambdaEndpoint();
  await createFunction(endpoint, { "app.py": PYTHON_CALLS }, { ...PYTHON, Timeout: 30 });
  const name = fresh();
  const own = `/tmp/${name}`;
  const { payload } = await call(endpoint, { name });
  expect(payload).toEqual({
    cwd: own,
    text: ["text more", `${own}/text`],
    link: [`${own}/renamed`, `${own}/renamed`, "text more"],
    copied: ["deep", "link", "renamed"],
    entries: ["deep", "link", "renamed"].map((each) => `${own}/${each}`),
    globbed: [`/tmp/../tmp/${name}/renamed`],
    walked: [own, `${own}/deep`, `${own}/deep/er`],
    temporary: 1,
    database: true,
    ran: [true, true, true],
    error: ["FileNotFoundError", `[Errno 2] No such file or directory: '${own}/none'`],
    moved: ["FileNotFoundError", `[Errno 2] No such file or directory: '${own}/none' -> '${own}/other'`],
    programs: Array(3).fill("text more"),
    left: [`${name}-copy`],
  });
  expect(existsSync(own)).toBe(false);
});

test("the machine's own files under /tmp are not seen, the function's code under it is", async () => {
  const folder = join("/tmp", fresh());
  mkdirSync(folder);
  writeFileSync(join(folder, "secret"), "of the machine");
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const endpoint = await lambdaEndpoint();
  await createFunction(endpoint, {
    "index.js": `const fs = require("node:fs");
      exports.handler = async ({ folder }) => [fs.existsSync(folder), fs.readFileSync(__dirname + "/data.txt", "utf8")];`,
    "data.txt": "of the package",
  });
  expect((await call(endpoint, { folder })).payload).toEqual([false, "of the package"]);
});

const FILLERS = {
  node: {
    files: {
      "index.mjs": `import fs from "node:fs";
        import fsp from "node:fs/promises";
        import { once } from "node:events";
        const MB = Buffer.alloc(1024 * 1024);
        const fill = (path, megabytes) => {
          const fd = fs.openSync(path, "w");
          for (let i = 0; i < megabytes; i++) fs.writeSync(fd, MB);
          fs.closeSync(fd);
        };
        const code = async (work) => { try { await work(); return "done"; } catch (error) { return error.code + ": " + error.syscall; } };
        export const handler = async () => {
          const free = () => { const { bavail, bsize } = fs.statfsSync("/tmp"); return (bavail * bsize) / MB.length; };
          const result = { before: free() };
          fill("/tmp/a", 500);
          result.left = free();
          result.full = [
            await code(() => fill("/tmp/b", 20)),
            await code(() => fs.writeFileSync("/tmp/c", Buffer.alloc(20 * MB.length))),
            await code(() => fsp.writeFile("/tmp/d", [Buffer.alloc(20 * MB.length)])),
            await code(async () => { const handle = await fsp.open("/tmp/e", "a"); try { await handle.write(Buffer.alloc(20 * MB.length)); } finally { await handle.close(); } }),
            await code(() => new Promise((resolve, reject) => fs.createWriteStream("/tmp/f").on("error", reject).on("finish", resolve).end(Buffer.alloc(20 * MB.length)))),
            await code(() => fs.copyFileSync("/tmp/a", "/tmp/g")),
          ];
          fs.rmSync("/tmp/b");
          result.overwrite = await code(() => { const fd = fs.openSync("/tmp/a", "r+"); for (let i = 0; i < 20; i++) fs.writeSync(fd, MB, 0, MB.length, i * MB.length); fs.closeSync(fd); });
          fs.rmSync("/tmp/a");
          result.again = await code(() => fill("/tmp/a", 500));
          fs.rmSync("/tmp/a");
          return result;
        };`,
    },
    options: {},
    expected: {
      before: 512,
      left: 12,
      full: ["ENOSPC: write", "ENOSPC: write", "ENOSPC: write", "ENOSPC: write", "ENOSPC: write", "ENOSPC: copyfile"],
      overwrite: "done",
      again: "done",
    },
  },
  python: {
    files: {
      "app.py": `
import os, shutil
MB = bytes(1024 * 1024)
def fill(path, megabytes):
    with open(path, "wb") as file:
        for _ in range(megabytes):
            file.write(MB)
def low(path, megabytes):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        for _ in range(megabytes):
            os.write(fd, MB)
    finally:
        os.close(fd)
def text(path):
    with open(path, "w") as file:
        file.write("x" * (20 * len(MB)))
def code(work):
    try:
        work()
        return "done"
    except OSError as error:
        return str(error)
def overwrite():
    with open("/tmp/a", "r+b") as file:
        for _ in range(20):
            file.write(MB)
def handler(event, context):
    free = lambda: shutil.disk_usage("/tmp").free // len(MB)
    result = {"before": free()}
    fill("/tmp/a", 500)
    result["left"] = free()
    result["full"] = [code(lambda: fill("/tmp/b", 20))]
    os.remove("/tmp/b")
    result["full"] += [code(lambda: low("/tmp/c", 20))]
    os.remove("/tmp/c")
    result["full"] += [code(lambda: text("/tmp/d")), code(lambda: shutil.copyfile("/tmp/a", "/tmp/e"))]
    result["overwrite"] = code(overwrite)
    os.remove("/tmp/a")
    result["again"] = code(lambda: fill("/tmp/a", 490))
    os.remove("/tmp/a")
    return result
`,
    },
    options: PYTHON,
    expected: {
      before: 512,
      left: 12,
      full: [
        ...Array(3).fill("[Errno 28] No space left on device"),
        "[Errno 28] No space left on device: '/tmp/a' -> '/tmp/e'",
      ],
      overwrite: "done",
      again: "done",
    },
  },
};

describe.each(Object.entries(FILLERS))("EphemeralStorage of a %s function", (_name, { files, options, expected }) => {
  test("a write beyond it fails with ENOSPC, and what was removed can be written again", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, files, { ...options, Timeout: 60, MemorySize: 512 });
    const { payload } = await call(endpoint);
    expect(payload).toEqual(expected);
  });
});
