# The project's verbs; `make help` lists them. For GNU make 3.81 (macOS) and newer.
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8080
DATA ?= demo-data
PYTEST_ARGS ?=
CYCLES ?= 1000
SEED ?= 1
KILLS ?= 20
RUNS ?= 200
SHELL = /bin/bash
BIN = $(VENV)/bin
# The lock files are complete, so pip need not work out what depends on what.
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet install
LOCK = $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11
RUN_READY = $(VENV)/.run-installed
DOCS_READY = $(VENV)/.docs-installed
DEV_READY = $(VENV)/.dev-installed
# The manual, made again when a page, a picture, or what its tables are made of has changed.
MANUAL = build/help/.built
MANUAL_PARTS = pyproject.toml $(shell find docs -type f -not -name '*.pyc') src/get_protocol/state_machine.py \
	$(wildcard src/attpcdaq/web/static/attpcdaq/daq.css src/attpcdaq/runcontrol/troubles/*.py)
SPHINX = $(BIN)/python -m sphinx -q -b dirhtml
# Checks read the settings but connect to nothing.
SETTINGS = ATTPCDAQ_SECRET_KEY=$(shell printf 'check%.0s' 1 2 3 4 5 6 7 8) \
	ATTPCDAQ_DATABASE_URL="sqlite:///$(CURDIR)/.mypy_cache/none.sqlite3" ATTPCDAQ_BROKER_URL="filesystem://$(CURDIR)/.mypy_cache"
# Compiled modules are kept: without them every test process would compile (and pytest rewrite) everything anew.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL = help
.PHONY: help demo up down logs backup restore upgrade test-deploy bench chaos closeout test test-fast coverage check format lock clean run-env dev-env \
	check-lint check-types check-imports check-migrations check-unused check-rules check-manual manual pictures

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {sub(/:.*/, "", $$1); printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: $(RUN_READY) $(MANUAL) ## the whole system against a simulated detector (PORT=8080 DATA=demo-data); Ctrl-C ends it
	@exec $(BIN)/python -m attpcdaq.demo --port "$(PORT)" --data "$(DATA)"

up: ## the containers: settings, images and keys are made, everything started (SIMULATOR=1 with a simulated detector)
	@$(PYTHON) deploy/stack up $(if $(SIMULATOR),--simulator)

down: ## end the containers; their data stay
	@$(PYTHON) deploy/stack down

logs: ## follow what the containers say
	@$(PYTHON) deploy/stack logs

backup: ## dump the database into backups/ now
	@$(PYTHON) deploy/stack backup

restore: ## put a dump in the place of the database (FILE=backups/...; FORCE=1 even while a run is open)
	@$(PYTHON) deploy/stack restore $(if $(FORCE),--force) "$(or $(FILE),$(error FILE=backups/... says which dump))"

upgrade: ## dump, migrate and restart with the version of this copy; back if it fails (FORCE=1 as above)
	@$(PYTHON) deploy/stack upgrade $(if $(FORCE),--force)

test-deploy: $(DEV_READY) ## build the containers, run them, kill them, restore and upgrade them (needs Docker, or root on Debian)
	@exec $(BIN)/python -m tests.deploy

test: $(DEV_READY) $(MANUAL) ## every test, against the real PostgreSQL, RabbitMQ, nginx, sshd and Chromium
	@deploy/test-services || echo "Going on without it." >&2
	$(BIN)/python -m pytest --postgresql -n 2 $(PYTEST_ARGS)

test-fast: $(DEV_READY) $(MANUAL) ## the tests that need none of them (under a minute)
	$(BIN)/python -m pytest -m "not services and not e2e" -n 2 $(PYTEST_ARGS)

coverage: $(DEV_READY) $(MANUAL) ## the same tests, and which lines they did not reach
	$(BIN)/python -m pytest -m "not services and not e2e" -n 2 --cov --cov-report=term $(PYTEST_ARGS)

check: check-lint check-types check-imports check-migrations check-unused check-rules check-manual ## all that is checked without running the product

check-lint: $(DEV_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	git ls-files -z 'src/*.html' | xargs -0 $(BIN)/djade --check --target-version 5.2

check-types: $(DEV_READY)
	@mkdir -p .mypy_cache
	$(SETTINGS) $(BIN)/mypy

check-imports: $(DEV_READY)
	$(BIN)/lint-imports --no-cache

check-migrations: $(DEV_READY)
	@mkdir -p .mypy_cache
	$(SETTINGS) $(BIN)/python manage.py makemigrations --check --dry-run

check-unused: $(DEV_READY)
	$(BIN)/python deploy/check_unused.py

check-rules: $(DEV_READY)
	$(BIN)/python -m pip --disable-pip-version-check check
	$(BIN)/python -m pytest -q tests/test_house_rules.py

# From nothing, for a page that did not change says nothing of a link that now leads nowhere.
check-manual: $(DOCS_READY)
	rm -rf build/manual-checked
	$(SPHINX) -W -n --keep-going -d build/manual-checked/read docs build/manual-checked/written

manual: $(MANUAL) check-manual ## build the manual (build/help, served at /help/) and check every link in it

pictures: $(DEV_READY) ## take the manual's pictures of the running demo (needs Chromium; docs/pictures), then build it
	$(BIN)/python -m tests.e2e.pictures docs/pictures
	@$(MAKE) --no-print-directory $(MANUAL)

format: $(DEV_READY) ## let the formatters rewrite what they can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	git ls-files -z 'src/*.html' | xargs -0 $(BIN)/djade --target-version 5.2

bench: $(DEV_READY) ## measure speed and size against their goals (writes bench/report.json)
	@deploy/test-services || echo "Going on without it." >&2
	@exec $(BIN)/python -m bench

chaos: $(DEV_READY) ## faults at random moments, every run checked (CYCLES=1000 SEED=1 KILLS=20; KILLS= leaves the real services out)
	@$(if $(KILLS),deploy/test-services || echo "Going on without it." >&2)
	@exec $(BIN)/python -m tests.chaos --cycles "$(CYCLES)" --seed "$(SEED)" $(if $(KILLS),--real "$(KILLS)")

closeout: $(DEV_READY) ## runs with everything that goes wrong at their end, each frame looked at (RUNS=200 SEED=1)
	@exec $(BIN)/python -m tests.closeout --runs "$(RUNS)" --seed "$(SEED)"

lock: $(DEV_READY) ## lock the dependencies anew from requirements/*.in (UPGRADE=--upgrade takes newer versions)
	$(LOCK) $(UPGRADE) requirements/run.in -o requirements/run.txt
	$(LOCK) $(UPGRADE) requirements/docs.in -o requirements/docs.txt
	$(LOCK) $(UPGRADE) requirements/dev.in -o requirements/dev.txt

clean: ## remove the environment and what tools left behind, never data
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache htmlcov test-results .coverage*

run-env: $(RUN_READY) ## only install what the product needs
dev-env: $(DEV_READY) ## only install what tests and checks need

$(BIN)/python:
	@$(PYTHON) deploy/check_python.py
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(RUN_READY): requirements/run.txt pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes --no-deps -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(DOCS_READY): requirements/docs.txt $(RUN_READY)
	$(PIP) --require-hashes --no-deps -r requirements/docs.txt
	@touch $@

$(DEV_READY): requirements/dev.txt $(DOCS_READY)
	$(PIP) --require-hashes --no-deps -r requirements/dev.txt
	@touch $@

$(MANUAL): $(DOCS_READY) $(MANUAL_PARTS)
	@echo "Building the manual ..."
	@$(SPHINX) -d build/doctrees docs build/help
	@touch $@
