import type { Command, Option } from "commander";
import { MinilakeError } from "../errors.ts";
import type { CommandContext } from "./context.ts";

/** Prints a script that makes a shell complete commands, their options and file names. */
export function runCompletion({ output }: CommandContext, program: Command, shell: string): void {
  const commands = [program, ...program.commands].map(describe);
  const render = Object.hasOwn(RENDERERS, shell) ? RENDERERS[shell as keyof typeof RENDERERS] : undefined;
  if (render === undefined) {
    throw new MinilakeError("Usage", `minilake completion: there is none for ${shell}.`, {
      hint: `Shells: ${Object.keys(RENDERERS).join(", ")}.`,
    });
  }
  output.raw("stdout", render(commands));
}

const RENDERERS = { bash, zsh, fish };

interface Described {
  /** "" for the program itself. */
  name: string;
  summary: string;
  /** Of its own. */
  subcommands: { name: string; summary: string }[];
  options: { long: string; short: string | undefined; summary: string; takesValue: boolean; values: string[] }[];
}

/** Values of options that have few. */
const VALUES: Record<string, string[]> = { "--backend": ["embedded", "localstack", "aws"] };

function describe(command: Command): Described {
  const named = (each: Command) => ({
    name: each.name(),
    summary: each.summary() || each.description().split("\n")[0]!,
  });
  return {
    name: command.parent ? command.name() : "",
    summary: named(command).summary,
    subcommands: command.commands.map(named),
    options: command.options
      .filter((option: Option) => option.long !== undefined && !option.hidden)
      .map((option: Option) => ({
        long: option.long!,
        short: option.short ?? undefined,
        summary: option.description,
        takesValue: option.required || option.optional,
        values: VALUES[option.long!] ?? [],
      })),
  };
}

const words = ({ options, subcommands }: Described) =>
  [
    ...subcommands.map(({ name }) => name),
    ...options.flatMap(({ long, short }) => [long, short ?? []].flat()),
    "--help",
  ].join(" ");

function bash(commands: Described[]): string {
  const cases = commands
    .filter(({ name }) => name !== "")
    .map((command) => `    ${command.name}) words="${words(command)}" ;;`);
  const values = Object.entries(VALUES).map(([option, list]) => `    ${option}) words="${list.join(" ")}" ;;`);
  return `# minilake completion for bash. To use it:  eval "$(minilake completion bash)"
_minilake() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  case "$previous" in
${values.join("\n")}
  esac
  if [ -z "$words" ]; then
    case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    esac
    if [ "$COMP_CWORD" -eq 1 ]; then words="${words(commands[0]!)}"; fi
    case "$current" in
      -*) ;;
      *) if [ "$COMP_CWORD" -gt 1 ]; then COMPREPLY=($(compgen -W "$(printf '%s\\n' $words | grep -v '^-')" -- "$current") $(compgen -f -- "$current")); return; fi ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o filenames -F _minilake minilake
`;
}

function zsh(commands: Described[]): string {
  const quoted = (text: string) =>
    text.replaceAll("'", "'\\''").replaceAll("[", "\\[").replaceAll("]", "\\]").replaceAll(":", "\\:");
  const list = (items: { name: string; summary: string }[]) =>
    items.map(({ name, summary }) => `'${name}:${quoted(summary)}'`).join(" ");
  const cases = commands
    .filter(({ name }) => name !== "")
    .map(({ name, options, subcommands }) => {
      const specs = options.map(
        ({ long, summary, takesValue, values }) =>
          `'${long}[${quoted(summary)}]${takesValue ? `:value:${values.length > 0 ? `(${values.join(" ")})` : "_files"}` : ""}'`,
      );
      const first = subcommands.length > 0 ? `'2:subcommand:(${subcommands.map((each) => each.name).join(" ")})' ` : "";
      return `    ${name}) _arguments ${first}${specs.join(" ")} '*:file:_files' ;;`;
    });
  return `#compdef minilake
# minilake completion for zsh. To use it:  eval "$(minilake completion zsh)"
_minilake() {
  if (( CURRENT == 2 )); then
    local -a commands=(${list(commands[0]!.subcommands)})
    _describe command commands
    return
  fi
  case "$words[2]" in
${cases.join("\n")}
  esac
}
if [ "$funcstack[1]" = "_minilake" ]; then _minilake "$@"; else compdef _minilake minilake; fi
`;
}

function fish(commands: Described[]): string {
  const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = commands[0]!.subcommands.map(
    ({ name, summary }) => `complete -c minilake -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
  );
  for (const { name, options, subcommands } of commands.filter((each) => each.name !== "")) {
    const here = `-n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
    for (const each of subcommands)
      lines.push(`complete -c minilake ${here} -a ${each.name} -d ${quoted(each.summary)}`);
    for (const { long, short, summary, takesValue, values } of options) {
      const value = takesValue ? (values.length > 0 ? ` -x -a ${quoted(values.join(" "))}` : " -r") : "";
      const letter = short ? ` -s ${short.slice(1)}` : "";
      lines.push(`complete -c minilake ${here} -l ${long.slice(2)}${letter}${value} -d ${quoted(summary)}`);
    }
  }
  return `# minilake completion for fish. To use it:  minilake completion fish | source\n${lines.join("\n")}\n`;
}
