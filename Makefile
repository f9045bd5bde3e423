# The one front door. `make demo` and `make test` do their own set-up on a bare Debian 12 with only package registries.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Compilers and build products live outside the clone, so that a fresh clone starts warm. One target folder for each
# toolchain.
export JOULE_CACHE ?= $(HOME)/.cache/joule
export CARGO_TARGET_DIR := $(JOULE_CACHE)/target
# Debian's compiler, where toolchain/setup.sh has found it, comes before rustup's. Our cargo-build-sbf comes last, so that
# Solana's own wins where there is one.
export PATH := $(JOULE_CACHE)/bin:$(PATH):$(CURDIR)/toolchain/bin
unexport RUSTUP_TOOLCHAIN RUSTFLAGS
# Being ready for the next edit makes compiling a fifth dearer. Plain cargo still is, and shares what is built.
export CARGO_INCREMENTAL ?= 0
# Some Solana crates name a newer compiler than they need.
CARGO := cargo
FLAGS := --locked --ignore-rust-version
BIN := $(CARGO_TARGET_DIR)/debug
RELEASE := $(CARGO_TARGET_DIR)/release

# Cargo takes all cores by itself.
.NOTPARALLEL:
.PHONY: help setup build build-programs build-host demo test run-tests late-hour fuzz fuzz-entitlement fuzz-check fuzz-decoders idl idl-check bench bench-peers bench-replay failure-check failure-runs soak bench-cu bench-check sdk-ts-check openai-check api-clients-check clickhouse-bench clickhouse-check clickhouse-replicated-check chdb-check export-check deploy-check walks lint fmt migrate workload-check clean

help: ## show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: ## install what this machine lacks (compilers; idempotent)
	@toolchain/setup.sh

build-programs: setup
	@echo '[build] programs, for the Solana VM'
	@toolchain/build-programs.sh

build-host: setup
	@echo '[build] services, tools and tests; the first time this takes about ten minutes on two cores'
	@$(CARGO) build $(FLAGS) --workspace

build: build-programs build-host ## build programs and services

demo: build ## run the whole system here: paid jobs, a lie, ten thousand paid requests (KEEP=1 leaves it up)
	@$(BIN)/joule demo $(if $(KEEP),--keep)

# One run of make, so that everything is built once.
test: build run-tests failure-check idl-check bench-check fuzz-check workload-check sdk-ts-check api-clients-check export-check deploy-check walks ## run every test, and check what is generated

# The tests that print the IDLs are run by idl-check. No doc tests: rustdoc would read every crate again to find none.
run-tests: build
	@$(CARGO) test $(FLAGS) --workspace --lib --bins --tests -- --skip __anchor_private_print_idl
	@echo '[test] the suite of the store, on PostgreSQL'
	@indexer/tests/with-postgres $(CARGO) test $(FLAGS) --workspace --lib --quiet -- store::tests
	@echo '[test] the suite of the store without its random histories, on two shards of ClickHouse'
	@indexer/tests/with-clickhouse $(CARGO) test $(FLAGS) --workspace --lib --quiet -- store::tests --skip any_ --skip a_store_that_is_put_back

clickhouse-check: build-host ## the whole suite of the store on two shards of ClickHouse, random histories too (CASES= of each, 1; minutes)
	@JOULE_TEST_CASES=$(or $(CASES),1) indexer/tests/with-clickhouse $(CARGO) test $(FLAGS) --workspace --lib --quiet -- store::tests

# ZooKeeper is Debian's, and needs Java: it is not installed by setup.
clickhouse-replicated-check: build-host ## the suite of the store on two shards of two replicas each (apt-get install --no-install-recommends zookeeper)
	@REPLICATED=1 indexer/tests/with-clickhouse $(CARGO) test $(FLAGS) --workspace --lib --quiet -- store::tests --skip any_ --skip a_store_that_is_put_back

chdb-check: build-host ## what the indexer asks ClickHouse, asked of today's engine too: chdb, in an environment of its own (600 MB the first time)
	@indexer/tests/chdb/check $(CARGO) test $(FLAGS) --workspace --lib --quiet

