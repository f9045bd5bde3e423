#!/usr/bin/env bash
# litesvm runs transactions that are too long for any cluster.
#
# Guess: what litesvm runs could be sent: at most 1,232 bytes in versions legacy and 0, 4,096 in version 1.
# Seen:  longer transactions of both versions run and succeed. A test on litesvm shows nothing about length: ask the library
#        that built the transaction (kit's isTransactionWithinSizeLimit says no to both).
# With:  @solana/kit 8.4.0, litesvm 1.5.0 (npm), node 20.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir"
npm install --silent --no-fund --no-audit @solana/kit@8.4.0 litesvm@1.5.0 >install.log 2>&1 || { cat install.log >&2; exit 2; }
cat >run.mjs <<'JS'
import assert from 'node:assert/strict';
import * as kit from '@solana/kit';
import { LiteSVM } from 'litesvm';

const svm = new LiteSVM();
const payer = await kit.generateKeyPairSigner();
svm.airdrop(payer.address, kit.lamports(10_000_000_000n));
const memo = length => ({
  programAddress: kit.address('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr'),
  data: new Uint8Array(length).fill(0x6a),
});
for (const [version, limit] of [[0, 1_232], [1, 4_096]]) {
  let message = kit.createTransactionMessage({ version });
  message = kit.setTransactionMessageFeePayerSigner(payer, message);
  message = svm.setTransactionMessageLifetimeUsingLatestBlockhash(message);
  message = kit.setTransactionMessageComputeUnitLimit(1_400_000, message);
  message = kit.setTransactionMessageLoadedAccountsDataSizeLimit(10_000_000, message);
  message = kit.appendTransactionMessageInstructions([memo(limit / 2), memo(limit / 2)], message);
  const transaction = await kit.signTransactionMessageWithSigners(message);
  const bytes = kit.getTransactionEncoder().encode(transaction).length;
  const within = kit.isTransactionWithinSizeLimit(transaction);
  const error = svm.sendTransaction(transaction).err?.() ?? null;
  console.log(`version ${version}: ${bytes} bytes, limit ${limit}, kit: ${within}, litesvm:`, error ?? 'succeeds');
  assert.ok(bytes > limit);
  assert.equal(within, false);
  assert.equal(error, null);
}
JS
node run.mjs
