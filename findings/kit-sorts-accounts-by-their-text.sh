#!/usr/bin/env bash
# The same instruction compiles to different messages in Rust and in JavaScript: each sorts the accounts differently.
#
# Guess: the accounts of one kind stand in one order everywhere, or in the order in which the instruction names them, so that two
#        parties who build the same transaction sign the same bytes.
# Seen:  three orders. Rust (solders) sorts by the addresses' bytes, @solana/kit by their base58 text, and web3.js by the text in a legacy
#        message and not at all in one of version 0. All are valid, and signatures of one are none of the other: whoever checks a
#        transaction that somebody else has built must decompile it, and not build it again and compare.
# With:  @solana/kit 8.4.0, @solana/web3.js 1.99.0 (npm), solders 0.29.0 (pip), node 20, python 3.11.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir"
{
    npm install --silent --no-fund --no-audit @solana/kit@8.4.0 @solana/web3.js@1.99.0
    python3 -m pip install --quiet --target py solders==0.29.0
} >install.log 2>&1 || { cat install.log >&2; exit 2; }
# Five accounts, in the order in which the instruction names them; the payer and the program are 32 bytes of 7 and of 9.
PYTHONPATH=py python3 - <<'PY'
import json
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey

accounts = [Pubkey(bytes([n]) + bytes(31)) for n in (200, 3, 120, 60, 250)]
payer, program = Pubkey(bytes([7] * 32)), Pubkey(bytes([9] * 32))
call = Instruction(program, b"", [AccountMeta(a, False, True) for a in accounts])
message = MessageV0.try_compile(payer, [call], [], Hash.default())
keys = [str(key) for key in message.account_keys]
json.dump({"accounts": [str(a) for a in accounts], "payer": str(payer), "program": str(program), "rust": keys}, open("case.json", "w"))
PY
cat >run.mjs <<'JS'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as kit from '@solana/kit';
import * as web3 from '@solana/web3.js';

const { accounts, payer, program, rust } = JSON.parse(readFileSync('case.json'));
const message = kit.pipe(
  kit.createTransactionMessage({ version: 0 }),
  (m) => kit.setTransactionMessageFeePayer(kit.address(payer), m),
  (m) => kit.setTransactionMessageLifetimeUsingBlockhash({ blockhash: '11111111111111111111111111111111', lastValidBlockHeight: 1n }, m),
  (m) => kit.appendTransactionMessageInstruction(
    { programAddress: kit.address(program), accounts: accounts.map((a) => ({ address: kit.address(a), role: kit.AccountRole.WRITABLE })) }, m),
);
const inKit = [...kit.compileTransactionMessage(message).staticAccounts];
const call = new web3.TransactionInstruction({
  programId: new web3.PublicKey(program),
  keys: accounts.map((a) => ({ pubkey: new web3.PublicKey(a), isSigner: false, isWritable: true })),
});
const at = { payerKey: new web3.PublicKey(payer), instructions: [call], recentBlockhash: '11111111111111111111111111111111' };
const inWeb3 = web3.MessageV0.compile(at).staticAccountKeys.map(String);
const legacy = new web3.Transaction({ feePayer: at.payerKey, blockhash: at.recentBlockhash, lastValidBlockHeight: 1 }).add(call).compileMessage();
const short = (keys) => keys.slice(1, -1).map((key) => key.slice(0, 4)).join(' ');
const [named, byBytes] = [short([payer, ...accounts, program]), short(rust)];
const byText = short([payer, ...[...accounts].sort((a, b) => a.localeCompare(b, 'en')), program]);
console.log('named: ', accounts.map((key) => key.slice(0, 4)).join(' '));
console.log('Rust:  ', short(rust));
console.log('kit:   ', short(inKit));
console.log('web3.js version 0:', short(inWeb3));
console.log('web3.js legacy:   ', short(legacy.accountKeys.map(String)));
assert.equal(new Set([named, byBytes, byText]).size, 3);
assert.equal(short(inKit), byText);
assert.equal(short(legacy.accountKeys.map(String)), byText);
assert.equal(short(inWeb3), named);
assert.deepEqual(rust.slice(1, -1), [...accounts].sort((a, b) => Buffer.compare(new web3.PublicKey(a).toBuffer(), new web3.PublicKey(b).toBuffer())));
JS
node run.mjs
