#!/usr/bin/env bash
# Assembles a Solana program toolchain from Debian 12's packages and Rust's package registry, for machines without
# Solana's own tools. Idempotent; needs root for apt. About 3 minutes and 1.2 GB on two cores. README.md beside this says why
# each part is there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SBF_HOME=${SBF_HOME:-${JOULE_CACHE:-$HOME/.cache/joule}/sbf-toolchain}
LINKER_VERSION=0.2.6
mkdir -p "$SBF_HOME/bin"
say() { echo "[toolchain] $*"; }
apt_install() {
    say "installing $*"
    [ -n "${apt_updated:-}" ] || apt-get update -qq
    apt_updated=1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# 1. rustc, cargo and the matching standard-library source (one version, from one source package), and clang.
if ! /usr/bin/rustc --version >/dev/null 2>&1 || [ ! -d /usr/lib/rustlib/src/rust/library/std ]; then
    apt_install rustc-web cargo-web rust-web-src
fi
[ -x /usr/lib/llvm-22/bin/clang ] || apt_install clang-22

# 2. LLVM 23: the first release whose BPF back end passes more than five arguments and returns 128-bit values. Debian 12
#    has no such package, so sid's runs beside it with sid's own libc. Nothing of the system is replaced.
if [ ! -e "$SBF_HOME/llvm/libLLVM.so.23.1" ]; then
    say "unpacking LLVM 23 beside the system"
    tmp=$(mktemp -d)
    trap 'rm -rf "$tmp"' EXIT
    mkdir -p "$tmp/lists/partial" "$tmp/cache/archives/partial" "$tmp/debs" "$tmp/root"
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/$' || true)
    if [ -z "$mirror" ]; then
        apt-get update -qq
        mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/$' || true)
    fi
    : "${mirror:?no Debian mirror is configured for apt}"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$tmp/sources.list"
    opts=(-oDir::State::Lists="$tmp/lists" -oDir::Etc::SourceList="$tmp/sources.list" -oDir::Etc::SourceParts=/dev/null
        -oDir::Cache="$tmp/cache" -oAPT::Sandbox::User=root)
    apt-get "${opts[@]}" update -qq
    (cd "$tmp/debs" && apt-get "${opts[@]}" download -qq libllvm23 libc6 libstdc++6 libgcc-s1 zlib1g libzstd1 \
        libxml2-16 libedit2 libffi8 libtinfo6 libbsd0 libmd0 liblzma5 libz3-4)
    for deb in "$tmp"/debs/*.deb; do dpkg-deb -x "$deb" "$tmp/root"; done
    rm -rf "$SBF_HOME/llvm" "$SBF_HOME/lib"
    mkdir -p "$SBF_HOME/llvm" "$SBF_HOME/lib"
    cp -a "$tmp"/root/usr/lib/x86_64-linux-gnu/*.so* "$SBF_HOME/lib/"
    mv "$SBF_HOME"/lib/libLLVM* "$SBF_HOME/llvm/"
fi

# 3. The linker that turns upstream BPF bitcode into an SBPF program; it loads LLVM at run time.
if [ ! -x "$SBF_HOME/bin/sbpf-linker.bin" ]; then
    say "building sbpf-linker $LINKER_VERSION"
    cargo install sbpf-linker --version "$LINKER_VERSION" --locked --quiet --root "$SBF_HOME/build"
    mv "$SBF_HOME/build/bin/sbpf-linker" "$SBF_HOME/bin/sbpf-linker.bin"
    rm -rf "$SBF_HOME/build"
fi

# 4. Our runtime functions as bitcode, the target, and the linker's wrapper.
/usr/lib/llvm-22/bin/clang -target bpfel -mcpu=v4 -O2 -ffreestanding -fno-builtin -c -emit-llvm \
    "$here/builtins.c" -o "$SBF_HOME/builtins.bc.new"
cmp -s "$SBF_HOME/builtins.bc.new" "$SBF_HOME/builtins.bc" && rm "$SBF_HOME/builtins.bc.new" \
    || mv "$SBF_HOME/builtins.bc.new" "$SBF_HOME/builtins.bc"
cp "$here/sbpf-solana.json" "$SBF_HOME/"
cat >"$SBF_HOME/bin/sbpf-linker" <<EOF
#!/bin/sh
# A program that another program depends on is linked by cargo too, without its entrypoint and under the name of the real
# one. Only what was asked for is linked; for the rest an empty file stands in where there is none yet.
if [ -z "\$CARGO_PRIMARY_PACKAGE" ]; then
    while [ "\$1" != -o ] && [ \$# -gt 0 ]; do shift; done
    [ -e "\$2" ] || : >"\$2"
    exit 0
fi
exec env LD_LIBRARY_PATH="$SBF_HOME/llvm:$SBF_HOME/lib" "$SBF_HOME/lib/ld-linux-x86-64.so.2" \\
    --library-path "$SBF_HOME/llvm:$SBF_HOME/lib" "$SBF_HOME/bin/sbpf-linker.bin" "\$@" "$SBF_HOME/builtins.bc"
EOF
chmod +x "$SBF_HOME/bin/sbpf-linker"
say "ready in $SBF_HOME"
