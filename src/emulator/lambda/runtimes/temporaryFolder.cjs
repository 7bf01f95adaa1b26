// Gives the function a /tmp of its own without a container: paths under /tmp that it hands to node:fs and node:child_process
// lead to the folder of its execution environment, and back to /tmp in what is returned. Writes beyond EphemeralStorage fail
// with ENOSPC, as on AWS. Preloaded (--require), so that worker threads and forked processes have it too.
// Out of reach: native code, and programs that the function starts, beyond their arguments, working folder and TMPDIR.
"use strict";

const fs = require("node:fs");
const childProcess = require("node:child_process");
const Module = require("node:module");
const { posix, dirname } = require("node:path");
const { promisify } = require("node:util");
const { fileURLToPath } = require("node:url");

/** "<MB>:<folder>" */
const SETTING = "MINILAKE_TMP";

function install(setting) {
  const colon = setting.indexOf(":");
  const folder = setting.slice(colon + 1);
  const paths = pathsOf(folder);
  redirect(paths, spaceOf(folder, Number(setting.slice(0, colon)) * 1024 * 1024));
  redirectPrograms(paths, folder);
  Module.syncBuiltinESMExports();
}

/** Translation between /tmp, as the function sees it, and its folder. */
function pathsOf(folder) {
  const { LAMBDA_TASK_ROOT, NODE_PATH = "" } = process.env;
  // What lies under the machine's /tmp and is needed: the function's code, this file, Node itself.
  const kept = [
    folder,
    LAMBDA_TASK_ROOT,
    __dirname,
    dirname(dirname(process.execPath)),
    ...NODE_PATH.split(":"),
  ].filter((path) => path?.startsWith("/tmp/"));
  const isIn = (path, parent) =>
    path.startsWith(parent) && (path.length === parent.length || path[parent.length] === "/");
  const textIn = (text) => {
    if (text.charCodeAt(0) !== 47 || !text.includes("/tmp")) return text;
    const path = /\/\.{0,2}(\/|$)/.test(text) ? posix.normalize(text) : text;
    if (!isIn(path, "/tmp") || kept.some((parent) => isIn(path, parent))) return text;
    return folder + path.slice(4);
  };
  const inward = (path) => {
    if (typeof path === "string") return textIn(path);
    if (path instanceof URL && path.protocol === "file:") return textIn(fileURLToPath(path));
    if (path instanceof Uint8Array) {
      // Names need not be UTF-8: latin1 keeps every byte.
      const text = Buffer.from(path).toString("latin1");
      const mapped = textIn(text);
      return mapped === text
        ? path
        : Buffer.concat([Buffer.from(folder), Buffer.from(mapped.slice(folder.length), "latin1")]);
    }
    return path;
  };
  const outward = (path) => {
    if (typeof path === "string") return isIn(path, folder) ? `/tmp${path.slice(folder.length)}` : path;
    if (path instanceof Uint8Array) {
      const text = outward(path.toString("utf8"));
      return text.startsWith("/tmp") ? Buffer.from(text) : path;
    }
    return path;
  };
  const wordStart = /(?<![\w./-])\/tmp(?![\w.-])/g;
  return {
    inward,
    outward,
    /** Paths in the arguments of a program, or in a command line. */
    inText: (text) =>
      text.replace(wordStart, (match, at) => (kept.some((parent) => text.startsWith(parent, at)) ? match : folder)),
    isOurs: (path) => typeof path === "string" && isIn(path, folder),
    /** Errors speak of /tmp. */
    error: (error) => {
      if (error?.path !== undefined || error?.dest !== undefined) {
        const text = (value) => (typeof value === "string" ? value.replaceAll(folder, "/tmp") : value);
        for (const member of ["message", "stack", "path", "dest"])
          if (error[member] !== undefined) error[member] = text(error[member]);
      }
      return error;
    },
  };
}

/**
 * How much may still be written. The folder is measured when what was written since could have filled it, and after each
 * LOOK_BYTES, because other threads, programs and native code write, too.
 */
