// Hides the packages in node_modules folders above the function's code from it: on Lambda there are none, here the data folder often
// lies in a project that has some. Preloaded (--require) only where there is such a folder.
"use strict";

const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const { fileURLToPath } = require("node:url");

const root = fs.realpathSync(process.env.LAMBDA_TASK_ROOT) + path.sep;
const isOwn = (file) => `${file}${path.sep}`.startsWith(root);
const isOwnUrl = (url) => isOwn(fileURLToPath(url));
const isFile = (url) => url?.startsWith("file:") === true;

const lookup = Module._nodeModulePaths;
Module._nodeModulePaths = (from) => (isOwn(from) ? lookup(from).filter(isOwn) : lookup(from));

// Node before 22.15 has no such hooks: there import goes on to find these packages.
Module.registerHooks?.({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    if (!isFile(context.parentURL) || !isOwnUrl(context.parentURL)) return found;
    if (!isFile(found.url) || !found.url.includes("/node_modules/") || isOwnUrl(found.url)) return found;
    const message = `Cannot find package '${specifier}' imported from ${fileURLToPath(context.parentURL)}`;
    throw Object.assign(new Error(message), { code: "ERR_MODULE_NOT_FOUND" });
  },
});
