# Fundwatch: `make run` from nothing to a live dashboard, `make test` from nothing to green.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.run-installed
DEV_STAMP := $(VENV)/.dev-installed
PEERS := .venv-bench
PEERS_STAMP := $(PEERS)/.installed
STATIC_STAMP := .cache/static/.made
AMTOOL := .cache/amtool/usr/bin/amtool
ALERTMANAGER := .cache/amtool/usr/bin/alertmanager
PROMTOOL := .cache/promtool/usr/bin/promtool

.DEFAULT_GOAL := help
.PHONY: help run demo test lint texts bench clean

help: ## Show this list.
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/'

run: $(STATIC_STAMP) ## Install what is missing and start everything.
	@exec $(BIN)/python app.py

demo: $(STATIC_STAMP) ## Start on a folder of its own, replaying the sample fund: a trading day every two seconds.
	@rm -rf data-demo
	@FUNDWATCH_DATA_DIR=data-demo FUNDWATCH_SIGN_IN=loopback-open FUNDWATCH_LOAD_SAMPLE=false \
		FUNDWATCH_SOURCES__REPLAY=true exec $(BIN)/python app.py

# Two processes a folder: the engine inside each keeps threads of every database that a test ever made. One folder after
# the other: on two cores the browser and the other folders only slow each other down, and deadlines are missed.
PYTEST = $(BIN)/python -m pytest -n 2 --dist loadfile
TESTS = $(filter-out tests/support/,$(sort $(dir $(wildcard tests/*/__init__.py)))) $(wildcard tests/test_*.py)

test: lint chromium $(ALERTMANAGER) $(PROMTOOL) $(STATIC_STAMP) ## Lint, types, import contracts, then every test; what fails hides nothing behind it.
	@for part in $(TESTS); do $(PYTEST) $$part || failed=1; done; test -z "$$failed"

lint: $(DEV_STAMP) ## Ruff, types and import contracts.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

texts: $(RUN_STAMP) ## Write anew what is made from the code: the example settings, docs/settings.md, docs/metrics.md, docs/your-data.md, docs/rules.md.
	@$(BIN)/python -m core.settings --example > fundwatch.example.yaml
	@$(BIN)/python -m core.settings > docs/settings.md
	@$(BIN)/python -m core.catalogue > docs/metrics.md
	@$(BIN)/python -m core.ingest.text docs/your-data.md
	@$(BIN)/python -m alerting.text docs/rules.md

bench: $(DEV_STAMP) $(PEERS_STAMP) $(STATIC_STAMP) $(ALERTMANAGER) chromium wrk ## Measure every figure of docs/BENCHMARKS.md.
	@$(BIN)/python -m benchmarks

clean: ## Remove everything built; data folders stay.
	@rm -rf $(VENV) $(PEERS) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-artifacts
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: chromium wrk
chromium wrk:
	@command -v $@ >/dev/null || { echo "Installing Debian's $@ …"; apt-get update -qq && apt-get install -y -qq $@ >/dev/null; }

# Debian's package starts an Alertmanager where it is installed: only its programs are wanted.
$(AMTOOL):
	@echo "Fetching Debian's amtool …"
	@mkdir -p .cache/amtool
	@cd .cache/amtool && apt-get update -qq && apt-get download -qq -o APT::Sandbox::User=root prometheus-alertmanager && dpkg -x prometheus-alertmanager_*.deb . && touch -c usr/bin/amtool

# The package starts a Prometheus where it is installed: only its tester of rules is wanted.
$(PROMTOOL):
	@echo "Fetching Debian's promtool …"
	@mkdir -p .cache/promtool
	@cd .cache/promtool && apt-get update -qq && apt-get download -qq -o APT::Sandbox::User=root prometheus && dpkg --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool && rm prometheus_*.deb && touch usr/bin/promtool

# Debian's build reads its templates in /usr/share and nowhere else. This copy reads them beside it, from the folder where
# the package was unpacked: there tests and benchmarks start it.
$(ALERTMANAGER): $(AMTOOL)
	@LC_ALL=C sed 's#/usr/share/prometheus/alertmanager#usr/share/prometheus/alertmanager/#g' \
		.cache/amtool/usr/bin/prometheus-alertmanager > $@ && chmod +x $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Fundwatch needs Python 3.11 or newer: make run PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): requirements.txt | $(BIN)/python
	@echo "Installing into $(VENV) (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

# Scripts and styles, compressed as strongly as can be: once, and again for those that changed.
$(STATIC_STAMP): $(RUN_STAMP) $(wildcard assets/*/*)
	@$(BIN)/python -m dashboard.frame.static
	@touch $@

$(DEV_STAMP): requirements.txt requirements-dev.txt | $(RUN_STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# The released packages that the analytics are measured against (1.4 GB), apart from what Fundwatch itself runs on.
$(PEERS_STAMP): requirements-bench.txt | $(BIN)/python
	@echo "Installing the packages to compare with into $(PEERS) (once) …"
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@
