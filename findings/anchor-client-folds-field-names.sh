#!/usr/bin/env bash
# Anchor's TypeScript client gives two fields of one struct the same name, reads one of them and writes it into both.
#
# Guess: names that differ in Rust differ in TypeScript, or the client refuses the IDL.
# Seen:  names are put into camel case, where an underscore before a digit disappears: `level_1` and `level1` are both `level1`,
#        as `price_1h` is `price1h`. Decoding gives the last of the two; encoding writes that one value into both places.
#        No error, and the length is right. The coder itself, without the conversion that `Program` makes, has both.
# With:  @anchor-lang/core 1.2.0 (npm), node 20.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir"
npm install --silent --no-fund --no-audit @anchor-lang/core@1.2.0 >install.log 2>&1 || { cat install.log >&2; exit 2; }
cat >run.mjs <<'JS'
import assert from 'node:assert/strict';
import anchor from '@anchor-lang/core';

const fields = ['level_1', 'level1', 'price_1h'].map(name => ({ name, type: 'u8' }));
const idl = {
  address: '11111111111111111111111111111111',
  metadata: { name: 'levels', version: '0.1.0', spec: '0.1.0' },
  instructions: [],
  types: [{ name: 'Levels', type: { kind: 'struct', fields } }],
};
const bytes = Buffer.from([7, 9, 11]);
const plain = { ...new anchor.BorshCoder(idl).types.decode('Levels', bytes) };
console.log('as the IDL says: ', plain);
assert.deepEqual(plain, { level_1: 7, level1: 9, price_1h: 11 });

const coder = new anchor.BorshCoder(anchor.convertIdlToCamelCase(idl));
const decoded = { ...coder.types.decode('levels', bytes) };
console.log('as a client reads:', decoded);
assert.deepEqual(decoded, { level1: 9, price1h: 11 });
const written = [...coder.types.encode('levels', decoded)];
console.log('written back:     ', written);
assert.deepEqual(written, [9, 9, 11]);
JS
node run.mjs
