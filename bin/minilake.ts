#!/usr/bin/env node
// Plain syntax and no static imports: this file must still parse on a Node that is too old for the rest.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `minilake needs Node 20.19 or newer, and this is Node ${process.versions.node}.\n  Install a newer one from https://nodejs.org and run the same command again.\n`,
  );
  process.exitCode = 1;
} else {
  import("../src/cli/main.ts").then(({ runProcess }) => runProcess());
}
