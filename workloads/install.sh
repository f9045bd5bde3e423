#!/usr/bin/env bash
# Installs what a rebuild of the WebAssembly modules needs: Debian's rustc with its library source, and wasm-ld.
# Idempotent. Running the committed modules needs none of this.
set -euo pipefail
missing=()
[ -x /usr/bin/rustc ] || missing+=(rustc-web)
[ -x /usr/bin/cargo ] || missing+=(cargo-web)
[ -d /usr/lib/rustlib/src/rust/library/core ] || missing+=(rust-web-src)
[ -x /usr/bin/wasm-ld-22 ] || missing+=(lld-22)
if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q "${missing[@]}"
fi
