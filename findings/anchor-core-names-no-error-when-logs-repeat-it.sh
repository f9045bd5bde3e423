#!/usr/bin/env bash
# Anchor's TypeScript client does not find a program's error if web3.js has put the transaction's logs into the message.
#
# Guess: `translateError` gives a failed transaction's custom error its name from the IDL, whether the cluster refused it in preflight or
#        later: the code stands in the error's message, as 0x...
# Seen:  it splits the message at "custom program error: " and gives up unless that makes two parts. web3.js appends the logs to the message of
#        `SendTransactionError`, and a runtime's logs say the same words once more. A program that logs no `AnchorError` line (Anchor 2's do not)
#        then has no named errors in preflight: the caller gets an error without code or name. The same words once are translated.
# With:  @anchor-lang/core 1.2.0, @solana/web3.js 1.99.0 (npm), node 20.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir"
npm install --silent --no-fund --no-audit @anchor-lang/core@1.2.0 @solana/web3.js@1.99.0 >install.log 2>&1 || { cat install.log >&2; exit 2; }
cat >run.mjs <<'JS'
import assert from 'node:assert/strict';
import anchor from '@anchor-lang/core';
import web3 from '@solana/web3.js';

const names = new Map([[6203, 'the price is out of range']]);
const program = '11111111111111111111111111111111';
const refused = 'Transaction simulation failed: Error processing Instruction 0: custom program error: 0x183b';
const logs = [`Program ${program} invoke [1]`, `Program ${program} failed: custom program error: 0x183b`];
const told = (error) => `${error.constructor.name}: ${error.toString().split('\n')[0]}`;

const bare = anchor.translateError(new Error(refused), names);
console.log('the code alone:    ', told(bare));
assert.ok(bare instanceof anchor.ProgramError);
assert.equal(bare.code, 6203);
assert.equal(bare.msg, 'the price is out of range');

const sent = new web3.SendTransactionError({ action: 'simulate', signature: '', transactionMessage: refused.split(': ').slice(1).join(': '), logs });
console.log('with logs, web3.js:', told(anchor.translateError(sent, names)));
assert.equal(sent.message.split('custom program error: ').length, 3);
const translated = anchor.translateError(sent, names);
assert.ok(!(translated instanceof anchor.ProgramError));
assert.equal(translated.code, undefined);
JS
node run.mjs
