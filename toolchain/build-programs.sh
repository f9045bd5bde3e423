#!/usr/bin/env bash
# Builds every program, and the three that only tests and benches load, into target/deploy.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Cargo keeps one build of a program, either with its entrypoint or without, so that all would be built again every time.
# They are what they were while nothing that goes into them has changed.
sources=$(
    find Cargo.toml Cargo.lock programs crates toolchain tests/service benches/floor -type f -print0 | sort -z | xargs -0 sha256sum
    cargo-build-sbf --version
    rustc --version
)
built=target/deploy/built-from
if [ -e "$built" ] && [ "$(echo "$sources" && sha256sum target/deploy/*.so)" = "$(cat "$built")" ]; then
    echo '  nothing has changed'
    exit 0
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for crate in programs/treasury programs/registry programs/escrow programs/staking programs/billing toolchain/selftest tests/service benches/floor; do
    echo "  $crate"
    if ! cargo-build-sbf --manifest-path "$crate/Cargo.toml" >"$log" 2>&1; then
        grep -vE '^warning|^  \||= note: this feature is not stably' "$log" | tail -n 60 >&2
        echo "building $crate failed" >&2
        exit 1
    fi
done
{ echo "$sources" && sha256sum target/deploy/*.so; } >"$built"
