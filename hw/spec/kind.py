"""The table of machine kinds: where each layer keeps what it offers for a kind.

A kind offers the same doors in every layer, each a module named here as text, because no layer may import a higher one:

========= ================================================================================================
door      what the module holds
========= ================================================================================================
top       `top(machine) -> Component`: the RTL of one machine
events    `EVENTS`, `LABELS`: event or label -> its one-sentence definition; `VALUE_EVENTS`, which operands decide;
          `OBSERVATIONS`, which do no work of their own and have no price
cycles    `predict(chip, workload) -> model.prediction.Prediction`
reference `score(chip, workload, seed) -> (figures, counts)`: the task's score with every result as the machine rounds,
          and the counts of `VALUE_EVENTS` as far as the operands are there
bench     `top`, `check`, `MEASURES` and cocotb tests, see `tb.bench.design`
prices    `prices(chip_name, chip, result, random) -> (energies, notices)`: counts priced by every fitting table, and
          `table(name, machine) -> EnergyTable`
========= ================================================================================================

Everything else looks a machine up here and asks no machine what kind it is. A further kind is its own files and one
entry of `KINDS`.
"""

import importlib
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from hw.base.error import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of machine.

    Parameters
    ----------
    name : str
        What `Machine.kind` says.
    title : str
        A few words for people.
    top, events, cycles, reference, bench, prices : str
        Modules of the doors.
    workload, small_workload : str
        What is run if no workload is named; for waveforms, where less is better.
    memory : bool
        It is a memory that works beside a card and runs no network by itself.
    """

    name: str
    title: str
    top: str
    events: str
    cycles: str
    reference: str
    bench: str
    prices: str
    workload: str
    small_workload: str
    memory: bool = False

    def door(self, name: str) -> ModuleType:
        """The module of the door called `name`."""
        return importlib.import_module(getattr(self, name))


_CORE: Any = {
    "top": "hw.rtl.npu.top",
    "events": "hw.spec.npu_event",
    "cycles": "model.cycle.npu.predict",
    "reference": "model.functional.npu_score",
    "bench": "tb.npu.core_tests",
    "prices": "model.energy.npu_prices",
    "workload": "digits",
    "small_workload": "gemm_16",
}
"""Both dataflows share their frame, and with it the modules of their doors."""

_DRAM_PIM: Any = {
    "events": "hw.spec.dram_pim_event",
    "prices": "model.energy.dram_pim_prices",
    "workload": "digits_float",
    "small_workload": "digits_float_4",
}

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(name="npu_weight_stationary", title="NPU core, weights held in the cells", **_CORE),
        Kind(name="npu_output_stationary", title="NPU core, sums held in the cells", **_CORE),
        Kind(
            name="hbm_pim",
            title="HBM-PIM channel",
            top="hw.rtl.dram_pim.hbm_pim.top",
            cycles="model.cycle.dram_pim.hbm_pim_predict",
            reference="model.functional.hbm_pim_score",
            bench="tb.dram_pim.hbm_pim_tests",
            memory=True,
            **_DRAM_PIM,
        ),
        Kind(
            name="aim",
            title="GDDR6-AiM channel",
            top="hw.rtl.dram_pim.aim.top",
            cycles="model.cycle.dram_pim.aim_predict",
            reference="model.functional.aim_score",
            bench="tb.dram_pim.aim_tests",
            memory=True,
            **_DRAM_PIM,
        ),
        Kind(
            name="crossbar",
            title="core of non-volatile crossbar tiles",
            top="hw.rtl.crossbar.top",
            events="hw.spec.crossbar_event",
            cycles="model.cycle.crossbar.predict",
            reference="model.functional.crossbar_score",
            bench="tb.crossbar.crossbar_tests",
            prices="model.energy.crossbar_prices",
            workload="digits",
            small_workload="gemm_16",
        ),
        Kind(
            name="system",
            title="system of NPU core, vector unit and DRAM-PIM channel",
            top="hw.rtl.system.top",
            events="hw.spec.system_event",
            cycles="model.cycle.system.predict",
            reference="model.functional.system_score",
            bench="tb.system.decoder_tests",
            prices="model.energy.system_prices",
            workload="small_llm",
            small_workload="small_llm_2",
        ),
    )
}
"""Name -> kind."""

DOORS = ("top", "events", "cycles", "reference", "bench", "prices")
"""Names of the doors, in the order of the layers."""


def load(name: str) -> Kind:
    """The kind called `name`; `InputError` listing the known ones."""
    if name not in KINDS:
        raise InputError(f"the kind of a machine must be one of {', '.join(KINDS)}, not {name!r}; add it to the table")
    return KINDS[name]


def events_of_all(constant: str) -> frozenset[str]:
    """The names in `constant` ("OBSERVATIONS", "VALUE_EVENTS", ...) of the events of every kind."""
    return _events(tuple(kind.events for kind in KINDS.values()), constant)


@cache
def _events(modules: tuple[str, ...], constant: str) -> frozenset[str]:
    return frozenset(event for module in modules for event in getattr(importlib.import_module(module), constant))
