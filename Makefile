# `make help` lists the targets.

PYTHON ?= python3
BIN := .venv/bin
STATE := $(shell cksum pyproject.toml requirements.lock 2>/dev/null | cksum | cut -d' ' -f1)
READY := .venv/ready-$(STATE)
READY_TO_TEST := .venv/ready-to-test-$(STATE)

.DELETE_ON_ERROR:
.PHONY: all help test test-long lint samples accept release setup setup-test
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"

all: setup  ## run everything and print the verdicts (15 to 30 minutes on two cores)
	$(RUN) snakemake
	@$(BIN)/jouleproof claims show

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "%-18s%s\n", "make " $$1, $$2}' Makefile

test: setup-test  ## quick tests, parts of the pipeline, jobs through Slurm where it is installed
	$(RUN) pytest -m "not long" --durations=10

test-long: setup-test  ## the tiny pipeline end to end, and tests over many more cases
	$(RUN) pytest -m long --durations=10

lint: setup-test  ## ruff, mypy, import-linter, snakefmt, workflows/lint.py
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) snakefmt --check Snakefile workflows
	$(RUN) python workflows/lint.py

samples: setup-test  ## regenerate the figures' sample tables for the tests
	$(BIN)/python -m tests.figures.make_samples

accept: all  ## accept this run's verdicts; update README, docs and the overview
	$(BIN)/jouleproof claims accept

release: setup-test  ## write the archive that installs and runs without a network
	$(BIN)/python -m workflows.release

setup: $(READY)  ## install the packages that `make` needs into .venv, by hash

setup-test: $(READY_TO_TEST)  ## install those that `make test` and `make lint` need, too

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' \
	  || { echo "Python 3.11 to 3.14 is needed; name one with: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	  || { echo "Python's venv module is needed (Debian: apt install python3-venv)" >&2; exit 1; }
	@$(PYTHON) workflows/lock.py check
	$(PYTHON) -m venv .venv
	@echo "installing the pinned dependencies (2 to 5 minutes)"
	@$(BIN)/python workflows/lock.py install run
	@rm -f .venv/ready-*
	@touch $@

$(READY_TO_TEST): $(READY)
	@$(BIN)/python workflows/lock.py install test
	@touch $@
