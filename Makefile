# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0

PYTHON ?= python3
INPUT ?=
MAX_FRAMES ?=
STRIDE ?=
FORCE ?=
VIEW ?=
OUT ?= out
# A misspelt variable would be without effect.
GIVEN := $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
UNKNOWN := $(filter-out PYTHON INPUT MAX_FRAMES STRIDE FORCE VIEW OUT ROS_DISTRO,$(GIVEN))
$(if $(UNKNOWN),$(error no such variable: $(UNKNOWN). There are: PYTHON INPUT MAX_FRAMES STRIDE VIEW OUT FORCE))

# What `clean` may remove of it: a folder of this checkout that .gitignore covers.
OWN_OUT := $(if $(findstring /,$(OUT)),,$(filter out%,$(firstword $(OUT))))

BIN := .venv/bin
# Its interpreter runs the test of the CUDA kernel where there is no CUDA. A torch built for CUDA
# brings a Triton of its own, so this one is nobody's dependency.
TRITON := .venv/.triton
TRITON_VERSION := 3.9.0
# ROS 2 sourced and not sourced want different environments.
STAMP := .venv/.made-for-$(or $(ROS_DISTRO),wheels)

# torch's threads sleep between frames instead of spinning beside the node's.
export OMP_WAIT_POLICY := PASSIVE
# Inherited from another environment, it keeps the ROS 2 wheels from finding their libraries here.
unexport _ROS_WHEELS_BOOTSTRAP_COMPLETE

.DEFAULT_GOAL := help
.PHONY: help venv demo test fuzz ros-test lint clean

help:  ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'of demo:      INPUT=folder, bag, video or camera; OUT=folder; MAX_FRAMES=, STRIDE= images; VIEW=1; FORCE=1'

venv: $(STAMP)  ## set up .venv (PYTHON=python3.12 to choose; demo and test do it themselves)

demo: $(STAMP)  ## reconstruct a scene, results in out/ (variables below)
	@$(BIN)/xstreamvggt_demo $(if $(INPUT),--input "$(INPUT)") \
	  $(if $(MAX_FRAMES),--max-frames $(MAX_FRAMES)) $(if $(STRIDE),--stride $(STRIDE)) \
	  $(if $(or $(filter camera%,$(INPUT)),$(filter-out 0,$(VIEW))),--view) \
	  $(if $(FORCE),--force) --output "$(OUT)"

test: lint $(TRITON)  ## lint and run every test
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

fuzz: $(STAMP)  ## send the node hostile input for some minutes, and print what became of it
	ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST PYTHONPATH=test/support $(BIN)/python test/support/fuzz.py

ros-test: $(STAMP)  ## what needs an installed ROS 2: launch files, tf2, cv_bridge, ament's linters
	@test -n "$(ROS_DISTRO)" || { echo 'make ros-test: source a ROS 2 first'; exit 1; }
	@$(BIN)/python -m pytest --no-skips test/launch test/messages/test_backend.py \
	  test/node/test_transforms.py test/node/test_robot.py \
	  test/test_package.py::test_ament_linters_pass

lint: $(STAMP)  ## check style, format and which room imports which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

clean:  ## remove what was made here, but for .venv
	rm -rf out out_[0-9]* $(OWN_OUT) build install log *.egg-info .hypothesis .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -r {} +

$(TRITON): $(STAMP)
	@$(BIN)/python -c 'import triton' 2> /dev/null \
	  || $(BIN)/python -m pip install --quiet --no-deps triton==$(TRITON_VERSION)
	@touch $@

$(STAMP): setup.py constraints.txt $(wildcard tools/*.py)
	@command -v $(PYTHON) > /dev/null || { \
	  echo 'make venv: $(PYTHON) is missing; on Debian or Ubuntu:' \
	    'sudo apt install python3-venv python3-dev gcc g++'; exit 1; }
	@$(PYTHON) tools/make_venv.py .venv
	@touch $@