function spaceOf(folder, limitBytes) {
  const LOOK_BYTES = 32 * 1024 * 1024;
  const { lstatSync, readdirSync, fstatSync } = fs;
  let free = -1;
  const used = (path) => {
    let bytes = 0;
    try {
      for (const entry of readdirSync(path, { withFileTypes: true })) {
        const inner = `${path}/${entry.name}`;
        bytes += entry.isDirectory() ? used(inner) : entry.isFile() ? lstatSync(inner).size : 0;
      }
    } catch {
      // removed in the meantime
    }
    return bytes;
  };
  return {
    limitBytes,
    usedBytes: () => used(folder),
    /** Throws ENOSPC. `replaced()` tells how many of these bytes take the place of others. */
    take: (bytes, syscall, replaced = () => 0) => {
      if (bytes > free) {
        const left = limitBytes - used(folder);
        if (bytes - replaced() > left) {
          const message = `ENOSPC: no space left on device, ${syscall}`;
          throw Object.assign(new Error(message), { errno: -28, code: "ENOSPC", syscall });
        }
        free = Math.min(left, Math.max(bytes, LOOK_BYTES));
      }
      free -= bytes;
    },
    /** Bytes of a file that a write at `position` finds there already. */
    overlap: (fd, bytes, position) => () => {
      if (typeof position !== "number" && typeof position !== "bigint") return 0;
      return Math.max(0, Math.min(bytes, fstatSync(fd).size - Number(position)));
    },
    sizeOf: (path) => () => lstatSync(path, { throwIfNoEntry: false })?.size ?? 0,
  };
}

const lengthOf = (data, encoding) => {
  if (typeof data === "string")
    return Buffer.byteLength(data, typeof encoding === "string" ? encoding : encoding?.encoding);
  return typeof data?.byteLength === "number" ? data.byteLength : 0;
};
const flagOf = (options) => (typeof options === "object" && options !== null ? options.flag : undefined);
const sum = (buffers) => buffers.reduce((bytes, buffer) => bytes + buffer.byteLength, 0);

/** name: how many of the first arguments are paths. A name stands for itself, its Sync form and that of fs.promises. */
const ONE_PATH =
  "access appendFile chmod chown exists lchmod lchown lstat lutimes mkdir mkdtemp mkdtempDisposable open openAsBlob opendir readFile readdir readlink realpath rm rmdir stat statfs truncate unlink unwatchFile utimes watch watchFile writeFile";
/** Their last argument is not called with an error, or is known by its identity later. */
const LISTENERS = new Set(["exists", "watch", "watchFile", "unwatchFile"]);
const TWO_PATHS = "copyFile cp link rename symlink";

