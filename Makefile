# Every command of the project. `make run` and `make test` are all a fresh machine needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv

.DEFAULT_GOAL := help
.PHONY: help setup run test check lint types contracts migrations translations lock format bench clean browser

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(UV):
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.run: requirements/run.txt pyproject.toml | $(UV)
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes $(if $(wildcard $(VENV)/.dev),requirements/dev.txt,requirements/run.txt)
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(UV)
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@ $(VENV)/.run

# Compiled where gettext is installed; without it everything speaks English.
$(VENV)/.messages: $(wildcard src/brightspots_web/locale/*/LC_MESSAGES/django.po) | $(UV)
	@for po in $^; do if command -v msgfmt >/dev/null; then msgfmt -o $${po%.po}.mo $$po || exit 1; fi; done
	@touch $@

setup: $(VENV)/.run $(VENV)/.messages ## set up without serving: for a server

run: $(VENV)/.run ## set up, build the sample system the first time, run the main job, serve it
	@sh deploy/system-packages.sh run
	@$(MAKE) --no-print-directory $(VENV)/.messages
	$(BIN)/brightspots sample --serve

browser:
	@sh deploy/system-packages.sh test

test: $(VENV)/.dev browser ## set up and pass the whole test suite, browser journeys included
	@$(MAKE) --no-print-directory $(VENV)/.messages
	$(BIN)/python -m pytest -n 2 --dist=worksteal $(ARGS)

check: lint types contracts migrations translations ## everything that guards the house, tests apart

lint: $(VENV)/.dev ## style of code and templates
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/djade --target-version 5.2 --check $$(git ls-files 'src/*.html')

format: $(VENV)/.dev ## put code and templates into shape
	$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format --quiet .
	$(BIN)/djade --target-version 5.2 $$(git ls-files 'src/*.html') || true

types: $(VENV)/.dev ## mypy --strict
	$(BIN)/mypy

contracts: $(VENV)/.dev ## the layers of the house
	$(BIN)/lint-imports

migrations: $(VENV)/.dev ## every model change has its migration
	DJANGO_SETTINGS_MODULE=brightspots_web.config.settings.test $(BIN)/python manage.py makemigrations --check --dry-run

translations: $(VENV)/.dev browser ## catalogues are complete and up to date
	DJANGO_SETTINGS_MODULE=brightspots_web.config.settings.test $(BIN)/python docs/check_translations.py

lock: | $(UV) ## write requirements/*.txt from pyproject.toml
	$(UV) pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-annotate --extra web pyproject.toml -o requirements/run.txt
	$(UV) pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-annotate --extra web --group dev --group spark pyproject.toml -c requirements/run.txt -o requirements/dev.txt
	$(UV) pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-annotate --extra web --group dev --group spark --group bench pyproject.toml -c requirements/dev.txt -o requirements/bench.txt

bench: $(VENV)/.dev ## measure speed and scale; writes benchmarks/README.md's tables
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/bench.txt
	@sh deploy/install-r.sh || echo "lme4 is not timed."
	$(BIN)/python -m benchmarks $(ARGS)

clean: ## remove the environment and the sample system
	rm -rf $(VENV) var
