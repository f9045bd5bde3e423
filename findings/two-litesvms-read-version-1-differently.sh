#!/usr/bin/env bash
# One and the same version 1 transaction pays 5,777 lamports in npm's litesvm, and 11,000 in the one inside solders.
#
# Guess: a simulator that takes a version 1 transaction takes its limits and its priority fee from its header.
# Seen:  npm's litesvm 1.5.0 (litesvm 0.18.1) does: the fee is the header's, and a ComputeBudget instruction runs, costs 150
#        units, succeeds, and changes nothing. The litesvm in solders 0.29.0 (0.15.2) takes the transaction too, and prices
#        it as version 0: the header counts nothing, the instruction does. Neither says so. A test that passes in one says
#        nothing about the other.
# With:  @solana/kit 8.4.0, litesvm 1.5.0 (npm), solders 0.29.0 (pip), node 20, python 3.11.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir"
{
    npm install --silent --no-fund --no-audit @solana/kit@8.4.0 litesvm@1.5.0
    python3 -m pip install --quiet --target py solders==0.29.0
} >install.log 2>&1 || { cat install.log >&2; exit 2; }
cat >run.mjs <<'JS'
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import * as kit from '@solana/kit';
import { LiteSVM } from 'litesvm';

const svm = new LiteSVM();
const payer = await kit.generateKeyPairSigner();
svm.airdrop(payer.address, kit.lamports(10_000_000_000n));
const price = new Uint8Array(9);
price[0] = 3; // SetComputeUnitPrice
new DataView(price.buffer).setBigUint64(1, 1_000_000n, true);
const instructions = [
  { programAddress: kit.address('ComputeBudget111111111111111111111111111111'), accounts: [], data: price },
  {
    programAddress: kit.address('11111111111111111111111111111111'),
    accounts: [{ address: payer.address, role: 3 }, { address: payer.address, role: 1 }],
    data: new Uint8Array([2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
  },
];
let message = kit.createTransactionMessage({ version: 1 });
message = kit.setTransactionMessageFeePayerSigner(payer, message);
message = svm.setTransactionMessageLifetimeUsingLatestBlockhash(message);
message = kit.appendTransactionMessageInstructions(instructions, message);
message = kit.setTransactionMessageConfig(
  { computeUnitLimit: 50_000, loadedAccountsDataSizeLimit: 100_000, priorityFeeLamports: 777n },
  message,
);
const transaction = await kit.signTransactionMessageWithSigners(message);
writeFileSync('transaction', kit.getTransactionEncoder().encode(transaction));
writeFileSync('payer', payer.address);

const before = svm.getBalance(payer.address);
const result = svm.sendTransaction(transaction);
const fee = before - svm.getBalance(payer.address);
console.log('litesvm of npm:    fee', fee, 'units', result.computeUnitsConsumed());
assert.equal(fee, 5_777n);
assert.equal(result.computeUnitsConsumed(), 300n);
JS
node run.mjs
PYTHONPATH=py python3 - <<'PY'
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

payer = Pubkey.from_string(open("payer").read())
transaction = VersionedTransaction.from_bytes(open("transaction", "rb").read())
header = transaction.message.config
assert (header.priority_fee, header.compute_unit_limit) == (777, 50_000), header
svm = LiteSVM().with_blockhash_check(False)
svm.airdrop(payer, 10_000_000_000)
before = svm.get_balance(payer)
result = svm.send_transaction(transaction)
fee = before - svm.get_balance(payer)
print("litesvm of solders: fee", fee, "units", result.compute_units_consumed())
# Two instructions of a built-in program are 6,000 units without a limit: a lamport each, on top of the signature's 5,000.
assert fee == 11_000, fee
PY
