import assert from "node:assert/strict";
import { Buffer } from "buffer";
import { test } from "node:test";
import { PublicKey, TransactionInstruction, VersionedMessage } from "@solana/web3.js";
import { Signer, v1 } from "../src/index.js";
import { rows } from "./data/v1.js";
import { bytes } from "./vectors.js";

const instruction = ({ program, accounts, data }: any) =>
  new TransactionInstruction({
    programId: new PublicKey(program),
    keys: accounts.map(([address, isSigner, isWritable]: [string, boolean, boolean]) => ({
      pubkey: new PublicKey(address), isSigner, isWritable,
    })),
    data: Buffer.from(bytes(data)),
  });

const limitsOf = (row: any): v1.Limits => ({
  computeUnits: row.compute_units,
  loadedBytes: row.loaded_bytes,
  heapBytes: row.heap_bytes ?? undefined,
  priorityFee: BigInt(row.priority_fee),
});

test("transactions of version 1 are the same bytes as in Rust, and come back", () => {
  for (const row of rows) {
    const signers: Signer[] = row.secrets.map((secret: string) => new Signer(bytes(secret)));
    const payer = new PublicKey(signers[0]!.publicKey);
    const message = v1.compile(payer, row.instructions.map(instruction), row.blockhash, limitsOf(row));
    assert.deepEqual(message, bytes(row.message), row.what);
    const transaction = v1.sign(message, [...signers].reverse());
    assert.deepEqual(transaction, bytes(row.transaction), row.what);
    const read = v1.read(transaction);
    assert.deepEqual(read.messageBytes, message, row.what);
    assert.equal(read.signatures.length, signers.length);
    assert.equal(read.message.numInstructions, row.instructions.length);
  }
});

test("another library reads the limits that were written", () => {
  for (const row of rows) {
    const message = VersionedMessage.deserialize(bytes(row.message));
    assert.ok(message.version === 1, row.what);
    assert.deepEqual(message.transactionConfig, {
      computeUnitLimit: row.compute_units,
      loadedAccountsDataSizeLimit: row.loaded_bytes,
      heapSize: row.heap_bytes,
      priorityFee: row.priority_fee === "0" ? null : Number(row.priority_fee),
    });
    assert.equal(message.recentBlockhash, row.blockhash);
  }
});

test("what is too long, names too much or lacks a signature is an error", () => {
  const [signer, other] = [new Signer(new Uint8Array(32).fill(1)), new Signer(new Uint8Array(32).fill(2))];
  const payer = new PublicKey(signer.publicKey);
  const address = (n: number) => new PublicKey(Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? n : 200)));
  const one = (accounts: number, data: number) =>
    new TransactionInstruction({
      programId: address(255),
      keys: Array.from({ length: accounts }, (_, n) => ({ pubkey: address(n), isSigner: false, isWritable: true })),
      data: Buffer.alloc(data),
    });
  const compile = (accounts: number, data: number) => v1.compile(payer, [one(accounts, data)], rows[0].blockhash, v1.MOST);
  const overhead = v1.sign(compile(0, 0), [signer]).length;
  assert.equal(v1.sign(compile(0, v1.MAX_BYTES - overhead), [signer]).length, v1.MAX_BYTES);
  assert.throws(() => v1.sign(compile(0, v1.MAX_BYTES - overhead + 1), [signer]), RangeError);
  assert.ok(compile(62, 0));
  assert.throws(() => compile(63, 0), RangeError);
  assert.throws(() => v1.sign(compile(1, 0), [other]), RangeError);
  assert.throws(() => v1.read(new Uint8Array(v1.MAX_BYTES + 1)), RangeError);
});
