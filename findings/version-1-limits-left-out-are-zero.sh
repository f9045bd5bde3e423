#!/usr/bin/env bash
# A version 1 transaction without limits has limits of zero.
#
# Guess: what a transaction's header leaves out has the default that version 0 has: 200,000 compute units for an instruction,
#        64 MiB of loaded accounts.
# Seen:  a limit left out is zero. A transfer without limits, and one with a limit of compute units alone, fail with
#        MaxLoadedAccountsDataSizeExceeded before anything runs, and no fee is taken. @solana/kit's builder leaves them out
#        unless told and says nothing.
# With:  @solana/kit 8.4.0, litesvm 1.5.0 (npm), node 20.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir"
npm install --silent --no-fund --no-audit @solana/kit@8.4.0 litesvm@1.5.0 >install.log 2>&1 || { cat install.log >&2; exit 2; }
cat >run.mjs <<'JS'
import assert from 'node:assert/strict';
import * as kit from '@solana/kit';
import { LiteSVM } from 'litesvm';

const LOADED_TOO_LARGE = 29; // TransactionError::MaxLoadedAccountsDataSizeExceeded, as litesvm numbers it.
const svm = new LiteSVM();
const payer = await kit.generateKeyPairSigner();
svm.airdrop(payer.address, kit.lamports(10_000_000_000n));
const transfer = {
  programAddress: kit.address('11111111111111111111111111111111'),
  accounts: [{ address: payer.address, role: 3 }, { address: payer.address, role: 1 }],
  data: new Uint8Array([2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
};
async function run(version, limits) {
  svm.expireBlockhash();
  let message = kit.createTransactionMessage({ version });
  message = kit.setTransactionMessageFeePayerSigner(payer, message);
  message = svm.setTransactionMessageLifetimeUsingLatestBlockhash(message);
  message = limits(kit.appendTransactionMessageInstruction(transfer, message));
  const before = svm.getBalance(payer.address);
  const result = svm.sendTransaction(await kit.signTransactionMessageWithSigners(message));
  const seen = { error: result.err?.() ?? null, fee: before - svm.getBalance(payer.address) };
  console.log(`version ${version}, ${limits.name}:`, seen);
  return seen;
}
const none = message => message;
const units = message => kit.setTransactionMessageComputeUnitLimit(5_000, message);
const both = message => kit.setTransactionMessageLoadedAccountsDataSizeLimit(100_000, units(message));

assert.deepEqual(await run(0, none), { error: null, fee: 5_000n });
assert.deepEqual(await run(1, none), { error: LOADED_TOO_LARGE, fee: 0n });
assert.deepEqual(await run(1, units), { error: LOADED_TOO_LARGE, fee: 0n });
assert.deepEqual(await run(1, both), { error: null, fee: 5_000n });
JS
node run.mjs
