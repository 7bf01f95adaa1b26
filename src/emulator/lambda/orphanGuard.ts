import { type ChildProcess, spawn } from "node:child_process";

/** Reads "+ <group>" and "- <group>"; when its input ends, kills the groups that are left. */
const SCRIPT = `
groups=" "
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
`;

/**
 * A small process that kills process groups as soon as this process is gone, in whatever way: one that is stopped cannot notice
 * that by itself. It starts with the first group. Does nothing on Windows, where no process is ever stopped.
 */
export class OrphanGuard {
  readonly #groups = new Set<number>();
  #child: ChildProcess | undefined;
  #isClosed = false;

  /** True when this group would not outlive this process: it may be stopped. */
  guards(group: number): boolean {
    return this.#child?.pid !== undefined && this.#groups.has(group);
  }

  add(group: number): void {
    this.#groups.add(group);
    if (this.#child) this.#tell("+", group);
    else this.#start();
  }

  remove(group: number): void {
    this.#groups.delete(group);
    this.#tell("-", group);
  }

  close(): void {
    this.#isClosed = true;
    this.#child?.stdin?.end();
  }

  #start(): void {
    if (process.platform === "win32" || this.#isClosed) return;
    // A session of its own: what ends this process by its group or terminal leaves the guard to do its work.
    const child = spawn("/bin/sh", ["-c", SCRIPT], { stdio: ["pipe", "ignore", "ignore"], detached: true, cwd: "/" });
    this.#child = child;
    const forget = () => {
      if (this.#child === child) this.#child = undefined;
    };
    child.on("error", forget);
    child.on("exit", forget);
    child.stdin.on("error", forget);
    // Neither keeps the endpoint alive.
    child.unref();
    (child.stdin as unknown as { unref(): void }).unref();
    for (const group of this.#groups) this.#tell("+", group);
  }

  #tell(sign: "+" | "-", group: number): void {
    this.#child?.stdin?.write(`${sign} ${group}\n`);
  }
}
