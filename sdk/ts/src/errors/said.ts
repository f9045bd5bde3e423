// What libraries and RPC nodes say about a transaction that failed, taken apart: as many shapes as there are.

import { SendTransactionError } from "@solana/web3.js";

/** `{ InstructionError: [0, { Custom: 6204 }] }`, `{ InstructionError: [0, "InvalidSeeds"] }`, `"BlockhashNotFound"`, `{ InsufficientFundsForRent: .. }`. */
export type TransactionError = string | Record<string, unknown>;

/** As much as was said. */
export interface Said {
  error: TransactionError | null;
  logs: string[];
  signature: string | null;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const strings = (value: unknown) => (Array.isArray(value) ? value.filter((line): line is string => typeof line === "string") : []);

/** Null when it has nothing to do with a transaction. */
export function said(thrown: unknown): Said | null {
  if (!isObject(thrown)) return null;
  // Of Anchor's `simulate`, of web3.js' `simulateTransaction`, `confirmTransaction` and `getTransaction`.
  for (const inner of ["simulationResponse", "value", "meta"]) {
    const found = isObject(thrown[inner]) ? said(thrown[inner]) : null;
    if (found) return found;
  }
  const logs = strings(thrown.logs ?? thrown.logMessages);
  const signature = typeof thrown.signature === "string" && thrown.signature !== "" ? thrown.signature : null;
  const text = thrown instanceof SendTransactionError ? thrown.transactionError.message : typeof thrown.message === "string" ? thrown.message : "";
  const error = isError(thrown.err) ?? isError(thrown) ?? ofText(text);
  return error !== null || failed(logs) !== null ? { error, logs, signature: signature ?? signatureIn(text) } : null;
}

/** The error itself; an object that is one has one key, in capitals. */
function isError(value: unknown): TransactionError | null {
  if (typeof value === "string" && /^[A-Z]\w+$/.test(value)) return value;
  if (!isObject(value) || value instanceof Error) return null;
  const keys = Object.keys(value);
  return keys.length === 1 && /^[A-Z]/.test(keys[0]!) ? value : null;
}

/** Nodes and libraries put it into a sentence. */
function ofText(text: string): TransactionError | null {
  const json = /\{"InstructionError":\[\d+,(?:"\w+"|\{"\w+":\w+\})\]\}/.exec(text)?.[0];
  if (json) return JSON.parse(json) as TransactionError;
  const instruction = /Error processing Instruction (\d+): (.*?)(?:: \d+ log messages:?)?\.? *(?:\n|$)/.exec(text);
  if (instruction) {
    const custom = /custom program error: (0x[0-9a-f]+|\d+)/.exec(instruction[2]!)?.[1];
    return { InstructionError: [Number(instruction[1]), custom ? { Custom: Number(custom) } : instruction[2]] };
  }
  // Of the whole transaction.
  for (const [pattern, name] of SENTENCES) if (pattern.test(text)) return name;
  return null;
}

const SENTENCES: [RegExp, string][] = [
  [/blockhash not found/i, "BlockhashNotFound"],
  [/insufficient funds for fee/i, "InsufficientFundsForFee"],
  [/insufficient funds for rent/i, "InsufficientFundsForRent"],
  [/no record of a prior credit/i, "AccountNotFound"],
  [/already been processed/i, "AlreadyProcessed"],
  [/program that does not exist/i, "ProgramAccountNotFound"],
  [/signature verification fail/i, "SignatureFailure"],
];

const signatureIn = (text: string) => /\b[1-9A-HJ-NP-Za-km-z]{86,88}\b/.exec(text)?.[0] ?? null;

/** The program that failed first, and so made those fail that had called it; and why. */
export function failed(logs: string[]): { program: string; why: string; at: number } | null {
  for (const [at, line] of logs.entries()) {
    const found = /^Program (\w{32,44}) failed: (.*)$/.exec(line);
    if (found) return { program: found[1]!, why: found[2]!, at };
  }
  return null;
}
