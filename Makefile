# One word for each thing one does here; `make` alone lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OCTOPRINT := .tools/octoprint
# --no-build-isolation: the few packages that come as source are built with the locked setuptools.
INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation
STAMPS := $(VENV)/.stamps
# What `make check` runs in half a minute: the rules and services, on SQLite; `make test` runs the rest too.
QUICK := tests/unit --ignore=tests/unit/web -k "not postgresql and not start_at_most_once and not pictures"
TRANSLATIONS := makerhub/web/translations
CATALOGUES := $(wildcard $(TRANSLATIONS)/*/LC_MESSAGES/*.po)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

.PHONY: help
help: ## list what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-14s %s\n", $$1, $$2 }'

.PHONY: demo
demo: system-demo setup $(if $(filter octoprint,$(PRINTERS)),$(OCTOPRINT)/.stamp) ## a hub with simulated printers: EXIT=1 ends after one story, PRINTERS=octoprint takes real OctoPrints
	$(BIN)/makerhub demo $(if $(EXIT),--exit) $(if $(PRINTERS),--printers $(PRINTERS))

.PHONY: test
test: system-test setup-test $(OCTOPRINT)/.stamp ## everything the tests need, and all tests
	$(BIN)/pytest -m "not soak" -n auto tests/unit
	$(BIN)/pytest -m "not soak" -n auto --dist loadfile --no-loadscope-reorder tests/browser tests/integration

.PHONY: check
check: setup-test ## formatting, types, imports and the quick tests: under a minute
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q -n auto $(QUICK)

.PHONY: soak
soak: setup-test $(OCTOPRINT)/.stamp ## the long runs that `make test` leaves out
	$(BIN)/pytest -m soak

.PHONY: bench
bench: setup-test ## one benchmark: NAME=ledger runs benchmarks/ledger.py
	@test -f "benchmarks/$(NAME).py" || { echo "NAME is one of:"; ls benchmarks/*.py | sed 's/.*\//  /; s/\.py$$//'; exit 2; }
	PYTHONPATH=tests $(BIN)/python -m benchmarks.$(NAME)

.PHONY: designs
designs: setup ## build the catalogue's meshes again from their parametric sources
	$(BIN)/python -m makerhub.designs.build designs/

.PHONY: permissions
permissions: setup-test ## ask every route as everybody, and write docs/permissions.md
	PYTHONPATH=tests $(BIN)/python -m unit.web.permissions

.PHONY: catalogue
catalogue: system-demo setup ## slice every shipped design for every shipped printer, and write docs/catalogue.md: an hour the first time
	$(BIN)/python -m makerhub.designs.sliced_catalogue $(if $(JOBS),--jobs $(JOBS))

.PHONY: translations
translations: setup ## collect the texts to translate into the catalogues, and compile these
	$(BIN)/pybabel -q extract -F babel.cfg -k translatable --no-location --sort-output --omit-header -o $(VENV)/messages.pot .
	$(if $(CATALOGUES),$(BIN)/pybabel update --no-wrap --no-fuzzy-matching --ignore-obsolete -i $(VENV)/messages.pot -d $(TRANSLATIONS))
	$(if $(CATALOGUES),$(BIN)/pybabel compile -d $(TRANSLATIONS))

.PHONY: lock
lock: setup-test ## resolve the lock files anew; UPGRADE=1 takes the newest releases
	$(BIN)/python scripts/lock.py $(if $(UPGRADE),--upgrade)

.PHONY: setup setup-test
setup: $(STAMPS)/runtime $(STAMPS)/translations ## the virtual environment; quick when nothing changed
setup-test: setup $(STAMPS)/test

.PHONY: system-demo system-test
system-demo system-test: system-%:
	@PYTHON=$(PYTHON) scripts/system-packages.sh $*

$(BIN)/python:
	@scripts/check-python.sh $(PYTHON)
	@PYTHON=$(PYTHON) scripts/system-packages.sh setup
	@$(PYTHON) -m venv $(VENV)

$(STAMPS)/build: requirements-build.lock | $(BIN)/python
	@mkdir -p $(STAMPS)
	@$(BIN)/python $(INSTALL) -r $<
	@touch $@

$(STAMPS)/runtime: requirements.lock pyproject.toml setup.py $(STAMPS)/build
	@echo "Installing the locked packages into $(VENV): about 440 MB, a minute the first time"
	@$(BIN)/python $(INSTALL) -r $<
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(STAMPS)/test: requirements-test.lock $(STAMPS)/runtime
	@echo "Installing what the tests need besides: about 370 MB, a minute the first time"
	@$(BIN)/python $(INSTALL) -r $<
	@touch $@

$(STAMPS)/translations: $(CATALOGUES) $(STAMPS)/runtime
	$(if $(CATALOGUES),$(BIN)/pybabel -q compile -d $(TRANSLATIONS))
	@touch $@

# OctoPrint needs an older Flask than makerhub, so it lives in an environment of its own.
# --no-deps: the lock is complete, with netifaces2 in the place of netifaces.
$(OCTOPRINT)/.stamp: requirements-octoprint.lock requirements-build.lock | $(BIN)/python
	@echo "Installing OctoPrint into $(OCTOPRINT): about 200 MB, a minute and a half the first time"
	@$(BIN)/python -m venv $(OCTOPRINT)
	@$(OCTOPRINT)/bin/python $(INSTALL) -r requirements-build.lock
	@$(OCTOPRINT)/bin/python $(INSTALL) --no-deps -r $<
	@touch $@
