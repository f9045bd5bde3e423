#!/usr/bin/env bash
# Builds every program, and the three that only tests and benches load, into target/deploy.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
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
