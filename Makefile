# Two commands are all a new user needs: make demo, make test. Each sets up .venv from the lock files by itself.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# The tests run in four processes, since many wait, forked from the one that has collected them. Empty (make test AT_ONCE=): one process.
AT_ONCE := -p tests.at_once --at-once 4
# Of those of one file, and where it is measured what they run.
APART := $(if $(AT_ONCE),-n 4 --dist worksteal)
READY := $(VENV)/.ready
# Clients of other versions than the environment's, for the tests, each in a folder of its own; what they need is in requirements-dev.lock
# (enum-compat is empty since Python 3.4).
OLDER_CLIENTS := $(basename $(notdir $(wildcard tests/clients/*.lock)))
# What is imported is compiled then; pip would compile all, for a third of its time.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-annotate --custom-compile-command "make locks"
# Every process of the tests would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test long kernels collected fast crash stops library round-trips browser lse-mutations bent-plans throttle-twin live-twin certify-mutants check bench mutants lint openapi pages screenshots setup locks clean

demo: $(READY)
	$(BIN)/ami demo

test: $(if $(wildcard headend/vee/__pycache__/*.nbi),$(READY),kernels)
	$(BIN)/python -m pytest $(AT_ONCE) -m "not long"

# What has a short one beside it that make test runs; ONLY: files of it. What tests of a file look at is made once.
long: $(READY)
	$(BIN)/python -m pytest $(AT_ONCE:4=3) -m long $(ONLY)

# Compiled once, before the processes of the tests begin on a new checkout.
kernels: $(READY)
	$(BIN)/python -m tests.kernels

# Python compiles the tests and their assertions once, before each process of theirs would.
collected: kernels
	$(BIN)/python -m pytest -qq --collect-only >/dev/null

# All that opens no process.
fast: $(READY)
	$(BIN)/python -m pytest $(AT_ONCE) -m "not process and not long"

crash: $(READY)
	$(BIN)/python -m pytest $(APART) -q tests/simulator/smt/hundred_kills.py

stops: $(READY)
	$(BIN)/python -m pytest -q tests/simulator/commands/hundred_stops.py

# Every journey through the pages, on a phone and at a desk.
browser: $(READY)
	$(BIN)/python -m pytest -q -n 3 -o python_files=journeys.py tests

# A hundred thousand mutated LSE files, each by two readings.
lse-mutations: $(READY)
	$(BIN)/python -m tests.headend.lse.mutations

# Ten thousand plan files, usage files and folders of accounts that somebody spoilt.
bent-plans: $(READY)
	$(BIN)/python -m tests.simulator.ror.billing.bent_plans 10000
	$(BIN)/python -m tests.simulator.ror.files.bent_files 10000
	$(BIN)/python -m tests.simulator.ror.accounts.bent_accounts 10000

# A hundred thousand histories of the compiled throttle beside the one that decides live.
throttle-twin: $(READY)
	THROTTLE_HISTORIES=100000 $(BIN)/python -m pytest -q tests/simulator/capacity/engine/test_throttle_twin.py

# Every shipped scenario, with an index page in ami-out.
library: $(READY)
	$(BIN)/ami scenario run --all

# Every shipped scenario, taken of its recording, played and taken again.
round-trips: $(READY)
	$(BIN)/python -m pytest -q tests/scenarios/taken/round_trips.py

# 2,000 requests of a workload, live on real sockets and modelled, under each of three policies.
live-twin: $(READY)
	LIVE_REQUESTS=2000 $(BIN)/python -m pytest -q tests/simulator/load/test_live_and_modelled.py

# Each thing that a stranger's system can do wrong fails the ids that it names, and no other (FULL=--full: in every step of the plan); and in a flight
# with an honest other system it is the one that is named.
certify-mutants: $(READY)
	$(BIN)/python -m tests.scenarios.certify.matrix headend ror smt meter $(FULL)
	$(BIN)/python -m tests.scenarios.certify.flights $(FULL)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Appended to nothing: else each process of the tests removes what another has measured before it.
check: lint
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest $(APART) --cov --cov-append --cov-report=term:skip-covered
	$(BIN)/python -m tests.room_coverage

bench: $(READY)
	$(BIN)/python -m tests.benchmarks

# Faults put into the product one at a time, each to be found by the test that it names, and by a scenario that cites what it bends (FULL=1: by each).
mutants: $(READY)
	$(BIN)/python -m tests.mutants
	$(BIN)/python -m tests.mutants --cited $(if $(FULL),--full)

openapi: $(READY)
	$(BIN)/python -m tests.simulator.openapi_pages

# The pages that are made from the code; tests hold them equal to it.
pages: openapi
	$(BIN)/python -m tests.meters.register_map.pages
	$(BIN)/python -m tests.reports.meter.pages
	$(BIN)/python -m tests.headend.lse.pages
	$(BIN)/python -m tests.simulator.ror.billing.pages
	$(BIN)/python -m tests.simulator.capacity.workload.pages
	$(BIN)/python -m tests.simulator.capacity.pages
	$(BIN)/python -m tests.simulator.ror.files.pages
	$(BIN)/python -m tests.scenarios.pages
	$(BIN)/python -m tests.scenarios.profile.pages
	$(BIN)/python -m tests.reports.plan.value_page
	$(BIN)/python -m tests.reports.capacity.study_page

# Those of README and docs; look at them.
screenshots: $(READY)
	$(BIN)/python -m tests.simulator.smt.doors.web.screenshots

setup: $(READY)

$(READY): requirements-dev.lock $(OLDER_CLIENTS:%=tests/clients/%.lock) pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is not on the PATH; name a Python >= 3.11: make PYTHON=python3 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --require-hashes -r requirements-dev.lock
	for client in $(OLDER_CLIENTS); do $(INSTALL) --require-hashes --no-deps --upgrade --target $(VENV)/$$client -r tests/clients/$$client.lock || exit 1; done
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $(READY)

# Every package and its hashes, for each Python from 3.11 on. What is pinned stays (make locks UPGRADE=--upgrade). Needs the program uv.
locks:
	$(LOCK) $(UPGRADE) pyproject.toml -o requirements.lock
	$(LOCK) $(UPGRADE) pyproject.toml --all-extras -c requirements.lock -o requirements-dev.lock
	for client in $(OLDER_CLIENTS); do printf '%s\n' smart-meter-texas==$${client##*-} asn1 | $(LOCK) $(UPGRADE) - --no-deps -o tests/clients/$$client.lock || exit 1; done

clean:
	rm -rf $(VENV) ami-out .mypy_cache .ruff_cache .pytest_cache .hypothesis
