#!/usr/bin/env bash
# @solana/web3.js points a secp256k1 signature at instruction 0, and an ed25519 signature at its own instruction.
#
# Guess: both helpers of one library default to the instruction that they build, so that it can stand anywhere.
# Seen:  for ed25519 they do: u16::MAX means "this instruction". secp256k1's index is one byte without such a value, and the
#        helper writes 0. Behind another instruction, such as the compute budget's that a wallet puts in front, the precompile
#        looks for signature and key in that one's data, and the transaction fails with the custom error 2, an invalid
#        signature, which it is not. The index has to be passed, and is wrong again as soon as something is put in front.
# With:  @solana/web3.js 1.99.0, @solana/kit 8.4.0, litesvm 1.5.0 (npm), node 20.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir"
npm install --silent --no-fund --no-audit @solana/web3.js@1.99.0 @solana/kit@8.4.0 litesvm@1.5.0 >install.log 2>&1 ||
    { cat install.log >&2; exit 2; }
cat >run.mjs <<'JS'
import assert from 'node:assert/strict';
import * as kit from '@solana/kit';
import web3 from '@solana/web3.js';
import { LiteSVM } from 'litesvm';

const svm = new LiteSVM();
const payer = await kit.generateKeyPairSigner();
svm.airdrop(payer.address, kit.lamports(10_000_000_000n));
async function run(name, ...instructions) {
  svm.expireBlockhash();
  let message = kit.createTransactionMessage({ version: 0 });
  message = kit.setTransactionMessageFeePayerSigner(payer, message);
  message = svm.setTransactionMessageLifetimeUsingLatestBlockhash(message);
  const plain = ({ programId, data }) => ({ programAddress: programId.toBase58(), data: new Uint8Array(data) });
  message = kit.appendTransactionMessageInstructions(instructions.map(plain), message);
  const result = svm.sendTransaction(await kit.signTransactionMessageWithSigners(message));
  const seen = result.err ? String(result.err()) : 'succeeds';
  console.log(`${name}: ${seen}`);
  return seen;
}
const message = Buffer.from('signed');
const budget = web3.ComputeBudgetProgram.setComputeUnitLimit({ units: 50_000 });
const ed = web3.Ed25519Program.createInstructionWithPrivateKey({ privateKey: web3.Keypair.generate().secretKey, message });
const key = Buffer.alloc(32, 1);
const secp = web3.Secp256k1Program.createInstructionWithPrivateKey({ privateKey: key, message });
const told = web3.Secp256k1Program.createInstructionWithPrivateKey({ privateKey: key, message, instructionIndex: 1 });

assert.equal(await run('ed25519 first', ed), 'succeeds');
assert.equal(await run('ed25519 behind another', budget, ed), 'succeeds');
assert.equal(await run('secp256k1 first', secp), 'succeeds');
assert.match(await run('secp256k1 behind another', budget, secp), /Custom \{ code: 2 \}/);
assert.equal(await run('secp256k1 behind another, told so', budget, told), 'succeeds');
JS
node run.mjs
