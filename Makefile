# One command per intent; each works on a fresh clone with Python 3.11 or newer.
PYTHON ?= python3
DATA ?= retailer
export UNICUS_HOME ?= $(CURDIR)/.unicus/$(DATA)
BIN := .venv/bin
# Jobs share the cores; more threads than cores make small fits slower, not faster.
export OMP_NUM_THREADS ?= 1

.PHONY: help run ui setup test battery lint clean

help:            ## what there is
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/'

run: .venv/ready ## install, then materialize every asset on the sample; DATA=complete_journey for a real shop
ifeq ($(DATA),retailer)
	@test -e "$(UNICUS_HOME)/landing" -o -e "$(UNICUS_HOME)/home.yaml" || $(BIN)/unicus retailer --folder "$(UNICUS_HOME)"
endif
	@$(BIN)/unicus run

ui: .venv/ready  ## serve the Dagster UI on the same home
	@$(BIN)/unicus ui

setup: .venv/ready ## install only

# uv is used where it is there, pip otherwise, both from the same pins.
.venv/ready: pyproject.toml constraints.txt
	@echo "Installing into .venv (once, a few minutes with pip)" >&2
	@if command -v uv >/dev/null; then \
	    uv venv --quiet --allow-existing --python $(PYTHON) .venv && \
	    uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[sample]'; \
	else \
	    $(PYTHON) -m venv .venv && \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[sample]'; \
	fi
	@touch $@

.venv/ready-dev: .venv/ready
	@echo "Installing the test tools into .venv" >&2
	@if command -v uv >/dev/null; then \
	    uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[sample,dev,postgres]'; \
	else \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[sample,dev,postgres]'; \
	fi
	@touch $@

lint: .venv/ready-dev ## style, types and walls
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar dbt_project/models
	$(BIN)/lint-imports

test: lint       ## everything that must hold, in minutes
	$(BIN)/python -m pytest -rs --numprocesses 2 --dist loadfile

battery: .venv/ready-dev ## the long tests: kills, readers, daemon, browser, many runs, properties with many cases
	UNICUS_TEST_CASES=10 $(BIN)/python -m pytest -rs --numprocesses 2 --dist loadfile -m "battery or hypothesis"

clean:           ## forget the environment and the sample homes
	rm -rf .venv .unicus dbt_project/target
