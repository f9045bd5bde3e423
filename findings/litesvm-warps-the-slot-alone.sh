#!/usr/bin/env bash
# litesvm's warpToSlot moves the slot and nothing else: not the epoch, not the time, and no blockhash gets too old.
#
# Guess: a clock that was warped by some hundred million slots is in the epoch that its own epoch schedule gives for the slot,
#        days later, and a transaction with a blockhash of before has expired.
# Seen:  the clock begins at slot 447,552,000 in epoch 0 with the time 0. After a warp of twenty-seven of its own epochs, epoch,
#        leader schedule's epoch, epoch's start and time are still 0, and the old blockhash is still good. Whatever a program
#        reads from `Clock` but the slot has to be set by hand with setClock, and expireBlockhash called.
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
let message = kit.createTransactionMessage({ version: 0 });
message = kit.setTransactionMessageFeePayerSigner(payer, message);
message = svm.setTransactionMessageLifetimeUsingLatestBlockhash(message);
const old = await kit.signTransactionMessageWithSigners(message);

const { slotsPerEpoch, firstNormalSlot, firstNormalEpoch } = svm.getEpochSchedule();
const scheduled = slot => firstNormalEpoch + (slot - firstNormalSlot) / slotsPerEpoch;
const clock = () => {
  const { slot, epoch, leaderScheduleEpoch, epochStartTimestamp, unixTimestamp } = svm.getClock();
  return { slot, epoch, leaderScheduleEpoch, epochStartTimestamp, unixTimestamp };
};
console.log('before:', clock(), 'where its own schedule makes it epoch', scheduled(447_552_000n));
const still = { epoch: 0n, leaderScheduleEpoch: 0n, epochStartTimestamp: 0n, unixTimestamp: 0n };
assert.deepEqual(clock(), { slot: 447_552_000n, ...still });
assert.equal(scheduled(447_552_000n), 1_048n);
const target = 447_552_000n + 27n * slotsPerEpoch;
svm.warpToSlot(target);
console.log('after:', clock(), 'where its own schedule makes it epoch', scheduled(target));
assert.deepEqual(clock(), { slot: target, ...still });
const error = svm.sendTransaction(old).err?.() ?? null;
console.log('the transaction signed before the warp:', error ?? 'accepted');
assert.equal(error, null);
JS
node run.mjs
