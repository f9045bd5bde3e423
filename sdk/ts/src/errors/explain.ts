// From what was thrown to the rule that was broken. Anchor's client knows our programs' errors by their logs, others' and the runtime's
// not: `custom program error: 0x1` is all that it leaves of what web3.js throws when preflight fails.

import { PublicKey } from "@solana/web3.js";
import { IDLS, programAt, type ProgramName } from "../idls.js";
import { ASSOCIATED_TOKEN_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "../pda.js";
import { JouleError, type Failure } from "./joule.js";
import { failed, said, type Said, type TransactionError } from "./said.js";
import { ANCHOR, ASSOCIATED_TOKEN, RUNTIME, SYSTEM, TOKEN, type Words } from "./words.js";

const FOREIGN: Record<string, { name: string; words: Words }> = {
  [TOKEN_PROGRAM.toBase58()]: { name: "token", words: TOKEN },
  [TOKEN_2022_PROGRAM.toBase58()]: { name: "token", words: TOKEN },
  [PublicKey.default.toBase58()]: { name: "system", words: SYSTEM },
  [ASSOCIATED_TOKEN_PROGRAM.toBase58()]: { name: "associated token", words: ASSOCIATED_TOKEN },
};

/** Name and text of an error of one of our programs. Each program's numbers lie in a range of their own, so that the number says which. */
export function ruleOf(number: number): { program: ProgramName; code: string; text: string } | null {
  for (const program of Object.keys(IDLS) as ProgramName[]) {
    const found = (IDLS[program].errors as readonly { code: number; name: string; msg?: string }[]).find(({ code }) => code === number);
    // The IDL's type spells names in camel case, the IDL itself as the programs do.
    if (found) return { program, code: found.name, text: found.msg ?? found.name };
  }
  return null;
}

/** Whatever was thrown, as a `JouleError` if it is about a transaction that was refused or failed; anything else as it is. */
export function explain(thrown: unknown): unknown {
  if (thrown instanceof JouleError) return thrown;
  const about = said(thrown);
  const failure = about && failureOf(about);
  return failure ? new JouleError(failure, about.logs, about.signature, thrown) : thrown;
}

/** Awaits, and explains what is thrown. */
export async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    throw explain(thrown);
  }
}

/** What `TransactionError` and logs come to. Null when neither says anything. */
export function failureOf({ error, logs }: Pick<Said, "error" | "logs">): Failure | null {
  const instruction = instructionOf(error);
  const first = failed(logs);
  if (instruction === null && first === null) return error === null ? null : runtime(nameIn(error), null, null);
  const index = instruction?.index ?? null;
  const number = instruction?.number ?? customIn(first?.why ?? "");
  if (number !== null) return custom(number, first?.program ?? null, index, first ? logs.slice(0, first.at) : []);
  const program = first && (programAt(first.program) ?? FOREIGN[first.program]?.name ?? first.program);
  return runtime(instruction?.name ?? first?.why ?? "", program, index);
}

function custom(number: number, address: string | null, instruction: number | null, logs: string[]): Failure {
  const ours = ruleOf(number);
  if (ours) return { code: ours.code, number, program: ours.program, instruction, text: ours.text };
  const foreign = address === null ? undefined : FOREIGN[address];
  const found = foreign?.words[number];
  if (foreign && found) return { code: found[0], number, program: foreign.name, instruction, text: inNumbers(logs) ?? found[1] };
  const program = address === null ? null : (programAt(address) ?? address);
  const anchor = ANCHOR[number];
  if (anchor) return { code: anchor[0], number, program, instruction, text: anchor[1] };
  return { code: `Custom${number}`, number, program, instruction, text: "A program refused it with a number that has no name here" };
}

/** The system program logs what it has and what it would need. */
function inNumbers(logs: string[]): string | null {
  const found = logs.map((line) => /insufficient lamports (\d+), need (\d+)/.exec(line)).find((match) => match);
  if (found) return `The account holds ${found[1]} lamports, and ${found[2]} are needed`;
  const inUse = logs.map((line) => /account Address \{ address: (\w+)/.exec(line)).find((match) => match);
  return inUse ? `An account exists already at ${inUse[1]}` : null;
}

function runtime(name: string, program: string | null, instruction: number | null): Failure {
  const code = RUNTIME[name] ? name : pascal(name);
  return { code, number: null, program, instruction, text: RUNTIME[code] ?? (/ /.test(name) ? name : code.replace(/(?!^)[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)) };
}

/** "Missing required signature for instruction" in place of `MissingRequiredSignature` is what nodes say in sentences. */
function pascal(words: string): string {
  const name = words.replace(/ for instruction$/, "").split(/[^A-Za-z0-9]+/).map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return name === "" ? "Unknown" : name;
}

function instructionOf(error: TransactionError | null): { index: number; number: number | null; name: string } | null {
  const pair = typeof error === "object" ? error?.InstructionError : undefined;
  if (!Array.isArray(pair)) return null;
  const [index, what] = pair as [number, unknown];
  const number = typeof what === "object" && what !== null ? (what as { Custom?: number }).Custom : undefined;
  return { index, number: number ?? null, name: typeof what === "string" ? what : nameIn(what as TransactionError) };
}

const nameIn = (error: TransactionError) => (typeof error === "string" ? error : (Object.keys(error)[0] ?? ""));

function customIn(why: string): number | null {
  const found = /custom program error: (0x[0-9a-f]+|\d+)/.exec(why)?.[1];
  return found === undefined ? null : Number(found);
}
