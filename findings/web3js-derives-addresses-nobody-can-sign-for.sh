#!/usr/bin/env bash
# @solana/web3.js finds program addresses with more seeds than the runtime takes.
#
# Guess: findProgramAddressSync refuses what a program could never sign for: the runtime takes 16 seeds, the bump among them.
# Seen:  it checks the length of each seed and not their number. From 16 seeds on, so 17 with the bump, it gives an address and
#        a bump that look like any other. @solana/kit and solders refuse. What is sent to such an address stays there.
# With:  @solana/web3.js 1.99.0, @solana/kit 8.4.0 (npm), solders 0.29.0 (pip), node 20, python 3.11.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir"
{
    npm install --silent --no-fund --no-audit @solana/web3.js@1.99.0 @solana/kit@8.4.0
    python3 -m pip install --quiet --target py solders==0.29.0
} >install.log 2>&1 || { cat install.log >&2; exit 2; }
cat >run.mjs <<'JS'
import assert from 'node:assert/strict';
import { getProgramDerivedAddress } from '@solana/kit';
import web3 from '@solana/web3.js';

const program = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA';
const seeds = count => Array.from({ length: count }, (_, i) => Buffer.from([i]));
async function derive(count) {
  const [address, bump] = web3.PublicKey.findProgramAddressSync(seeds(count), new web3.PublicKey(program));
  const kit = await getProgramDerivedAddress({ programAddress: program, seeds: seeds(count) })
    .then(([found]) => found, error => error.message);
  console.log(`${count} seeds and a bump: web3.js ${address.toBase58()}, ${bump}; kit: ${kit}`);
  return { web3: address.toBase58(), kit };
}
const allowed = await derive(15);
assert.equal(allowed.web3, allowed.kit);
const tooMany = await derive(16);
assert.equal(tooMany.web3, '6rG2K8Ecrn6SAKcHU7k19mYa5SkS4bxwRKxfbtrpMPiB');
assert.match(tooMany.kit, /A maximum of 16 seeds/);
JS
node run.mjs
PYTHONPATH=py python3 - <<'PY'
from solders.pubkey import Pubkey

program = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
try:
    found = Pubkey.create_program_address([bytes([i]) for i in range(17)], program)
except Exception as error:
    print("17 seeds: solders:", error)
else:
    raise SystemExit(f"17 seeds: solders: {found}")
PY