function redirect({ inward, outward, error, isOurs }, space) {
  /** Open files under /tmp that may be written to. */
  const files = new Set();
  let handlesCounted = false;

  /** What a call gives back, as the function may see it. `path` is where it went. */
  const result = (name, value, original, path, options) => {
    switch (name) {
      case "realpath":
      case "readlink":
      case "mkdtemp":
        return outward(value);
      case "mkdir":
        return value === undefined ? value : outward(value);
      case "readdir":
        return path === original || !options?.withFileTypes ? value : value.map((entry) => renamed(entry, outward));
      case "opendir":
        return path === original ? value : Object.defineProperty(value, "path", { value: outward(value.path) });
      case "statfs":
        return isOurs(path) ? ownSpace(value, space) : value;
      case "open":
        if (typeof value === "number" && isOurs(path) && isForWriting(options)) files.add(value);
        return value;
      default:
        return value;
    }
  };

  /** Throws ENOSPC for a call that writes a whole file. */
  const reserve = (name, args) => {
    const [first, second, third] = args;
    if (name === "writeFile" || name === "appendFile") {
      const isOpen = typeof first === "number";
      if (isOpen ? !files.has(first) : !isOurs(first)) return;
      const replaces = name === "writeFile" && !isOpen && !String(flagOf(third) ?? "w").startsWith("a");
      space.take(lengthOf(second, third), "write", replaces ? space.sizeOf(first) : undefined);
    } else if (name === "copyFile" && isOurs(second)) {
      space.take(space.sizeOf(first)(), "copyfile", space.sizeOf(second));
    }
  };

  const wrap = (owner, method, count, isPromise) => {
    const original = owner[method];
    if (typeof original !== "function") return;
    const name = method.replace(/Sync$/, "");
    const isSync = name !== method;
    const { [method]: wrapped } = {
      [method](...args) {
        const [first, second] = args;
        args[0] = inward(first);
        // A link's target, too: what it leads to is looked up by the system.
        if (count === 2) args[1] = inward(second);
        const path = args[0];
        const options = args[1];
        if (isPromise && name === "writeFile" && isOurs(path)) args[1] = counted(args[1], args[2], space);
        if (isPromise) {
          const run = () => {
            reserve(name, args);
            return original.apply(this, args);
          };
          return settled(run, name, first, path, options);
        }
        const last = args.length - 1;
        const callback = isSync || LISTENERS.has(name) ? undefined : args[last];
        if (typeof callback === "function") {
          args[last] = (failure, value, ...more) => {
            if (failure) return callback(error(failure));
            return value === undefined && more.length === 0
              ? callback(failure)
              : callback(failure, result(name, value, first, path, options), ...more);
          };
        }
        try {
          reserve(name, args);
        } catch (failure) {
          if (typeof callback !== "function") throw failure;
          return process.nextTick(callback, failure);
        }
        try {
          const value = original.apply(this, args);
          return isSync ? result(name, value, first, path, options) : value;
        } catch (failure) {
          throw error(failure);
        }
      },
    };
    owner[method] = dressedAs(original, wrapped);
  };

  const settled = async (run, name, first, path, options) => {
    try {
      const value = await run();
      if (name === "open" && isOurs(path) && isForWriting(options)) countHandle(value);
      return result(name, value, first, path, options);
    } catch (failure) {
      throw error(failure);
    }
  };

  /** fs.promises writes through handles, whose class can be had from a handle alone. */
  const countHandle = (handle) => {
    const own = Symbol.for("minilake.tmp");
    handle[own] = true;
    if (handlesCounted) return;
    handlesCounted = true;
    const prototype = Object.getPrototypeOf(handle);
    const count = (method, bytesOf) => {
      const original = prototype[method];
      prototype[method] = dressedAs(original, async function (...args) {
        if (this[own]) {
          const { bytes, position } = bytesOf(...args);
          space.take(bytes, "write", space.overlap(this.fd, bytes, position));
        }
        return original.apply(this, args);
      });
    };
    count("write", (...args) => writtenBy(args));
    count("writev", (buffers, position) => ({ bytes: sum(buffers), position }));
    count("writeFile", (data, options) => ({ bytes: lengthOf(data, options) }));
    count("appendFile", (data, options) => ({ bytes: lengthOf(data, options) }));
  };

  const countDescriptor = (method, bytesOf) => {
    const original = fs[method];
    const isSync = method.endsWith("Sync");
    fs[method] = dressedAs(original, function (fd, ...args) {
      if (files.has(fd)) {
        try {
          const { bytes, position } = bytesOf(...args);
          space.take(bytes, "write", space.overlap(fd, bytes, position));
        } catch (failure) {
          const callback = args.at(-1);
          if (isSync || typeof callback !== "function") throw failure;
          return process.nextTick(callback, failure);
        }
      }
      return original.call(this, fd, ...args);
    });
  };

  const forget = (method) => {
    const original = fs[method];
    fs[method] = dressedAs(original, function (fd, ...args) {
      files.delete(fd);
      return original.call(this, fd, ...args);
    });
  };

  for (const [names, count] of [
    [ONE_PATH, 1],
    [TWO_PATHS, 2],
  ]) {
    for (const name of names.split(" ")) {
      wrap(fs, name, count, false);
      wrap(fs, `${name}Sync`, count, false);
      // It gives an iterator, not a promise.
      if (name === "watch") continue;
      wrap(fs.promises, name, count, true);
    }
  }
  const watch = fs.promises.watch;
  fs.promises.watch = dressedAs(watch, (path, ...args) => watch(inward(path), ...args));
  for (const name of ["realpath", "realpathSync"]) {
    const holder = { [name]: fs[name].native };
    wrap(holder, name, 1, false);
    fs[name].native = holder[name];
  }
  const exists = (path) => new Promise((resolve) => fs.exists(path, resolve));
  Object.defineProperty(fs.exists, promisify.custom, { value: exists });

  for (const method of ["write", "writeSync"]) countDescriptor(method, (...args) => writtenBy(args));
  for (const method of ["writev", "writevSync"]) {
    countDescriptor(method, (buffers, position) => ({ bytes: sum(buffers), position }));
  }
  forget("close");
  forget("closeSync");

  const { chdir, cwd } = process;
  process.chdir = (folder) => {
    try {
      chdir.call(process, inward(folder));
    } catch (failure) {
      throw error(failure);
    }
  };
  process.cwd = () => outward(cwd.call(process));

  // require("/tmp/module.js"): resolving does not go through node:fs.
  const resolve = Module._resolveFilename;
  Module._resolveFilename = function (request, ...args) {
    return resolve.call(this, typeof request === "string" ? inward(request) : request, ...args);
  };
}

