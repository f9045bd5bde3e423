// The programs of README.md.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SDK } from "./repository.js";

/** By file name. Every block of TypeScript has one. */
export function samples(): Map<string, string> {
  const page = readFileSync(join(SDK, "README.md"), "utf8");
  const found = [...page.matchAll(/<!-- sample (\S+) -->\n```ts\n([\s\S]*?)```/g)].map(([, name, text]) => [name!, text!] as const);
  const blocks = page.match(/^```ts$/gm)?.length ?? 0;
  if (found.length !== blocks) throw new Error(`README.md has ${blocks} programs, of which ${found.length} have a name`);
  return new Map(found);
}

/** Statements' lines: no imports, blank lines, comments. */
export const linesOf = (sample: string) => sample.split("\n").filter((line) => !/^\s*(\/\/.*)?$|^import /.test(line)).length;
