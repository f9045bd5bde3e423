#!/usr/bin/env bash
# Builds digits.wasm. `--check` builds it aside and fails when the committed bytes differ.
#
# The bytes depend on the sources and on the compiler's version, not on where the clone or the cache lie: paths are
# remapped, symbols and names stripped.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/.." && pwd)
cache=${JOULE_CACHE:-$HOME/.cache/joule}
built_with="rustc 1.96.0 (ac68faa20 2026-05-25)"

"$root/install.sh"
found=$(/usr/bin/rustc --version)
case $found in
"$built_with"*) ;;
*) echo "note: the committed digits.wasm was built with $built_with; this is $found, and its bytes may differ" >&2 ;;
esac

export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$cache/workloads-wasm CARGO_INCREMENTAL=0
unset RUSTFLAGS CARGO_BUILD_RUSTFLAGS RUSTC_WRAPPER RUSTUP_TOOLCHAIN CARGO_BUILD_TARGET
export CARGO_ENCODED_RUSTFLAGS
CARGO_ENCODED_RUSTFLAGS=$(printf '%s\x1f' \
    -Clinker=wasm-ld-22 -Clinker-flavor=wasm-ld \
    -Ctarget-cpu=mvp -Ctarget-feature=+bulk-memory,+sign-ext,+simd128 \
    -Clink-arg=-zstack-size=131072 -Clink-arg=--strip-all \
    "--remap-path-prefix=$root=/workloads" "--remap-path-prefix=$cache=/cache" \
    -Zlocation-detail=none)
CARGO_ENCODED_RUSTFLAGS=${CARGO_ENCODED_RUSTFLAGS%$'\x1f'}
(cd "$root" && /usr/bin/cargo build --release --locked --package joule-digits --lib \
    -Zbuild-std=core,alloc --target wasm32-unknown-unknown)
made=$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/joule_digits.wasm

if [ "${1:-}" = --check ]; then
    cmp "$made" "$here/digits.wasm" || {
        echo "digits.wasm is not what its sources give: run workloads/digits/build.sh and commit the result" >&2
        exit 1
    }
    echo "digits.wasm is what its sources give: sha256 $(sha256sum <"$made" | cut -d' ' -f1)"
else
    cp "$made" "$here/digits.wasm"
    chmod 644 "$here/digits.wasm"
    echo "digits.wasm: $(stat -c %s "$made") bytes, sha256 $(sha256sum <"$made" | cut -d' ' -f1)"
fi
