// Instructions by name, from the IDL: accounts go by their names whatever group they are in, and what has only one possible
// address need not be named.

import { PublicKey, TransactionInstruction, type AccountMeta } from "@solana/web3.js";
import BN from "bn.js";
import { coder } from "./accounts.js";
import { IDLS, PROGRAMS, type ProgramName } from "./idls.js";
import * as pda from "./pda.js";

interface Account {
  name: string;
  address?: string;
  writable?: boolean;
  signer?: boolean;
  optional?: boolean;
  accounts?: Account[];
}
/** Addresses by the IDL's names in camel case; null leaves an optional one out. */
export type Named = Record<string, PublicKey | null>;
/** Arguments by the IDL's names in camel case; bigints and bytes as they are. */
export type Args = Record<string, unknown>;

const camel = (name: string) => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

function usual(program: ProgramName): Named {
  const at = PROGRAMS[program];
  return {
    program: at,
    eventAuthority: pda.eventAuthority(at),
    claimSigner: pda.claimSigner(at),
    stakingEvents: pda.eventAuthority(PROGRAMS.staking),
    staking: PROGRAMS.staking,
    protocol: pda.protocol(),
    cluster: pda.cluster(),
    tokenProgram: pda.TOKEN_PROGRAM,
  };
}

/**
 * `build("escrow", "approve", { resultHash }, { client, job, .. })`. Throws a RangeError that names an account or argument which is
 * missing or which the instruction does not have. `tokenProgram` is SPL Token's unless it is named.
 */
export function build(program: ProgramName, instruction: string, args: Args, accounts: Named, more: AccountMeta[] = []): TransactionInstruction {
  const found = (IDLS[program].instructions as unknown as { name: string; args: { name: string }[]; accounts: Account[] }[])
    .find(({ name }) => camel(name) === instruction);
  const what = `${program}'s ${instruction}`;
  if (!found) throw new RangeError(`there is no instruction ${what}`);
  const flat = (all: Account[]): Account[] => all.flatMap((account) => (account.accounts ? flat(account.accounts) : [account]));
  const wanted = flat(found.accounts);
  check(what, "account", Object.keys(accounts), wanted.map(({ name }) => camel(name)));
  check(what, "argument", Object.keys(args), found.args.map(({ name }) => camel(name)));
  const known = { ...usual(program), ...accounts };
  const keys = wanted.map((account) => {
    const pubkey = fixed(account) ?? known[camel(account.name)];
    if (!pubkey && !account.optional) throw new RangeError(`${what} needs the account ${camel(account.name)}`);
    // Anchor's way of leaving one out.
    if (!pubkey) return { pubkey: PROGRAMS[program], isSigner: false, isWritable: false };
    return { pubkey, isSigner: !!account.signer, isWritable: !!account.writable };
  });
  for (const { name } of found.args) if (args[camel(name)] === undefined) throw new RangeError(`${what} needs the argument ${camel(name)}`);
  const data = coder(program).instruction.encode(instruction, anchors(args));
  return new TransactionInstruction({ programId: PROGRAMS[program], keys: [...keys, ...more], data });
}

/** Where the generator knows the account by a field of another one, it writes that field's path into the place of the address. */
const fixed = ({ address }: Account) => (address && !address.includes(".") ? new PublicKey(address) : undefined);

function check(what: string, kind: string, given: string[], known: string[]): void {
  const strange = given.find((name) => !known.includes(name));
  if (strange !== undefined) throw new RangeError(`${what} has no ${kind} ${strange}, but ${known.join(", ") || "none"}`);
}

/** What Anchor's coder takes. */
function anchors(value: unknown): any {
  if (typeof value === "bigint") return new BN(value.toString());
  if (value instanceof Uint8Array) return Array.from(value);
  if (Array.isArray(value)) return value.map(anchors);
  if (typeof value === "object" && value !== null && !(value instanceof PublicKey)) {
    return Object.fromEntries(Object.entries(value).map(([name, own]) => [name, anchors(own)]));
  }
  return value;
}
