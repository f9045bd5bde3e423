#!/usr/bin/env bash
# Format, clippy with warnings as errors, advisories and licences.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cache=${JOULE_CACHE:-$HOME/.cache/joule}
DENY=0.20.2
missing=()
[ -x /usr/bin/rustfmt ] || missing+=(rustfmt-web)
[ -x /usr/bin/clippy-driver ] || missing+=(rust-web-clippy)
if [ ${#missing[@]} -gt 0 ]; then
    echo "[lint] installing ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    toolchain/setup.sh
fi
echo '[lint] format'
cargo-fmt --all --check
echo '[lint] clippy'
cargo-clippy clippy --locked --ignore-rust-version --workspace --all-targets --quiet -- -D warnings
if [ "$("$cache/bin/cargo-deny" --version 2>/dev/null)" != "cargo-deny $DENY" ]; then
    echo "[lint] building cargo-deny $DENY (once, a few minutes)"
    cargo install cargo-deny --version "$DENY" --locked --quiet --root "$cache" --target-dir "$cache/tools-target"
fi
echo '[lint] licences, bans, sources'
"$cache/bin/cargo-deny" --log-level error check licenses bans sources
# The advisory database is a git repository, not a package: it is there only where somebody could fetch it.
if compgen -G "${CARGO_HOME:-$HOME/.cargo}/advisory-db*/*" >/dev/null; then
    echo '[lint] advisories'
    "$cache/bin/cargo-deny" --log-level error check --disable-fetch advisories
else
    echo '[lint] advisories: NOT CHECKED, there is no advisory database here; run `cargo deny fetch` where the network allows it'
fi
