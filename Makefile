# Every word here works as root or not, from any checkout path, and twice in a row.
.DEFAULT_GOAL := help
.PHONY: help install demo up test check bench pictures sbom clean
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
BIN := .venv/bin
PY := $(BIN)/python

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
export PIP_NO_INPUT := 1

help:
	@echo "make install   the virtual environment and the front-end packages"
	@echo "make demo      the portal with demonstration data, on this machine alone"
	@echo "make up        the portal, with an embedded PostgreSQL and Redis unless told of others"
	@echo "make test      every test, in a real browser too"
	@echo "make check     format, lint, types, import rules, migrations, deployment files"
	@echo "make bench     the numbers that the documentation claims"
	@echo "make pictures  the pictures of docs/, taken of a demonstration that runs (make demo)"
	@echo "make sbom      what production is made of, as CycloneDX JSON (sbom.json)"
	@echo "make clean     what make made, except for the data in .surety"

install: .venv/installed node_modules/installed

.venv/installed: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed (set PYTHON=)")'
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --only-binary :all: -r requirements-dev.txt
	@touch $@

node_modules/installed: .venv/installed package.json package-lock.json
	@scripts/npm ci --silent
	@touch $@

demo: install
	@$(PY) manage.py demo

up: install
	@$(PY) manage.py up

test: install
	@CHROMIUM="$$($(PY) scripts/chromium.py)" && export CHROMIUM && $(PY) -m pytest -n 3 --dist loadgroup $(ARGS)

check: install
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/check

bench: install
	@$(PY) bench/run.py $(ARGS)

pictures: install
	@$(PY) scripts/pictures.py $(ARGS)

sbom: install
	@$(BIN)/cyclonedx-py requirements requirements.txt --output-reproducible --of JSON -o sbom.json && echo "sbom.json"

clean:
	rm -rf .venv node_modules staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -path ./.surety -prune -o -type d -name __pycache__ -exec rm -rf {} +
