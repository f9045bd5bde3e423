#!/usr/bin/env bash
# solders' TransactionConfig(priority_fee=...) is lamports for the whole transaction; its documentation says micro-lamports.
#
# Guess: what the documentation says: "The priority fee in micro-lamports", as in ComputeBudget's price of a unit.
# Seen:  the number goes into the header as it is, and there it is whole lamports. @solana/kit reads the bytes as
#        `priorityFeeLamports`, and a runtime that goes by the header takes exactly that much. Whoever multiplies by a
#        million, as the documentation suggests, pays a million times what was meant.
# With:  solders 0.29.0 (pip), @solana/kit 8.4.0, litesvm 1.5.0 (npm), node 20, python 3.11.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir"
{
    npm install --silent --no-fund --no-audit @solana/kit@8.4.0 litesvm@1.5.0
    python3 -m pip install --quiet --target py solders==0.29.0
} >install.log 2>&1 || { cat install.log >&2; exit 2; }
PYTHONPATH=py python3 - <<'PY'
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV1, TransactionConfig
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

sentence = next(line.strip() for line in TransactionConfig.__doc__.splitlines() if "The priority fee" in line)
print("solders' documentation:", sentence)
assert "micro-lamports" in sentence, sentence
payer = Keypair()
config = TransactionConfig(priority_fee=1_234, compute_unit_limit=50_000, loaded_accounts_data_size_limit=100_000)
pay = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=payer.pubkey(), lamports=1))
message = MessageV1.try_compile(payer.pubkey(), [pay], Hash.default(), config)
open("transaction", "wb").write(bytes(VersionedTransaction(message, [payer])))
PY
cat >run.mjs <<'JS'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as kit from '@solana/kit';
import { LiteSVM } from 'litesvm';

const transaction = kit.getTransactionDecoder().decode(readFileSync('transaction'));
const compiled = kit.getCompiledTransactionMessageDecoder().decode(transaction.messageBytes);
const { config, feePayer } = kit.decompileTransactionMessage(compiled);
console.log('kit reads the header as:', config);
assert.equal(config.priorityFeeLamports, 1_234n);
const svm = new LiteSVM().withBlockhashCheck(false);
svm.airdrop(feePayer.address, kit.lamports(10_000_000_000n));
const before = svm.getBalance(feePayer.address);
svm.sendTransaction(transaction);
const fee = before - svm.getBalance(feePayer.address);
console.log('fee, of which 5,000 are for the signature:', fee);
assert.equal(fee, 6_234n);
JS
node run.mjs
