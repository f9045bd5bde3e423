// Accounts as plain values.

import { Program, type BorshCoder, type Provider as AnchorProvider } from "@anchor-lang/core";
import type { Commitment, Connection, PublicKey } from "@solana/web3.js";
import { provideBuffer } from "./buffer.js";
import { IDLS, PROGRAMS, type ProgramName } from "./idls.js";
import { plain, type Accounts } from "./plain.js";

const coders = new Map<ProgramName, BorshCoder>();

/** Reads and writes what a program's IDL describes, names in camel case. */
export function coder(program: ProgramName): BorshCoder {
  let own = coders.get(program);
  if (!own) {
    provideBuffer();
    own = new Program(IDLS[program] as never, {} as AnchorProvider).coder as BorshCoder;
    coders.set(program, own);
  }
  return own;
}

/** What is kept as each kind of account. */
export type Job = Accounts<"escrow">["job"];
export type Client = Accounts<"escrow">["client"];
export type Bid = Accounts<"escrow">["bid"];
export type Dispute = Accounts<"escrow">["dispute"];
export type Vote = Accounts<"escrow">["vote"];
export type Panel = Accounts<"escrow">["panel"];
export type Provider = Accounts<"registry">["provider"];
export type Model = Accounts<"registry">["model"];
export type PriceList = Accounts<"registry">["priceList"];
export type Payer = Accounts<"billing">["payer"];
export type Channel = Accounts<"billing">["channel"];
export type Plan = Accounts<"billing">["plan"];
export type Cluster = Accounts<"billing">["cluster"];
export type Bond = Accounts<"staking">["bond"];
export type Claim = Accounts<"staking">["claim"];
export type Stake = Accounts<"staking">["stake"];
export type Protocol = Accounts<"treasury">["protocol"];

/** An account of a program by its kind, from its bytes. Throws when they are another kind's. */
export function decodeAccount<P extends ProgramName, T extends keyof Accounts<P> & string>(program: P, kind: T, data: Uint8Array): Accounts<P>[T] {
  return plain(kind, coder(program).accounts.decode(kind, data as never)) as Accounts<P>[T];
}

/** Null when there is none. Throws for an account that is something else. */
export async function findAccount<P extends ProgramName, T extends keyof Accounts<P> & string>(
  connection: Connection, program: P, kind: T, address: PublicKey, commitment?: Commitment,
): Promise<Accounts<P>[T] | null> {
  const account = await connection.getAccountInfo(address, commitment);
  if (!account || account.lamports === 0) return null;
  if (!account.owner.equals(PROGRAMS[program])) throw new Error(`${address} is no ${kind} of the ${program} program: it is ${account.owner}'s`);
  return decodeAccount(program, kind, account.data);
}

/** As `findAccount`, where it must be there. */
export async function readAccount<P extends ProgramName, T extends keyof Accounts<P> & string>(
  connection: Connection, program: P, kind: T, address: PublicKey, commitment?: Commitment,
): Promise<Accounts<P>[T]> {
  const found = await findAccount(connection, program, kind, address, commitment);
  if (!found) throw new Error(`there is no ${kind} at ${address}`);
  return found;
}
