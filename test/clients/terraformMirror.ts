import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { answers } from "./programs.ts";

const PROVIDER = "registry.terraform.io/hashicorp/aws";

/**
 * A folder that holds the AWS provider, in the layout of Terraform's filesystem mirrors, or why the Terraform tests cannot run.
 * Nothing is ever downloaded. Looked for in MINILAKE_TERRAFORM_MIRROR, in the `filesystem_mirror` of Terraform's own configuration,
 * in TF_PLUGIN_CACHE_DIR, where Terraform itself looks, and in the folders of /opt.
 * https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
 */
export function terraformMirror(): { folder: string } | { reason: string } {
  if (!answers("terraform", ["-version"])) return { reason: "the program terraform is not installed" };
  const { MINILAKE_TERRAFORM_MIRROR, TF_CLI_CONFIG_FILE, TF_PLUGIN_CACHE_DIR } = process.env;
  const candidates = [
    MINILAKE_TERRAFORM_MIRROR,
    ...configured(TF_CLI_CONFIG_FILE ?? join(homedir(), ".terraformrc")),
    TF_PLUGIN_CACHE_DIR,
    join(homedir(), ".terraform.d/plugins"),
    join(homedir(), ".local/share/terraform/plugins"),
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    ...foldersIn("/opt"),
  ];
  const folder = candidates.find((each) => each !== undefined && each !== "" && holdsProvider(each));
  if (folder !== undefined) return { folder };
  return { reason: "no folder with Terraform's AWS provider: set MINILAKE_TERRAFORM_MIRROR to one" };
}

const foldersIn = (folder: string) => (existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []);

function configured(file: string): string[] {
  if (!existsSync(file)) return [];
  const blocks = readFileSync(file, "utf8").matchAll(/filesystem_mirror\s*\{[^}]*?path\s*=\s*"([^"]+)"/g);
  return [...blocks].map(([, path]) => path!);
}

const holdsProvider = (folder: string) => {
  const provider = join(folder, PROVIDER);
  return existsSync(provider) && readdirSync(provider).length > 0;
};
