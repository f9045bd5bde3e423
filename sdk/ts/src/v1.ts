// Version 1 transactions: 4,096 bytes and 64 addresses, no lookup tables, and the limits in the head, where one that is left
// out is zero. The wire is @solana/transactions'; which address stands where is decided here, as the Rust SDK does.

import type { PublicKey, TransactionInstruction } from "@solana/web3.js";
import type { Address } from "@solana/addresses";
import {
  getCompiledTransactionMessageDecoder, getCompiledTransactionMessageEncoder,
  type CompiledTransactionMessage, type CompiledTransactionMessageWithLifetime,
} from "@solana/transaction-messages";
import { getTransactionDecoder, getTransactionEncoder, type Transaction } from "@solana/transactions";
import { compare } from "./bytes.js";
import type { Signer } from "./signing.js";

/** The longest transaction. */
export const MAX_BYTES = 4_096;
/** The most addresses that one names, programs included. */
export const MAX_ADDRESSES = 64;
/** Its account says whether a cluster takes version 1: it begins with a 1, and the feature program owns it. */
export const FEATURE = "txv1aq4pp281K9um3tnPgkfX8UqtFT6wcVW3hNezGLL";
export const FEATURE_PROGRAM = "Feature111111111111111111111111111111111111";

/** What a transaction may use. simulateTransaction says what it does use, when asked under `MOST`. */
export interface Limits {
  computeUnits: number;
  /** Of all accounts that it names, and 64 more for each; of a program, its code too. */
  loadedBytes: number;
  /** A multiple of 1,024; left out it is 32 KiB, the one limit with a default. */
  heapBytes?: number | undefined;
  /** Lamports for all of it, not millionths for each compute unit. */
  priorityFee?: bigint | undefined;
}

/** The most that any cluster grants. */
export const MOST: Limits = { computeUnits: 1_400_000, loadedBytes: 64 * 1024 * 1024 };

const PRIORITY_FEE = 0b11;
const COMPUTE_UNITS = 0b100;
const LOADED_BYTES = 0b1000;
const HEAP_BYTES = 0b10000;

type Compiled = Extract<CompiledTransactionMessage & CompiledTransactionMessageWithLifetime, { version: 1 }>;

interface Role {
  key: PublicKey;
  signs: boolean;
  writes: boolean;
}

/** The payer, then by role, and by bytes among equals. */
function roles(payer: PublicKey, instructions: TransactionInstruction[]): Role[] {
  const roles = new Map<string, Role>();
  const take = (key: PublicKey, signs: boolean, writes: boolean) => {
    const before = roles.get(key.toBase58());
    roles.set(key.toBase58(), { key, signs: signs || !!before?.signs, writes: writes || !!before?.writes });
  };
  for (const { programId, keys } of instructions) {
    take(programId, false, false);
    keys.forEach(({ pubkey, isSigner, isWritable }) => take(pubkey, isSigner, isWritable));
  }
  roles.delete(payer.toBase58());
  const rank = ({ signs, writes }: Role) => (signs ? 0 : 2) + (writes ? 0 : 1);
  const others = [...roles.values()].sort((a, b) => rank(a) - rank(b) || compare(a.key.toBytes(), b.key.toBytes()));
  return [{ key: payer, signs: true, writes: true }, ...others];
}

function config({ computeUnits, loadedBytes, heapBytes, priorityFee = 0n }: Limits) {
  const values: { kind: "u32" | "u64"; value: number | bigint }[] = [];
  let mask = COMPUTE_UNITS | LOADED_BYTES;
  if (priorityFee > 0n) {
    mask |= PRIORITY_FEE;
    values.push({ kind: "u64", value: priorityFee });
  }
  values.push({ kind: "u32", value: computeUnits }, { kind: "u32", value: loadedBytes });
  if (heapBytes !== undefined) {
    mask |= HEAP_BYTES;
    values.push({ kind: "u32", value: heapBytes });
  }
  return { configMask: mask, configValues: values as Compiled["configValues"] };
}

/** What is signed. */
export function compile(payer: PublicKey, instructions: TransactionInstruction[], blockhash: string, limits: Limits): Uint8Array {
  const all = roles(payer, instructions);
  if (all.length > MAX_ADDRESSES) throw new RangeError(`a transaction names ${MAX_ADDRESSES} addresses, and not ${all.length}`);
  const place = new Map(all.map(({ key }, n) => [key.toBase58(), n]));
  const at = (key: PublicKey) => place.get(key.toBase58())!;
  const count = (which: (role: Role) => boolean) => all.filter(which).length;
  const message: Compiled = {
    version: 1,
    header: {
      numSignerAccounts: count(({ signs }) => signs),
      numReadonlySignerAccounts: count(({ signs, writes }) => signs && !writes),
      numReadonlyNonSignerAccounts: count(({ signs, writes }) => !signs && !writes),
    },
    ...config(limits),
    lifetimeToken: blockhash,
    numInstructions: instructions.length,
    numStaticAccounts: all.length,
    staticAccounts: all.map(({ key }) => key.toBase58() as Address),
    instructionHeaders: instructions.map(({ programId, keys, data }) => ({
      programAccountIndex: at(programId),
      numInstructionAccounts: keys.length,
      numInstructionDataBytes: data.length,
    })),
    instructionPayloads: instructions.map(({ keys, data }) => ({
      instructionAccountIndices: keys.map(({ pubkey }) => at(pubkey)),
      instructionData: new Uint8Array(data),
    })),
  };
  return new Uint8Array(getCompiledTransactionMessageEncoder().encode(message));
}

/** The transaction as it goes over the wire. `signers` are all who must sign, in any order. */
export function sign(message: Uint8Array, signers: Signer[]): Uint8Array {
  const { header, staticAccounts } = getCompiledTransactionMessageDecoder().decode(message) as Compiled;
  const signatures = staticAccounts.slice(0, header.numSignerAccounts).map((address) => {
    const signer = signers.find(({ address: own }) => own === address);
    if (!signer) throw new RangeError(`${address} has not signed`);
    return [address, signer.sign(message)];
  });
  const transaction = { messageBytes: message, signatures: Object.fromEntries(signatures) } as unknown as Transaction;
  const bytes = new Uint8Array(getTransactionEncoder().encode(transaction));
  if (bytes.length > MAX_BYTES) throw new RangeError(`a transaction holds ${MAX_BYTES} bytes, and not ${bytes.length}`);
  return bytes;
}

/** What came over the wire. */
export interface Read {
  /** As @solana/transaction-messages names its parts. */
  message: CompiledTransactionMessage & { version: 1 };
  messageBytes: Uint8Array;
  /** In the order of their keys; null where one has not signed. */
  signatures: (Uint8Array | null)[];
}

export function read(bytes: Uint8Array): Read {
  if (bytes.length > MAX_BYTES) throw new RangeError(`a transaction holds ${MAX_BYTES} bytes, and not ${bytes.length}`);
  const { messageBytes, signatures } = getTransactionDecoder().decode(bytes);
  const message = getCompiledTransactionMessageDecoder().decode(messageBytes);
  if (message.version !== 1) throw new RangeError("not a transaction of version 1");
  return { message, messageBytes: new Uint8Array(messageBytes), signatures: Object.values(signatures) };
}
