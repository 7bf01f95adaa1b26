import { Output } from "../../../src/ui/output.ts";

/** An Output whose streams are kept as text. */
export function captureOutput(
  options: { terminal?: boolean; columns?: number; environment?: Record<string, string> } = {},
) {
  const written = { stdout: "", stderr: "" };
  const stream = (to: "stdout" | "stderr") => ({
    isTTY: options.terminal ?? false,
    columns: options.columns ?? 80,
    write: (text: string) => {
      written[to] += text;
      return true;
    },
  });
  const output = new Output({
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    environment: options.environment ?? {},
  });
  return { output, written };
}
