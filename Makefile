# Verbs and variables only: every decision is taken by `python -m tb` and `python -m model`.
#
#   CHIP      a file in hw/chips          WORKLOAD  a file in model/workloads
#   BENCH     a file tb/*/<BENCH>_tests.py  SEED      any whole number
#   WAVES     1 = record waveforms        PYTHON    the interpreter that makes the environment

# What a user gives reaches Python as it is, by the environment: make expands nothing in it, the shell runs nothing in it.
GIVEN := CHIP WORKLOAD BENCH SEED WAVES FIGURE SPACE STORE NETWORK INPUT PIM TOKENS ACTIVITY PYTHON
SAID := $(foreach name,$(GIVEN),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
define literal
override $(1) := $$(value $(1))
export $(1)
endef
$(foreach name,$(GIVEN),$(eval $(call literal,$(name))))
ifeq ($(PYTHON),)
override PYTHON := python3
endif

# What each verb reads; a variable nobody reads would be a run of something else.
WORK           := CHIP WORKLOAD NETWORK INPUT SEED
READS_sim      := $(WORK) PIM TOKENS BENCH WAVES ACTIVITY
READS_waves    := $(WORK) PIM TOKENS BENCH
READS_regress  := $(WORK) BENCH
READS_report   := $(WORK) PIM TOKENS STORE
READS_energy   := $(WORK)
READS_explain  := FIGURE
READS_explore  := SPACE STORE
READS_fuzz     := SEED
READS_mutate   := SEED
COMMAND_LINE := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
UNKNOWN := $(filter-out -% MAKE% COCOTB_% $(GIVEN),$(COMMAND_LINE))
ifneq ($(UNKNOWN),)
$(error a variable must be one of $(GIVEN), not $(firstword $(UNKNOWN)); write it so, in capital letters)
endif
VERBS := help environment sim waves regress test volume formal report validate explain explore bench cells energy fuzz mutate lint clean
GOALS := $(filter $(VERBS),$(or $(MAKECMDGOALS),help))
UNREAD := $(filter-out PYTHON $(foreach goal,$(GOALS),$(READS_$(goal))),$(SAID))
ifneq ($(and $(GOALS),$(UNREAD)),)
$(error make $(GOALS) must be given what it reads ($(or $(strip $(foreach goal,$(GOALS),$(READS_$(goal)))),nothing)), not $(firstword $(UNREAD)); leave it out)
endif
SWITCHES := yes no 1 0
ifneq ($(filter-out $(SWITCHES),$(value WAVES) $(value ACTIVITY)),)
$(error WAVES and ACTIVITY must be one of $(SWITCHES); correct them)
endif

RUN       = exec .venv/bin/python -m
ARGUMENTS = $(if $(CHIP),--chip "$$CHIP") $(if $(WORKLOAD),--workload "$$WORKLOAD") $(if $(SEED),--seed "$$SEED")
# A network with its weights is a workload of its own.
ARGUMENTS += $(if $(NETWORK),--network "$$NETWORK") $(if $(INPUT),--input "$$INPUT")
# Toggles need a second, instrumented simulator; who does not price the run saves its build.
TOGGLES   = $(if $(filter no 0,$(ACTIVITY)),--no-activity)
BENCHES   = $(if $(BENCH),--bench "$$BENCH")
# Of a language model on a system of core, vector unit and PIM channel.
DECODING  = $(if $(PIM),--pim "$$PIM") $(if $(TOKENS),--tokens "$$TOKENS")

.PHONY: $(VERBS)
.DEFAULT_GOAL := help

help:
	@sed -n '/^## /s/^## //p' Makefile

## make sim       set up, build the RTL, run it in Verilator, price and project; one screen at the end
## make waves     the same run with waveforms (FST) and a generated .gtkw; opens GTKWave if there is a display
## make regress   every cocotb regression, JUnit XML; a stopped run goes on where it was
## make test      set up, run the tests
## make volume    the tests that take minutes each: PIM streams, 512^3 from external memory, a CNN on the RTL
## make formal    the proofs in hw/formal, each with planted bugs it must catch (10 minutes at most)
## make report    records -> build/report (Markdown, tables, plots); STORE=DIR adds the front of an exploration
## make validate  predictions beside every published result, with ranges and errors
## make explain   FIGURE=gwangju.wall_kw: formula, inputs, records and facts of one figure
## make explore   SPACE=digits_small: evaluate a space of designs into a store, name the designs nobody beats
## make bench     speed of simulation and models, measured now; docs/benchmarks.md from 4 x 4 to 32 x 32
## make fuzz      ten minutes of drawn command lines and files: no traceback, no hang; SEED= draws others
## make mutate    300 small mistakes planted in RTL, models and benches: which do the tests notice? resumes; SEED=
## make lint      ruff, pyright, the import rule
## make cells     characterise the 45 nm cells again with ngspice (needs ngspice; resumes)
## make energy    joules at the gates: synthesis, operands of the workload, glitches (needs iverilog, gcc)
## make clean     remove build/
##
## variables      CHIP=npu_16 WORKLOAD=digits BENCH=core SEED=1 WAVES=1
## examples       make sim
##                make sim CHIP=tiny WORKLOAD=gemm_16
##                make sim CHIP=npu_aim WORKLOAD=small_llm      (PIM=off, weights, attention or both; TOKENS=64)
##                make sim CHIP=tiny WORKLOAD=gemm_16 ACTIVITY=no  (toggles are not counted: one simulator, not two)
##                make waves CHIP=tiny WORKLOAD=gemm_16
##                make sim CHIP=path/to/my_npu.py WORKLOAD=gemm_16       (or a .json)
##                make sim CHIP=tiny NETWORK=model.onnx INPUT=x.npy      (fully connected layers, quantised to INT8)
##                make sim CHIP=npu_16_cnn NETWORK=cnn.onnx INPUT=x.npy  (with Conv and MaxPool on images)
##                make sim CHIP=nonesuch      (lists the known ones)

environment:
	@exec "$$PYTHON" -m tb.environment

# The main job is three: digits and a sweep of GEMM sizes on the RTL, ResNet-50 in the model. A CHIP or WORKLOAD that is
# named runs without the sweep, which not every chip can run.
SWEEP     = --workload gemm_sweep $(if $(SEED),--seed "$$SEED")
SITE      = --chip furiosa_warboy --workload resnet50 $(if $(SEED),--seed "$$SEED")

sim: environment
	@$(RUN) tb sim $(ARGUMENTS) $(DECODING) $(BENCHES) $(if $(filter yes 1,$(WAVES)),--waves) $(TOGGLES)
	@$(RUN) model predict $(ARGUMENTS) $(DECODING)
	$(if $(CHIP)$(WORKLOAD)$(NETWORK),,@$(RUN) tb sim $(SWEEP))
	$(if $(CHIP)$(WORKLOAD)$(NETWORK),,@$(RUN) model predict $(SWEEP))
	$(if $(CHIP)$(WORKLOAD)$(NETWORK),,@$(RUN) model predict $(SITE))
	@$(RUN) model report --screen $(ARGUMENTS) $(DECODING)

waves: environment
	@$(RUN) tb waves $(ARGUMENTS) $(DECODING) $(BENCHES)

regress: environment
	@$(RUN) tb regress $(ARGUMENTS) $(BENCHES)

test: environment
	@$(RUN) pytest -n 2

volume: environment
	@$(RUN) pytest -n 2 -m volume

mutate: environment
	@$(RUN) tb mutate $(if $(SEED),--seed "$$SEED")

formal: environment
	@$(RUN) tb formal

report: environment
	@$(RUN) model report $(ARGUMENTS) $(DECODING) $(if $(STORE),--store "$$STORE")

validate: environment
	@$(RUN) model validate

explain: environment
	@$(RUN) model explain $(if $(FIGURE),"$$FIGURE",--list)

explore: environment
	@$(RUN) model explore $(if $(SPACE),"$$SPACE",--list) $(if $(STORE),--store "$$STORE")

bench: environment
	@$(RUN) tb bench
	@$(RUN) tb bench --chip npu_aim --repeat 3
	@$(RUN) tb bench --table
	@$(RUN) model bench

cells: environment
	@$(RUN) tb cells

energy: environment
	@$(RUN) tb energy $(ARGUMENTS)

fuzz: environment
	@$(RUN) tests.support.fuzz $(if $(SEED),--seed "$$SEED")

lint: environment
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/pyright
	@.venv/bin/lint-imports

clean:
	@rm -rf build
