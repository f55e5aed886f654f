# SPDX-License-Identifier: Apache-2.0
# The front door: `make` lists what there is. Each target sets up what it needs, says what it does, and keeps the
# output of its steps in build/logs/. The build itself is CMake's (CMakeLists.txt, CMakePresets.json).

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
SECONDS ?= 60
FUZZ_TARGETS := $(basename $(notdir $(wildcard fuzz/*.c)))
LIANA := build/release/apps/cli/liana
STEP := tools/step
# Property tests try other cases on every commit, and each run of a commit the same ones.
LIANA_SEED ?= $(shell git -c safe.directory="$$PWD" rev-parse --short=12 HEAD 2>/dev/null | sed 's/^/0x/')
export LIANA_SEED
export UBSAN_OPTIONS ?= print_stacktrace=1
# git reads a tree of another user (root in somebody's clone) only where it is told to.
ifndef GIT_CONFIG_COUNT
export GIT_CONFIG_COUNT := 1
export GIT_CONFIG_KEY_0 := safe.directory
export GIT_CONFIG_VALUE_0 := $(CURDIR)
endif
# ccache fails where it cannot keep anything.
ifneq ($(shell test -w "$${CCACHE_DIR:-$$HOME}" && echo yes),yes)
export CCACHE_DISABLE := 1
endif

# build PRESET [TARGET]; a tree that was moved is configured anew.
define build
	@grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$(CURDIR)" build/$(1)/CMakeCache.txt || rm -f build/$(1)/CMakeCache.txt
	@$(STEP) configure-$(1) cmake --preset $(1)
	@$(STEP) build-$(1) cmake --build build/$(1) -j$(JOBS) $(if $(2),--target $(2))
endef
# ctest PRESET ARGUMENTS: the programs' own output only when one fails.
define ctest
	@$(STEP) -v test-$(1) ctest --test-dir build/$(1) -j$(JOBS) --output-on-failure --no-tests=error $(2)
endef

.PHONY: help setup run test check check-quick dev release asan tsan fuzz mutants long bench install clean

help:  ## this list
	@echo "Liana: an offline-first document database for devices."
	@echo
	@awk -F ':.*## *' '/^[a-z-]+:.*##/ { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "Logs are in build/logs/, programs in build/release/apps/."

setup:  ## install packages and the MongoDB test server (the others do it themselves)
	@tools/setup

# Without something optional (exit code 2) the rest still runs; what lacks it says so.
.PHONY: ready ready-to-run
ready:
	@tools/setup || [ $$? -eq 2 ]
ready-to-run:
	@tools/setup --to-run || [ $$? -eq 2 ]

run: ready-to-run  ## the main job: five devices in a line, cut and killed, into MongoDB (DATA=FILE.csv ARGS=...)
	$(call build,release,liana)
	@grep -q '(demo' apps/cli/commands.def || { echo "make run: apps/cli has no command \`demo\` yet"; exit 1; }
	@echo "== liana demo retail $(if $(DATA),--data=$(DATA)) $(ARGS)"
	@$(LIANA) demo retail $(if $(DATA),--data="$(DATA)") $(ARGS)

test: ready  ## all tests: plain, under ASan and UBSan (but for those of the tools), with threads under TSan
	$(call build,dev)
	$(call ctest,dev)
	$(call build,asan)
	$(call ctest,asan,-LE '^(checks|tools)$$')
	$(call build,tsan)
	$(call ctest,tsan,-L threads)
	@echo "== make test: all tests passed"

check-quick: ready  ## the checks that need no build: format, licences, layers, banned calls, headers, links
	@failed=; for check in format layers banned headers docs; do \
		$(STEP) check-$$check tools/check_$$check || failed="$$failed $$check"; \
	done; test -z "$$failed" || { echo "== make check: failed:$$failed"; exit 1; }

check: check-quick  ## all checks: also warnings of gcc and clang, symbols, clang-tidy
	$(call build,dev)
	$(call build,release)
	@$(STEP) check-symbols tools/check_symbols $$(find build/dev/src -name 'liblia_*.a' ! -name '*_testing.a') \
		$$(find build/release -maxdepth 1 -name libliana.so)
	$(call build,asan)
	@$(STEP) check-tidy tools/check_tidy
	@tools/show_sizes
	@echo "== make check: all checks passed"

dev release: ready-to-run  ## build one preset
	$(call build,$@)
asan tsan: ready  ##
	$(call build,$@)

fuzz: ready  ## fuzz one target: TARGET=name SECONDS=60 (fuzz/*.c are the targets)
	@test -n "$(TARGET)" || { echo "make fuzz TARGET=NAME; there are: $(FUZZ_TARGETS)"; exit 2; }
	@test -f "fuzz/$(TARGET).c" || { echo "there is no fuzz/$(TARGET).c"; exit 2; }
	$(call build,fuzz)
	@mkdir -p build/corpus/$(TARGET) build/findings
	build/fuzz/fuzz/fuzz_$(TARGET) -max_total_time=$(SECONDS) -print_final_stats=1 -artifact_prefix=build/findings/ \
		build/corpus/$(TARGET) fuzz/corpus/$(TARGET)

mutants: ready  ## builds that each break one rule of the merge law: the histories must notice all of them
	$(call build,dev)
	@$(STEP) -v mutants cmake --build build/dev -j$(JOBS) --target mutants

long: ready  ## hours: the property tests with a hundred times the cases, every fuzz target for SECONDS each
	$(call build,dev)
	@$(STEP) analyse tools/check_tidy --analyse
	@LIANA_EFFORT=100 $(STEP) -v test-long ctest --test-dir build/dev -j$(JOBS) --output-on-failure --timeout 14400
	@for target in $(FUZZ_TARGETS); do $(MAKE) --no-print-directory fuzz TARGET=$$target || exit 1; done

bench: ready  ## what things cost: a table, and build/bench.json
	$(call build,release)
	@bench/run.py

# Whatever the mask of the one who installs: everybody is to read it.
install: release  ## into PREFIX (/usr/local), below DESTDIR
	@umask 022; $(STEP) install cmake --install build/release --prefix "$(PREFIX)" --strip

clean:  ## removes build/, but keeps the virtual environment
	@echo "== removing build/ (build/venv stays)"
	@find build -mindepth 1 -maxdepth 1 ! -name venv -exec rm -rf {} +
