# The front door. `make` alone lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
JOBS ?= 2
COUNTRY ?= MX

SOURCES := $(wildcard libs/*/src services/*/src tools/*/src)

.PHONY: help
help: ## this list
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | sort | column -t -s "$$(printf '\t')"

.PHONY: setup
setup: ## virtual environment and system packages; every other target does it by itself
	@tools/bootstrap.sh

.PHONY: up
up: setup ## the whole suite with a demo merchant, until Ctrl-C; the data stay
	@$(PY) -m stack up

.PHONY: down
down: setup ## stop a running suite from another terminal
	@$(PY) -m stack down

.PHONY: rollout
rollout: setup ## new processes in the running suite without a failed request (SERVICE=all)
	@$(PY) -m stack rollout $(or $(SERVICE),all)

.PHONY: demo
demo: setup ## play a sale from registration to report and refund in the running suite (COUNTRY=MX, CO, AR or CL)
	@COUNTRY=$(COUNTRY) $(PY) -m stack demo

.PHONY: test
test: setup ## every test, against real servers (JOBS=2)
	@$(PY) -m pytest -q -n $(JOBS) $(ARGS)

.PHONY: lint
lint: setup ## format, style, types, dependency rules, fresh protos, compatible contracts
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(MAKE) --no-print-directory types
	.venv/bin/lint-imports
	$(MAKE) --no-print-directory protos-check
	$(MAKE) --no-print-directory contracts-check

.PHONY: types
types: setup ## mypy, strict
	$(PY) -m mypy $(SOURCES)

.PHONY: format
format: setup ## put the code into shape
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

.PHONY: protos
protos: setup ## generate the gRPC code from protos/
	@$(PY) -m contracts.tooling.generate

.PHONY: protos-check
protos-check: setup ## fail when the committed gRPC code is not what the protos give
	@$(PY) -m contracts.tooling.generate --check

.PHONY: contracts-check
contracts-check: setup ## fail on a removed or retyped field of a proto or an event, against main
	@$(PY) -m contracts.tooling.compatibility

.PHONY: asyncapi
asyncapi: setup ## print the AsyncAPI document of the event bus
	@$(PY) -m contracts.tooling.asyncapi

.PHONY: bench
bench: setup ## measure the suite beside its references and print the table
	@$(PY) -m benchmarks

.PHONY: provider
provider: setup ## begin a payment provider: its modules, failing tests, a twin (COUNTRY=CL NAME=novapay)
	@$(PY) -m psp.tooling.scaffold $(COUNTRY) $(NAME)

EXPORT := --no-emit-workspace --all-packages --no-header --no-annotate --format requirements-txt
.PHONY: lock
lock: setup ## resolve dependencies anew into requirements.lock, and what images need of it
	@.venv/bin/uv lock -q $(ARGS)
	@.venv/bin/uv export -q --frozen $(EXPORT) --all-groups > requirements.lock
	@.venv/bin/uv export -q --frozen $(EXPORT) --no-dev > deploy/docker/requirements.lock