clickhouse-bench: build-host ## rows a second into two shards of ClickHouse through their Distributed table, on this machine (ROWS=; a release build says more)
	@CLICKHOUSE_LASTING=1 JOULE_CLICKHOUSE_ROWS=$(or $(ROWS),1_000_000) indexer/tests/with-clickhouse $(CARGO) test $(FLAGS) --workspace --lib -- --nocapture shards::rows_a_second

idl: setup ## write idl/*.json and idl/*.ts with Anchor's own generator
	@$(CARGO) build $(FLAGS) --quiet --workspace --bin joule-idl
	@$(BIN)/joule-idl

idl-check: build-host
	@$(BIN)/joule-idl --check

bench: build ## measure everything; writes benches/results
	@$(BIN)/joule-bench compute
	@$(BIN)/joule-bench v1
	@$(BIN)/joule-bench lifecycle
	@$(BIN)/joule-bench size
	@$(BIN)/joule-bench latency
	@$(BIN)/joule-bench gateway
	@$(BIN)/joule-bench vouchers

bench-replay: setup ## how fast the indexer follows a large file, and what that costs it (release builds; writes benches/results/replay.json)
	@$(CARGO) build $(FLAGS) --release -p joule-indexer -p joule-replay
	@mkdir -p $(JOULE_CACHE)/replay
	@for mix in plain new=0.5; do \
	    file=$(JOULE_CACHE)/replay/$$mix; \
	    $(RELEASE)/joule-replay scale --from benches/replay/fixtures/demo.replay --updates 1_000_000 --mix $$mix --out $$file; \
	    $(RELEASE)/joule-replay drive --indexer $(RELEASE)/joule-indexer --file $$file --write; \
	done

# Each peer is a workspace of its own, with a target folder that both share.
PEERS_TARGET ?= $(HOME)/.cache/peers-target
bench-peers: setup ## this indexer, Carbon, Vixen and a bare loop on one PostgreSQL (release builds; UPDATES=; writes benches/results/peers.json)
	@echo '[peers] building; the first time this takes half an hour on two cores'
	@for peer in carbon vixen; do (cd benches/peers/$$peer && CARGO_TARGET_DIR=$(PEERS_TARGET) $(CARGO) build $(FLAGS) --release); done
	@$(CARGO) build $(FLAGS) --release -p joule-indexer -p joule-replay --bins --example joule-bare
	@POSTGRES_LASTING=1 indexer/tests/with-postgres benches/peers/run $(RELEASE) $(PEERS_TARGET)/release $(JOULE_CACHE)/replay $(or $(UPDATES),150_000)

failure-check: build-host
	@echo '[test] the indexer is killed, stalled and misled; its store equals the chain'
	@$(BIN)/joule-replay trial --indexer $(BIN)/joule-indexer --runs 10 --at-once 10 --updates 3000 $(if $(SEED),--seed $(SEED))
	@$(BIN)/joule-replay trial --indexer $(BIN)/joule-indexer --runs 5 --at-once 5 --updates 3000 --store postgres $(if $(SEED),--seed $(SEED))

failure-runs: build-host ## a hundred runs on each store in which everything fails: after each the store equals the chain (RUNS=, SEED=)
	@for store in sqlite postgres; do \
	    $(BIN)/joule-replay trial --indexer $(BIN)/joule-indexer --runs $(or $(RUNS),100) --updates 20_000 --store $$store $(if $(SEED),--seed $(SEED)) || exit 1; \
	done

soak: setup ## ten million updates, with a store that takes nothing for a minute: memory by tenths, and whether anything is missing (release builds)
	@$(CARGO) build $(FLAGS) --release -p joule-indexer -p joule-replay
	@mkdir -p $(JOULE_CACHE)/replay
	@$(RELEASE)/joule-replay scale --from benches/replay/fixtures/demo.replay --updates 10_000_000 --out $(JOULE_CACHE)/replay/soak
	@$(RELEASE)/joule-replay drive --indexer $(RELEASE)/joule-indexer --file $(JOULE_CACHE)/replay/soak --stall-store 60 --write

bench-cu: build ## measure compute units and sizes
	@$(BIN)/joule-bench compute
	@$(BIN)/joule-bench v1
	@$(BIN)/joule-bench lifecycle
	@$(BIN)/joule-bench size

