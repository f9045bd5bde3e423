// Bundles for browsers, as a dApp's build makes them.

import { build, type Metafile } from "esbuild";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { SDK } from "./repository.js";

/** One file out of `text`, which imports from the SDK's dist; throws for what a browser does not have. */
export async function bundle(text: string, alias: Record<string, string> = {}): Promise<{ code: string; metafile: Metafile }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: text, resolveDir: join(SDK, "dist"), loader: "js" },
    bundle: true, write: false, metafile: true, platform: "browser", format: "esm", target: "es2022", logLevel: "silent", alias,
    define: { "process.env.NODE_ENV": '"production"', global: "globalThis" },
  });
  return { code: outputFiles[0]!.text, metafile };
}

/** Node's modules that a bundle would still ask for. */
export function nodeModulesIn({ outputs }: Metafile): string[] {
  const asked = Object.values(outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  return asked.filter((path) => path.startsWith("node:") || builtinModules.includes(path));
}
