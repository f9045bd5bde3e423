#!/usr/bin/env bash
# npm's borsh writes maps and sets in the order in which they were filled; Borsh's order is sorted.
#
# Guess: equal maps have equal bytes, as Borsh promises ("sorted by key"), and as Rust and Python write them: that is what makes
#        Borsh good for hashing.
# Seen:  npm's borsh goes through a Map or Set as it was filled. Two equal maps get different bytes and so different hashes,
#        and neither need be what a program in Rust computes. It reads either order back without a word.
# With:  borsh 2.0.0 (npm), borsh-construct 0.1.0 with construct 2.10.68 (pip), node 20, python 3.11.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir"
{
    npm install --silent --no-fund --no-audit borsh@2.0.0
    python3 -m pip install --quiet --target py borsh-construct==0.1.0 construct==2.10.68
} >install.log 2>&1 || { cat install.log >&2; exit 2; }
cat >run.mjs <<'JS'
import assert from 'node:assert/strict';
import * as borsh from 'borsh';

const hex = bytes => Buffer.from(bytes).toString('hex');
const map = { map: { key: 'string', value: 'u8' } };
const first = borsh.serialize(map, new Map([['a', 2], ['b', 1]]));
const second = borsh.serialize(map, new Map([['b', 1], ['a', 2]]));
console.log('npm, a then b:', hex(first));
console.log('npm, b then a:', hex(second));
assert.equal(hex(first), '02000000010000006102010000006201');
assert.equal(hex(second), '02000000010000006201010000006102');
assert.deepEqual(borsh.deserialize(map, first), borsh.deserialize(map, second));
const set = hex(borsh.serialize({ set: 'u8' }, new Set([3, 1, 2])));
console.log('npm, set of 3, 1, 2:', set);
assert.equal(set, '03000000030102');
JS
node run.mjs
PYTHONPATH=py python3 - <<'PY'
from borsh_construct import HashMap, HashSet, String, U8

one, other = HashMap(String, U8).build({"b": 1, "a": 2}).hex(), HashSet(U8).build({3, 1, 2}).hex()
print("pip, b then a:", one)
print("pip, set of 3, 1, 2:", other)
assert one == "02000000010000006102010000006201", one
assert other == "03000000010203", other
PY
