// Copies what the repository has elsewhere to where the compiler, bundlers and `npm pack` find it: each IDL, and what the tests
// compare with Rust, as a module, since not every Node and not every bundler imports JSON.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const repository = new URL("../../../", import.meta.url);
const read = (path) => readFileSync(new URL(path, repository), "utf8");
const write = (path, text) => {
  const to = new URL(`../${path}`, import.meta.url);
  mkdirSync(new URL("./", to), { recursive: true });
  writeFileSync(to, text);
};
/** Parsed when it is loaded: a literal of this size takes the compiler a minute. */
const module = (json, type) => `JSON.parse(${JSON.stringify(JSON.stringify(JSON.parse(json)))}) as ${type};\n`;

for (const name of ["billing", "escrow", "registry", "staking", "treasury"]) {
  const type = `Joule${name[0].toUpperCase()}${name.slice(1)}`;
  write(`src/idl/${name}.ts`, `${read(`idl/${name}.ts`)}\nexport const IDL = ${module(read(`idl/${name}.json`), type)}`);
}
write("test/data/vectors.ts", `export const vectors = ${module(read("crates/voucher/vectors.json"), "Record<string, Record<string, any>[]>")}`);
write("test/data/v1.ts", `export const rows = ${module(read("sdk/v1.json"), "any[]")}`);
