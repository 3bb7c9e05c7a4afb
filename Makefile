# `make run` opens the console on the practice lab; `make test` runs every test.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/ratiba-console/target
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: run test drills check setup bench build dist clean help

help:
	@echo "make run     set up, start the lab, open the console on it (without a display: under Xvfb, with a screenshot)"
	@echo "make test    set up, then every test, the real window included"
	@echo "make drills  every fault caused, found, repaired, taken back, on labs of its own; ends with the matrix"
	@echo "make check   format, lints, types, generated files, docs"
	@echo "make bench   timings in pairs, beside the same work done otherwise"
	@echo "make dist    installable packages"
	@echo "make clean   take the lab down"

setup:
	@.ci/setup

run: setup
	@.ci/open

test: setup
	@.ci/test

drills: setup
	@RATIBA_RECORD=1 .ci/drills

check: setup
	@.ci/check

bench: setup
	@tests/bench/run

build: setup
	npm --prefix ui run -s build
	cargo build --release --features desktop

dist: setup
	ui/node_modules/.bin/tauri build

clean:
	@ctl="$(CARGO_TARGET_DIR)/debug/ratibactl"; [ -x "$$ctl" ] || cargo build --bin ratibactl; "$$ctl" drill down
