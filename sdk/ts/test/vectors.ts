// crates/voucher/vectors.json, with its hex as bytes and its decimal strings as bigints.

import { unhex as bytes } from "../src/index.js";
import { vectors as raw } from "./data/vectors.js";

export { bytes };
export type Row = Record<string, any>;

const camel = (name: string) => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
/** These are always numbers of 64 bits; other strings of digits alone are hex. */
const NUMBERS = new Set(
  ("sequence cumulative units expiresAt nonce maxAmount inputTokens outputTokens images milliseconds amount at settled most " +
    "sessionExpiresAt now perRequest perMillionInput perMillionOutput perImage perSecond").split(" "),
);
const TEXTS = new Set(["what", "who", "domain", "format", "refusal"]);

function read(name: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => read(name, item));
  if (value !== null && typeof value === "object") return fields(value as Row);
  if (typeof value !== "string" || TEXTS.has(name)) return value;
  return NUMBERS.has(name) ? BigInt(value) : bytes(value);
}

function fields(row: Row): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [camel(name), read(camel(name), value)]));
}

/** All rows of a section; a section that is not there, or empty, is an error. */
export function vectors(section: string): Row[] {
  const rows = raw[section] ?? [];
  if (rows.length === 0) throw new Error(`vectors.json has no ${section}`);
  return rows.map(fields);
}
