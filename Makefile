# Everything runs from the repository root. Needed beforehand: Python 3.11 or newer, git, make.
PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
ARGS ?=

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
STAMP := .venv/.installed
NOTEBOOKS = $(wildcard notebooks/*.ipynb notebooks/exercises/*.ipynb)

# The hub's progress bars would become dead widgets in the pages, and no page may need the hub.
QUIET_HUB := HF_HUB_OFFLINE=1 HF_HUB_DISABLE_PROGRESS_BARS=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1
# Threads of torch that wait in a loop take the processor from whoever else is there: beside one busy neighbour a loop
# of small products takes four to twelve times as long.
export OMP_WAIT_POLICY := PASSIVE
# A backend set by the caller would leave the pages without figures.
unexport MPLBACKEND PYTHONPATH

.PHONY: help install book student instructor slides pdf zip links notebooks test lint fmt bench costs results real doctor clean

help:  ## list the verbs
	@echo 'make VERB [ARGS="..."] [PYTHON=python3.12]; every verb makes .venv first when it is missing or old'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

install: $(STAMP)  ## make .venv with the package and all it needs

# What the pages serve themselves.
define FRONT_END
	$(BIN)/python tools/vendor_assets.py
	$(QUIET_HUB) $(BIN)/python tools/export_lab.py
endef

# A report as its runner gets it, for the page that tells of it.
SAMPLE := book/_vendor/report/stories-1m.html
$(SAMPLE): $(shell find linstudy storyworld casebook -type f -not -path '*/__pycache__/*') | $(STAMP)
	@mkdir -p $(@D)
	$(QUIET_HUB) LINSTUDY_SIZE=tiny $(BIN)/linstudy report stories-1m --tokens 20000 --out $@

book: $(STAMP) $(SAMPLE)  ## run every notebook, build _build/html and say where it is
	$(FRONT_END)
	$(QUIET_HUB) $(BIN)/jupyter-book build . --toc book/_toc.yml --all -W -n --keep-going
	@$(BIN)/python -c 'from pathlib import Path; print("The book:", Path("_build/html/index.html").resolve(strict=True).as_uri())'

student: $(STAMP) $(SAMPLE)  ## the edition for students in _build/student: exercises without solutions
	$(FRONT_END)
	$(QUIET_HUB) $(BIN)/python tools/editions.py student

instructor: $(STAMP) $(SAMPLE)  ## the edition for teachers in _build/instructor: solutions open, notes shown
	$(FRONT_END)
	$(QUIET_HUB) $(BIN)/python tools/editions.py instructor

slides: book  ## build the book, and a deck of slides a chapter in _build/html/slides
	$(BIN)/python tools/slides.py

.PHONY: browser
browser: $(STAMP)
	@$(BIN)/python -c 'from casebook.reach import NO_CHROMIUM as need, find_chromium as found; found() or exit(f"no Chromium: {need}")'

pdf: browser book  ## build the book, and print all of it to _build/release/secretly-linear.pdf
	$(BIN)/python tools/make_pdf.py

zip: slides  ## build the book with its slides, and pack it for reading offline, with sums, in _build/release
	$(BIN)/python tools/make_zip.py

links: $(STAMP) $(SAMPLE)  ## follow every link of the book that leads elsewhere; needs a network
	$(FRONT_END)
	$(QUIET_HUB) $(BIN)/jupyter-book build . --toc book/_toc.yml --all --builder linkcheck

notebooks: $(STAMP)  ## run every notebook from top to bottom, as its runner does; keeps no outputs
	@printf '%s\n' $(NOTEBOOKS) | $(QUIET_HUB) xargs -n 1 $(BIN)/jupyter execute --timeout=1800

test: $(STAMP)  ## run all tests; ARGS="-m 'not slow'" runs the quick ones
	$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal $(ARGS)

lint: $(STAMP)  ## check style, spelling and that the notebooks are clean; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/python tools/colab_cell.py --check
	$(BIN)/python tools/editions.py stubs
	$(if $(NOTEBOOKS),$(BIN)/nbstripout --keep-id --verify $(NOTEBOOKS))

fmt: $(STAMP)  ## format the code, strip the notebooks, renew their set-up cells
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python tools/colab_cell.py --write
	$(BIN)/python tools/editions.py stubs --write
	$(if $(NOTEBOOKS),$(BIN)/nbstripout --keep-id $(NOTEBOOKS))

bench: $(STAMP)  ## measure speed and memory, written to benchmarks/results/
	$(BIN)/python benchmarks/run.py $(ARGS)

costs: $(STAMP)  ## measure what each chapter takes to run, which its page says; on a quiet machine, with all committed
	HF_HUB_DISABLE_PROGRESS_BARS=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1 $(BIN)/python tools/costs.py $(ARGS)

results: $(STAMP)  ## make the long runs' tables that are missing; skips what is there, resumes what was cut
	$(BIN)/linstudy results $(ARGS)

real: $(STAMP)  ## fetch the real pretrained models; ARGS=--accept-terms for Gemma's terms of use
	$(BIN)/linstudy fetch smollm2-135m minilm gemma3-270m $(ARGS)

doctor: $(STAMP)  ## say what this machine has, and what is wrong with it
	$(BIN)/linstudy doctor

clean:  ## remove the built book, its execution cache and other caches; .venv stays
	rm -rf _build .pytest_cache .ruff_cache .hypothesis .benchmarks

$(STAMP): pyproject.toml $(CONSTRAINTS)
	@command -v $(PYTHON) > /dev/null || { echo '$(PYTHON) is not on this machine; install Python 3.11 or newer, or name another: make $(MAKECMDGOALS) PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed and $$($(PYTHON) --version 2>&1) was found; name another: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { echo '$(PYTHON) has no venv module; on Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[book,test,dev]' $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS))
	@touch $@
