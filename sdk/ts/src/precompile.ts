// The instruction that makes the chain check one signature, in the layout that Joule's programs read.

import { Ed25519Program, TransactionInstruction } from "@solana/web3.js";
import { Buffer } from "buffer";
import { concat } from "./bytes.js";

const KEY_AT = 16;
const SIGNATURE_AT = 48;
const MESSAGE_AT = 112;
/** In the place of an instruction's index: this one. */
const HERE = 0xffff;

/** Data for an instruction to the ed25519 precompile. Goes right before the instruction that needs the signature. */
export function precompileData(key: Uint8Array, signature: Uint8Array, message: Uint8Array): Uint8Array {
  if (key.length !== 32 || signature.length !== 64) throw new RangeError("a key has 32 bytes and a signature 64");
  if (message.length > 0xffff) throw new RangeError(`no instruction holds a message of ${message.length} bytes`);
  const header = new DataView(new ArrayBuffer(16));
  header.setUint8(0, 1);
  [SIGNATURE_AT, HERE, KEY_AT, HERE, MESSAGE_AT, message.length, HERE].forEach((value, n) => header.setUint16(2 + 2 * n, value, true));
  return concat([new Uint8Array(header.buffer), key, signature, message]);
}

export function precompileInstruction(key: Uint8Array, signature: Uint8Array, message: Uint8Array): TransactionInstruction {
  const data = Buffer.from(precompileData(key, signature, message));
  return new TransactionInstruction({ programId: Ed25519Program.programId, keys: [], data });
}
