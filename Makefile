# Each target sets up whatever it needs: a machine with make and some Python >= 3.13 is enough. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help setup setup-wire scenarios test test-wire check mutants mutants-wire wire wire-diff bench demo clean
SHELL := /bin/sh
# Images for containers often forbid it; three processes that compile the same modules anew take four seconds of a run.
unexport PYTHONDONTWRITEBYTECODE

STAMP := .venv/.ready
WIRE_STAMP := .venv/.ready-wire
BIN := .venv/bin
# Say SEED=7 or WORKERS=0 (all in one process) to change these.
SEED ?= 1
WORKERS ?= 2
REPORT ?= reports/latest
# The suite of the wire world, some eight minutes: whole families that are quick, and of the others what people look for; of each file one permutation.
# Left out are a story of a proxy that tells what its siblings tell, whole nights and dark wakes.
WIRE_SAMPLE := $(addsuffix .yaml,$(addprefix scenarios/,outage/ten-minute-outage sleep/laptop-sleeps credentials/token-expires-while-idle \
	proxy/only-a-proxy-while-approval-is-pending outage/new-connections-refused presence/killed-host-shows-offline \
	machine/disk-before-answer))
WIRE ?= scenarios/approval scenarios/presence scenarios/machine scenarios/locality $(WIRE_SAMPLE) \
	$(filter-out %/only-a-proxy-in-mid-turn.yaml,$(wildcard scenarios/proxy/*.yaml)) \
	$(addsuffix .yaml,$(addprefix scenarios/,outage/outage-in-mid-turn outage/outage-while-device-joins outage/outage-with-approval-pending \
	outage/half-open outage/firewall-swallows-new-connections outage/mtu-hole outage/breaks-off-in-mid-frame outage/name-does-not-resolve \
	outage/host-changes-network delivery/disk-full sleep/clock-steps-are-harmless sleep/sleep-in-mid-turn \
	sleep/freeze-is-not-sleep sleep/wakes-to-a-prompt credentials/token-expires credentials/wakes-with-every-token-dead \
	credentials/certificate-rotated credentials/refresh-answer-lost latency/echo))

# Besides the first permutation of its file: what ends a session.
WIRE_PLANS ?= 'scenarios/outage/ten-minute-outage.yaml::ten-minute-outage[twelve minutes end it,how=black hole]'

# Where tests stand that need the extra and are passed over without it.
WIRE_TESTS := tests/harness/worlds/wire tests/harness/run tests/harness/test_cli_hands_on.py tests/harness/test_cli_mutants.py

# Of these the slow ones, too, at each commit: mutants that only the wire shows, worlds of which a piece is broken, and one without root.
WIRE_GATE := $(addprefix tests/harness/worlds/wire/,test_wire_only.py test_world.py test_rootless.py)

# Of the gallery as processes at each commit: what no test of the wire alone has, late lines, TLS that nobody verifies, a channel past the proxy.
WIRE_MUTANTS := --only nagle-200ms --only skips-tls-verify --only renews-directly

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## make the environment in .venv

$(STAMP): pyproject.toml uv.lock .ci/setup
	@./.ci/setup
	@touch $@

setup-wire: $(WIRE_STAMP) ## add to it what real processes need: the extra `wire`, toxiproxy-server, tools of the system
	@$(BIN)/python -m harness.worlds.wire

$(WIRE_STAMP): $(STAMP)
	@EXTRA=wire ./.ci/setup
	@touch $@

scenarios: $(STAMP) ## run every scenario in the simulated world, report in reports/latest
	@$(BIN)/relayproof run scenarios --seed $(SEED) -n $(WORKERS) --report $(REPORT)

test: $(STAMP) ## run the tests of the house itself
	@$(BIN)/pytest tests -n $(WORKERS) -q

test-wire: $(WIRE_STAMP) ## run the tests of the wire world, real processes and all: ten minutes
	@$(BIN)/pytest $(WIRE_TESTS) -n $(WORKERS) -q

# The wire world is left out where nothing of it can be played (3), and where it cannot be set up for another reason that is an error.
# Drift of generated documents is tested, so `tests` has it. The gallery runs each mutant in the plans its kill map names; all plans: `make mutants`.
check: $(STAMP) ## everything that must hold at each commit
	@rm -f $(WIRE_STAMP)
	@./.ci/setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest tests -q -n 2
	$(BIN)/relayproof run scenarios --seed $(SEED) -n 2 --report $(REPORT)
	$(BIN)/relayproof mutants --quick --report $(REPORT)
	@EXTRA=wire ./.ci/setup; code=$$?; if [ $$code = 0 ]; then $(BIN)/pytest $(WIRE_TESTS) -m "not slow" -q -n 2 && $(BIN)/pytest $(WIRE_GATE) -m slow -q -n 2 && \
		$(BIN)/relayproof mutants --world wire --quick -n 1 $(WIRE_MUTANTS) --report reports/wire && \
		$(MAKE) --no-print-directory wire WIRE="$(WIRE_SAMPLE)" WIRE_PLANS= && \
		$(BIN)/relayproof diff $(REPORT)/report.json reports/wire/report.json; \
		elif [ $$code = 3 ]; then echo "wire: left out"; else exit $$code; fi

mutants: $(STAMP) ## the whole gallery: every broken system must be caught, exactly as declared
	@$(BIN)/relayproof mutants --all-permutations --report $(REPORT)

mutants-wire: $(WIRE_STAMP) ## the gallery as processes, by what each declares and a control, held against the simulated world: two hours
	@$(BIN)/relayproof mutants --world wire -n $(WORKERS) --report reports/wire

# Takes what it needs, and says in one line each time what could not be had: Go for Toxiproxy (once), a C compiler for the clocks, tools of the kernel.
wire: $(WIRE_STAMP) ## run scenarios on real processes, through Toxiproxy and mitmproxy, report in reports/wire
	@$(BIN)/python -m harness.worlds.wire
	@$(BIN)/relayproof run $(WIRE) $(WIRE_PLANS) --one-each --world wire --seed $(SEED) -n $(WORKERS) --report reports/wire

# What is red in simulated time need not differ, so the diff is made all the same; without a new report there is none.
wire-diff: $(WIRE_STAMP) ## play all permutations of the files of `make wire` in simulated time, and hold the verdicts beside its
	@rm -f reports/sim/report.json
	@$(BIN)/relayproof run $(WIRE) --seed $(SEED) -n $(WORKERS) --report reports/sim; $(BIN)/relayproof diff reports/sim reports/wire

bench: $(STAMP) ## speed of the simulated world, as ratios
	@$(BIN)/relayproof bench scenarios/outage/ten-minute-outage.yaml

demo: $(STAMP) ## watch a ten-minute outage and a night's sleep, in ten seconds
	@$(BIN)/relayproof demo

clean: ## remove everything that can be made again
	rm -rf .venv .tools .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis reports/latest reports/sim reports/wire
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