bench-check: build
	@echo '[test] compute units, and what transactions hold and cost, against the snapshots'
	@$(BIN)/joule-bench compute --check
	@$(BIN)/joule-bench v1 --check
	@$(BIN)/joule-bench lifecycle --check

late-hour: build ## an hour of a cluster with a fifth of its blocks late: what RPC is asked (two minutes)
	@JOULE_LATE_SLOTS=9000 $(CARGO) test $(FLAGS) --workspace --test localnet -- --nocapture late::

fuzz: build ## a million random steps against the programs, all money counted after each; then entitlement (STEPS=, SEED=)
	@$(BIN)/joule-fuzz --steps $(or $(STEPS),1000000) $(if $(SEED),--seed $(SEED))
	@$(MAKE) --no-print-directory fuzz-entitlement

fuzz-entitlement: build ## random histories with wrongs in them: who was wronged is whole (HISTORIES=, SEED=)
	@$(BIN)/joule-fuzz --entitlement --histories $(or $(HISTORIES),5000) $(if $(SEED),--seed $(SEED))

# The same steps every time, so that what turns red is what was changed.
fuzz-check: build
	@echo '[test] conservation of money'
	@$(BIN)/joule-fuzz --steps 50000 --seed 1
	@echo '[test] entitlement'
	@$(BIN)/joule-fuzz --entitlement --histories 150 --seed 1

# Apart from `make test`, which has some thousand cases of it: a release build, with what only random input needs.
fuzz-decoders: setup ## random input for everything that the indexer decodes: gRPC, JSON, accounts, events (CASES=, SEED=)
	@$(CARGO) build $(FLAGS) --release -p joule-indexer -p joule-replay --features joule-indexer/fuzz --bin joule-fuzz-decoders
	@$(RELEASE)/joule-fuzz-decoders --cases $(or $(CASES),5000000) $(if $(SEED),--seed $(SEED))

workload-check: build-host
	@echo '[test] accuracy of the digits module under the node'\''s runner'
	@workloads/digits/check-accuracy

sdk-ts-check: build ## the TypeScript SDK: the same vectors as in Rust, its page's programs run against the services, Chromium, the tarball
	@echo '[test] the TypeScript SDK: in Node, in Chromium, and in another project that runs the programs of its page'
	@cd sdk/ts && npm ci --no-fund --no-audit --silent && rm -rf dist && npm run --silent build && npm test --silent

# Apart from `make test`: it installs six libraries.
openai-check: build-host ## the gateway through OpenAI's own libraries: three versions each for Python and Node
	@tests/openai/install
	@$(CARGO) test $(FLAGS) --workspace --test openai

api-clients-check: build-host
	@echo '[test] clients of the indexer in TypeScript and Python, made from its OpenAPI document'
	@indexer/clients/check $(BIN)/joule-indexer

export-check: build-host
	@echo '[test] exports of the indexer, read by DuckDB, pyarrow and Python'
	@indexer/export-check/check $(BIN)/joule-indexer

walks: build ## what pages tell a newcomer to type, typed
	@echo '[walk] README.md, with the demo, beside the others'; tests/walk README.md $(BIN) >/dev/null & demo=$$!; \
	for page in docs/sell-a-model.md docs/sell-machine-time.md fuzz/README.md store/README.md; do echo "[walk] $$page"; tests/walk $$page $(BIN) >/dev/null; done; \
	wait $$demo

deploy-check: build ## what an operator installs, read by the tools that will read it; and the walk to the first alert
	@deploy/check $(BIN)
	@echo '[deploy] the first alert, as deploy/README.md has it'
	@deploy/walk $(BIN)
	@echo '[deploy] the rest of deploy/README.md and all of docs/runbook.md, as they have it'
	@deploy/walk-runbook $(BIN) >/dev/null

fmt: setup ## format
	@cargo-fmt --all

lint: setup ## format, clippy, advisories and licences
	@toolchain/lint.sh

migrate: ## initialise the protocol on the cluster that Anchor.toml names
	@cd migrations && npm ci --no-fund --no-audit --silent && npx tsx run.ts

clean: ## forget the build products (the compilers stay)
	@rm -rf $(CARGO_TARGET_DIR) $(JOULE_CACHE)/sbf-target target .localnet
