# Every target sets up what it needs; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup run test check deploy bench lint format generate lock clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
		|| { echo "Python's venv module is needed: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(READY) ## Install the pinned dependencies into .venv

run: $(READY) ## Run the service with everything it needs on 127.0.0.1:8080
	@exec $(BIN)/supervisor-mcp up

test: $(READY) ## Run the whole suite
	$(BIN)/pytest

check: $(READY) lint test ## Exactly what CI runs: format, lint, types, imports, SQL, tests

lint: $(READY) ## Format check, lint, types, import contract, SQL style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --processes 1 sql

format: $(READY) ## Rewrite Python and SQL in the house style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/sqlfluff fix --processes 1 sql

deploy: $(READY) ## Bring SUPERVISOR_DATABASE_URL, else the embedded database, up to date
	$(BIN)/supervisor-mcp deploy

generate: $(READY) ## Rewrite sql/schema.sql and docs/sql-api.md
	$(BIN)/supervisor-mcp generate

bench: $(READY) ## Measure ingest, aggregates and the cache; print ratios
	$(BIN)/python -m bench

lock: $(READY) ## Pin the newest versions that pyproject.toml admits
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header --no-emit-index-url --quiet --upgrade -o requirements.lock

clean: ## Remove what the targets above made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist
