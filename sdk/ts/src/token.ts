// A mint, and the usual accounts that hold it.

import { Buffer } from "buffer";
import { PublicKey, SystemProgram, TransactionInstruction, type Connection } from "@solana/web3.js";
import { unlittle } from "./bytes.js";
import * as pda from "./pda.js";

export interface Mint {
  address: PublicKey;
  /** Whose token it is: SPL Token or Token-2022. */
  program: PublicKey;
  decimals: number;
}

const DECIMALS_AT = 44;
const AMOUNT_AT = 64;

export async function readMint(connection: Connection, address: PublicKey): Promise<Mint> {
  const account = await connection.getAccountInfo(address);
  const isToken = account && (account.owner.equals(pda.TOKEN_PROGRAM) || account.owner.equals(pda.TOKEN_2022_PROGRAM));
  if (!isToken || account.data.length <= DECIMALS_AT) throw new Error(`${address} is no mint on this cluster`);
  return { address, program: account.owner, decimals: account.data[DECIMALS_AT]! };
}

/** Base units in a token account; 0 when there is none. */
export async function balanceOf(connection: Connection, account: PublicKey): Promise<bigint> {
  const found = await connection.getAccountInfo(account);
  return found && found.data.length >= AMOUNT_AT + 8 ? unlittle(found.data.subarray(AMOUNT_AT, AMOUNT_AT + 8)) : 0n;
}

/** Makes the usual account of `owner`, if there is none. */
export function createAssociated(payer: PublicKey, owner: PublicKey, mint: PublicKey, program: PublicKey): TransactionInstruction {
  const key = (pubkey: PublicKey, isSigner: boolean, isWritable: boolean) => ({ pubkey, isSigner, isWritable });
  const keys = [
    key(payer, true, true), key(pda.associatedToken(owner, mint, program), false, true), key(owner, false, false),
    key(mint, false, false), key(SystemProgram.programId, false, false), key(program, false, false),
  ];
  return new TransactionInstruction({ programId: pda.ASSOCIATED_TOKEN_PROGRAM, keys, data: Buffer.from([1]) });
}