/** What a stream or iterator of chunks gives is counted as it comes. */
function counted(data, options, space) {
  if (typeof data === "string" || ArrayBuffer.isView(data)) return data;
  if (data?.[Symbol.asyncIterator] === undefined && data?.[Symbol.iterator] === undefined) return data;
  return (async function* () {
    for await (const chunk of data) {
      space.take(lengthOf(chunk, options), "write");
      yield chunk;
    }
  })();
}

/** Bytes and position of fs.write's forms: (buffer, offset, length, position), (buffer, options), (text, position, encoding). */
function writtenBy([data, second, third, fourth]) {
  if (typeof data === "string") return { bytes: lengthOf(data, third), position: second };
  const {
    offset = 0,
    length,
    position,
  } = typeof second === "object" && second !== null ? second : { offset: second, length: third, position: fourth };
  const whole = data?.byteLength ?? 0;
  return { bytes: typeof length === "number" ? length : whole - (typeof offset === "number" ? offset : 0), position };
}

function isForWriting(flags) {
  if (typeof flags === "number") return (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0;
  return typeof flags === "string" && /[wa+]/.test(flags);
}

function renamed(entry, outward) {
  for (const member of ["path", "parentPath"]) {
    const value = entry[member];
    if (value !== undefined)
      Object.defineProperty(entry, member, { value: outward(value), configurable: true, writable: true });
  }
  return entry;
}

function ownSpace(figures, { limitBytes, usedBytes }) {
  const number = typeof figures.bsize === "bigint" ? BigInt : Number;
  const blocks = (bytes) => number(Math.max(0, Math.floor(bytes / Number(figures.bsize))));
  figures.blocks = blocks(limitBytes);
  figures.bfree = blocks(limitBytes - usedBytes());
  figures.bavail = figures.bfree;
  return figures;
}

/** Name, length and what util.promisify looks for stay as they were. */
function dressedAs(original, wrapped) {
  const own = Object.getOwnPropertyDescriptors(original);
  delete own.prototype;
  for (const symbol of Object.getOwnPropertySymbols(own)) own[symbol].configurable = true;
  return Object.defineProperties(wrapped, own);
}

function redirectPrograms({ inward, inText }, folder) {
  const arrange = (options) => {
    const env = { ...(options.env ?? process.env) };
    env.TMPDIR = inward(env.TMPDIR ?? folder);
    return { ...options, env, cwd: inward(options.cwd) };
  };
  const wrap = (method, translate) => {
    const original = childProcess[method];
    const wrapped = dressedAs(original, function (...args) {
      return original.apply(this, translate(args));
    });
    const promised = original[promisify.custom];
    if (promised) {
      Object.defineProperty(wrapped, promisify.custom, { value: (...args) => promised(...translate(args)) });
    }
    childProcess[method] = wrapped;
  };
  /** (file, [arguments], [options], [callback]) */
  const withArguments = ([file, ...rest]) => {
    const list = Array.isArray(rest[0]) ? rest.shift().map((each) => inText(String(each))) : [];
    const options = typeof rest[0] === "function" ? {} : (rest.shift() ?? {});
    return [inText(String(file)), list, arrange(options), ...rest];
  };
  for (const method of ["spawn", "spawnSync", "execFile", "execFileSync", "fork"]) {
    if (method === "fork") wrap(method, (args) => withArguments([inward(args[0]), ...args.slice(1)]));
    else wrap(method, withArguments);
  }
  for (const method of ["exec", "execSync"]) {
    wrap(method, ([command, ...rest]) => {
      const options = typeof rest[0] === "function" ? {} : (rest.shift() ?? {});
      return [inText(String(command)), arrange(options), ...rest];
    });
  }
}

if (process.env[SETTING]) install(process.env[SETTING]);
