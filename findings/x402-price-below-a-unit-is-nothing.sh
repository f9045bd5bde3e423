#!/usr/bin/env bash
# x402's own server makes a price of $0.0000009 a price of nothing.
#
# Guess: a price that the token cannot express is refused, or rounded up, since whoever names a price wants to be paid.
# Seen:  digits after the token's sixth are cut off without a word: $0.0000019 is one unit of USDC, and $0.0000009, as a string or
#        as a number, is "0", in requirements that any client meets. Prices of one token or one image are of that size: add them
#        up before they become a price, or name base units.
# With:  @x402/svm 2.27.0 (npm), node 20.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir"
npm install --silent --no-fund --no-audit @x402/svm@2.27.0 >install.log 2>&1 || { cat install.log >&2; exit 2; }
cat >run.mjs <<'JS'
import assert from 'node:assert/strict';
import { ExactSvmScheme } from '@x402/svm/exact/server';

const network = 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1';
for (const [price, units] of [['$0.000001', '1'], ['$0.0000019', '1'], ['$0.0000009', '0'], [0.0000009, '0']]) {
  const { amount } = await new ExactSvmScheme().parsePrice(price, network);
  console.log(`${typeof price} ${price}: amount "${amount}"`);
  assert.equal(amount, units);
}
JS
node run.mjs
