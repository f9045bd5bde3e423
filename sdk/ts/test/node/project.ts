// Another project, which has installed the tarball that `npm pack` makes.

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { SDK } from "./repository.js";

const run = promisify(execFile);

export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), "joule-dapp-"));

  /** `files` are its sources, by name. */
  static async make(files: Map<string, string>): Promise<Project> {
    const project = new Project();
    const { folder } = project;
    const packed = JSON.parse((await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], { cwd: SDK })).stdout) as { filename: string }[];
    const versions = (JSON.parse(readFileSync(join(SDK, "package.json"), "utf8")) as { devDependencies: Record<string, string> }).devDependencies;
    const pinned = Object.fromEntries(["@solana/web3.js", "@types/node", "typescript"].map((name) => [name, versions[name]]));
    const dependencies = { "@joule/sdk": `file:./${packed[0]!.filename}`, ...pinned };
    project.write("package.json", JSON.stringify({ name: "dapp", private: true, type: "module", dependencies }));
    project.write("tsconfig.json", JSON.stringify({
      compilerOptions: { target: "es2022", module: "nodenext", strict: true, skipLibCheck: true, outDir: "out", types: ["node"] }, include: ["src"],
    }));
    mkdirSync(join(folder, "src"));
    files.forEach((text, name) => project.write(join("src", name), text));
    await run("npm", ["install", "--prefer-offline", "--no-fund", "--no-audit", "--silent", "--ignore-scripts"], { cwd: folder });
    return project;
  }

  private write(path: string, text: string): void {
    writeFileSync(join(this.folder, path), text);
  }

  /** Type-checks and compiles. Throws what the compiler says. */
  async compile(): Promise<void> {
    await run("npx", ["tsc"], { cwd: this.folder }).catch((error: { stdout: string }) => {
      throw new Error(error.stdout);
    });
  }

  /** What the program prints. */
  async run(name: string, cwd: string, env: Record<string, string>): Promise<string> {
    const file = join(this.folder, "out", name.replace(/\.ts$/, ".js"));
    const { stdout } = await run(process.execPath, [file], { cwd, env: { ...process.env, ...env }, timeout: 120_000 }).catch((error: Error & { stderr?: string; stdout?: string }) => {
      throw new Error(`${name}: ${error.stdout}\n${error.stderr ?? error.message}`);
    });
    return stdout;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
