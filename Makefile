# The project's verbs. `make help` lists them. Works with GNU make 3.81 (macOS) and newer.
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8080
DATA ?= demo-data
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet
RUN_READY = $(VENV)/.run-installed
DEV_READY = $(VENV)/.dev-installed
SHELL = /bin/bash

.PHONY: help demo run-env dev-env
.DEFAULT_GOAL := help

help: ## this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

run-env: $(RUN_READY) ## install what the product needs into .venv
dev-env: $(DEV_READY) ## the same, and what tests and checks need

demo: $(RUN_READY) ## the whole system against a simulated detector (PORT=8080 DATA=demo-data)
	@exec $(BIN)/python -m attpcdaq.demo --port $(PORT) --data $(DATA)

$(BIN)/python:
	@$(PYTHON) deploy/check_python.py
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(RUN_READY): requirements/run.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_READY): requirements/dev.txt $(RUN_READY)
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@
