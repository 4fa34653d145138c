# Needs Rust, a C compiler and make, and Node 20 for the web pages; `make test` also finds, starts or installs the servers
# and the browser it tests against.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Where rustup puts cargo, for a shell that has not read its profile.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: help demo test lint web screens build bench figures instructions doc clean-demo tools

help: ## List what can be done here
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: tools ## Build and run the gateway with sample members and stores; ARGS="--listen 127.0.0.1:9000" for its options
	@scripts/build-web --if-node
	@cargo build --release --locked -p gateway --bin gateway -p member-card --bin member-card
	@target=$$(cargo metadata --format-version 1 --no-deps | sed -E 's/.*"target_directory":"([^"]*)".*/\1/'); \
	exec "$$target/release/gateway" demo $(ARGS)

test: tools ## Run every check and every test, on SQLite, PostgreSQL and RabbitMQ
	@scripts/test

lint: tools ## Check layout, licences and clippy
	@scripts/test --lint

web: ## Build the web pages, which the next build of the gateway takes in; needs Node 20
	@scripts/build-web

screens: tools ## Take the pictures in docs/screens anew, in a browser
	@scripts/screens

build: tools ## Build everything, optimized
	@scripts/build-web --if-node
	@cargo build --release --locked --workspace

bench: tools ## Run the micro-benchmarks; ARGS="NAME" for those whose name contains it
	@cargo bench --locked --workspace --bench '*' -- $(ARGS)

instructions: tools ## Count the instructions of an authorization and compare with those kept; ARGS="--save" keeps them
	@scripts/instructions $(ARGS)

figures: tools ## Measure what docs/performance.md tells, against DATABASE_URL or on SQLite; takes long
	@scripts/figures

doc: tools ## Build the documentation of the crates; a broken link is an error
	@RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items

clean-demo: ## Remove what `make demo` stored
	@rm -rf demo-data

tools:
	@command -v cargo >/dev/null || { echo "Rust is missing: install it from https://rustup.rs (rust-toolchain.toml names the version)" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "a C compiler is missing: on Debian, apt-get install gcc libc6-dev" >&2; exit 1; }
