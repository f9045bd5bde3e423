#!/usr/bin/env bash
# The same WebAssembly takes 13,000 times the fuel under a later wasmtime.
#
# Guess: fuel is a count of operators, so the same module and input take the same fuel under every version.
# Seen:  until 45.0.0 `memory.fill` of 65,536 bytes is one operator. From 46.0.1 on, each byte that `memory.fill`, `memory.copy` and
#        `memory.init` touch, and each entry of `table.fill`, counts too. From 49.0.0 on, each page that `memory.grow` adds does.
#        A loop of arithmetic counts as before. Nothing in the API says which rule is in force: a limit of fuel that several
#        machines must agree about is a limit under one version of wasmtime.
# With:  wasmtime 45.0.0, 46.0.1, 48.0.0, 49.0.0 (pip), python 3.11.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir"
versions=(45.0.0 46.0.1 48.0.0 49.0.0)
for version in "${versions[@]}"; do
    python3 -m pip install --quiet --no-deps --target "$version" "wasmtime==$version" >install.log 2>&1 || { cat install.log >&2; exit 2; }
done
cat >run.py <<'PY'
import wasmtime

BODIES = {
    "loop": "(local i32) (local.set 0 (i32.const 1000)) (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))",
    "fill": "(memory.fill (i32.const 0) (i32.const 1) (i32.const 65536))",
    "copy": "(memory.copy (i32.const 0) (i32.const 1000) (i32.const 60000))",
    "init": "(memory.init $data (i32.const 0) (i32.const 0) (i32.const 24))",
    "table": "(table.fill (i32.const 0) (ref.null func) (i32.const 100))",
    "grow": "(drop (memory.grow (i32.const 10)))",
}
config = wasmtime.Config()
config.consume_fuel = True
engine = wasmtime.Engine(config)
used = []
for name, body in BODIES.items():
    store = wasmtime.Store(engine)
    store.set_fuel(1_000_000)
    module = wasmtime.Module(engine, f'(module (memory 1) (table 100 funcref) (data $data "{"x" * 24}") (func (export "run") {body}))')
    run = wasmtime.Instance(store, module, []).exports(store)["run"]
    before = store.get_fuel()
    run(store)
    used.append(f"{name} {before - store.get_fuel()}")
print(", ".join(used))
PY
seen=$(for version in "${versions[@]}"; do echo "$version: $(PYTHONPATH=$version python3 run.py)"; done)
echo "$seen"
diff <(echo "$seen") - <<'SEEN'
45.0.0: loop 5003, fill 5, copy 5, init 5, table 5, grow 3
46.0.1: loop 5003, fill 65541, copy 60005, init 29, table 105, grow 3
48.0.0: loop 5003, fill 65541, copy 60005, init 29, table 105, grow 3
49.0.0: loop 5003, fill 65541, copy 60005, init 29, table 105, grow 13
SEEN
