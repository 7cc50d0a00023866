# The course's front door. Bare `make` lists what there is.
PYTHON ?= python3
BIN := .venv/bin
TORCH_PIN := torch==2.14.1

.DEFAULT_GOAL := help
.PHONY: help setup course test lab lint pins bench colab site slides clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make or repair the environment in .venv (the others do it when needed)
	@$(PYTHON) course_lib/bootstrap.py

course: setup ## run the core lessons, write its pages under build/, print the scoreboard
	@$(BIN)/course run

test: setup ## run all tests, the lessons included
	@$(BIN)/course data fetch
	@$(BIN)/python -m pytest

lab: setup ## open the lessons in JupyterLab
	@$(BIN)/course lab

site: setup ## build the static site, with search, under build/site
	@$(BIN)/course site

slides: setup ## export every lesson as slides under build/slides
	@$(BIN)/course slides

lint: setup ## check style, types and notebooks
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/course notebooks lint

pins: setup ## remake constraints.txt with the newest versions that fit pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --upgrade-package '$(TORCH_PIN)' \
		--all-extras --universal --python-version 3.11 --strip-extras --no-annotate \
		--custom-compile-command 'make pins' --output-file constraints.txt
	@echo 'constraints.txt is new. make test proves it.'

bench: setup ## time the library beside its peers, renew docs/benchmarks.md (an hour, needs the network)
	@for script in evaluator movielens_100k movielens_1m gowalla_size scale distributed encoder index service report; do \
		PYTHONPATH=. $(BIN)/python benchmarks/$$script.py || exit 1; done

colab: setup ## run three lessons under Colab's package list, from an empty folder (downloads some gigabytes)
	@PYTHONPATH=. $(BIN)/python tests/colab_contract.py

clean: ## delete .venv, build/ and the tools' caches in this folder
	@rm -rf .venv build runs .pytest_cache .ruff_cache .mypy_cache .hypothesis
	@find . -path ./.git -prune -o -type d \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
	@echo 'Clean. Downloads stay in the cache folder that `course doctor` shows; delete it by hand to free it.'
