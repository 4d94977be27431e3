"""What the tables of energies say of numbers that are known: sums, ends, ranks and the fit of events."""

import itertools
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hw.gates import hierarchy, streams
from hw.gates import library as gate_library
from hw.gates.block import Glitches
from hw.gates.power import BlockEnergy
from tb.gates import events, libraries, report, system
from tb.gates.core import Measured

STILL = Glitches(low=1.0, mean=1.0, high=1.0, vectors=1)


def _measured(name: str, instances: float, moving_fj: float, clock_fj: float = 0.0, **more: Any) -> Measured:
    energy = BlockEnergy(switching_fj=moving_fj / 4, internal_fj=3 * moving_fj / 4, clock_fj=clock_fj, leakage_nw=0.0)
    return Measured(
        block=name, instances=instances, energy=energy, clock_ghz=1.0, glitches=more.pop("glitches", STILL), **more
    )


def test_a_mac_costs_all_instances_of_all_blocks_and_its_ends_hold_glitches_and_library() -> None:
    glitches = Glitches(low=1.0, mean=2.0, high=4.0, vectors=5)
    found = [_measured("cells", 4, 1000.0, glitches=glitches), _measured("skew", 2.5, 400.0, clock_fj=600.0)]
    low, nominal, high = report.per_mac(found, macs=4)
    assert nominal == pytest.approx((4 * 2.0 + 2.5 * 1.0) / 4)
    assert low == pytest.approx((4 * 1.0 + 2.5 * 1.0) / 4 * (1 - report.LIBRARY_ERROR))
    assert high == pytest.approx((4 * 4.0 + 2.5 * 1.0) / 4 * (1 + report.LIBRARY_ERROR))


def test_operands_that_rest_half_of_the_time_cost_half_and_the_clock_stays() -> None:
    assert _measured("cells", 1, 1000.0, clock_fj=200.0, duty=0.5).pj() == pytest.approx(0.7)


def test_recipes_and_operand_classes_are_ranked_by_energy() -> None:
    def mapped(library: str, recipe: str, **energies: float) -> libraries.Mapped:
        return libraries.Mapped(
            library=library, recipe=recipe, cells=1, area_um2=1.0, clock_ghz=1.0, settled_pj=energies,
            glitched_pj=energies,
        )  # fmt: skip

    found = [
        mapped("a", "first", random=3.0, zeros=1.0, sparse=2.0),
        mapped("a", "second", random=2.0, zeros=2.5, sparse=1.0),
        mapped("b", "first", random=1.0, zeros=9.0, sparse=5.0),
    ]
    assert libraries.ranks(found) == {
        "a": [["second", "first"], ["zeros", "sparse", "random"]],
        "b": [["first"], ["random", "sparse", "zeros"]],
    }


@pytest.mark.parametrize("values", [[3.0, 1.0, 2.0], [2.0, 3.0, 1.0]])
def test_a_price_is_written_as_lowest_middle_and_highest(values: list[float]) -> None:
    space: dict[str, Any] = {}
    exec(system.text({"bf16": {"vector.add": values}}), space)
    assert space["PRICES"] == {"bf16": {"vector.add": (1.0, 2.0, 3.0)}}


PRICES = {"mac_array.mac": 2.0, "mac_array.weight_load": 5.0, "accumulator.write": 3.0, "output_stage.requantise": 7.0}
CYCLES = 260
CLOCK_FJ = 11_000.0


class _Known:
    """A block whose energy in a window is that of the events in it."""

    def __init__(self, capture: Any, prices: dict[str, float]) -> None:
        self.netlist = SimpleNamespace(inputs={"i_load": (1,), "i_weight": (2,), "i_swap": (3,), "i_activation": (4,)})
        self._capture, self._prices = capture, prices

    def by_window(self, streams: dict[str, np.ndarray], edges: list[int]) -> list[float]:
        found = []
        for begin, end in itertools.pairwise(edges):
            total = 0.0
            for event, price in self._prices.items():
                # without activations only the weights move
                if event == "mac_array.weight_load" or streams["i_activation"].any():
                    total += price * self._capture.events[events.EVENTS[event]][begin:end].sum()
            found.append(1000 * total)
        return found


def _run(seed: int) -> tuple[Any, Any, list[Measured]]:
    rng = np.random.default_rng(seed)
    capture = SimpleNamespace(
        cycles=CYCLES, events={name: rng.integers(1, 9, CYCLES) for name in events.EVENTS.values()}
    )
    loads = capture.events["weight_loads"][:, None]
    cells = {"i_load": loads, "i_weight": loads, "i_swap": loads, "i_activation": np.ones((CYCLES, 1), np.int64)}
    owned = {
        "cells": ("mac_array.mac", "mac_array.weight_load"), "operand skew": (), "sum skew": (),
        "accumulate": ("accumulator.write",), "requantise": ("output_stage.requantise",),
    }  # fmt: skip
    blocks = [(name, _Known(capture, {e: PRICES[e] for e in own}), 1) for name, own in owned.items()]
    capture.streams = dict.fromkeys(owned, cells)
    measured = [_measured(name, 1, 1.0, clock_fj=CLOCK_FJ if name == "cells" else 0.0) for name in owned]
    return SimpleNamespace(cell=blocks[0][1], blocks=blocks), capture, measured


def test_events_that_explain_a_run_are_found_and_their_errors_are_none() -> None:
    core, capture, measured = _run(1)
    found = events.fit(core, capture, measured)
    assert found.energy_pj == pytest.approx(PRICES)
    assert found.cycle_pj == pytest.approx(CLOCK_FJ / 1000)
    assert (found.fit_error, found.test_error, found.total_error) == pytest.approx((0, 0, 0), abs=1e-12)
    core, capture, measured = _run(2)
    assert events.error_on(found, core, capture, measured) == pytest.approx(0, abs=1e-12)


def test_events_that_cost_a_tenth_more_show_it_against_clock_and_all() -> None:
    core, capture, measured = _run(1)
    found = events.fit(core, capture, measured)
    dear = events.Events(
        energy_pj={name: 1.1 * price for name, price in found.energy_pj.items()},
        cycle_pj=found.cycle_pj, fit_error=0.0, test_error=0.0, total_error=0.0,
    )  # fmt: skip
    moving = sum(PRICES[e] * capture.events[name][20:].sum() for e, name in events.EVENTS.items())
    whole = moving + CLOCK_FJ / 1000 * (CYCLES - 20)
    assert events.error_on(dear, core, capture, measured) == pytest.approx(0.1 * moving / whole)


def test_operands_of_a_class_are_what_its_name_says() -> None:
    for bits, few in (((8, 8), 3), ((4, 4), 2)):
        activations, weights = streams.operand_class("hot_channel", 64, 48, 8, 1, bits)
        most = 1 << bits[0] - 1
        cold = np.delete(activations, np.s_[::16], axis=1)
        assert cold.min() == -(1 << few - 1)
        assert cold.max() == (1 << few - 1) - 1
        assert np.abs(activations[:, ::16]).max() > most // 2
        assert -most <= weights.min() < -most // 2 < most // 2 < weights.max() < most
    assert not streams.operand_class("zeros", 8, 8, 8, 1)[0].any()
    sparse = streams.operand_class("sparse", 200, 100, 8, 1)[0]
    assert np.mean(sparse == 0) == pytest.approx(0.9, abs=0.01)


def test_a_unit_consists_of_its_own_cells_once_and_of_each_block_as_often_as_it_is_placed(tmp_path: Path) -> None:
    library = gate_library.load("mini45").library
    inverter, flip_flop = library.cell("INV_X1"), library.cell("DFF_X1")
    cell = {"connections": {}, "port_directions": {}}
    modules = {
        "top": {"cells": {"a": {"type": "top_adder", **cell}, "b": {"type": "top_adder", **cell},
                          "c": {"type": "INV_X1", **cell}}},
        "top_adder": {"cells": {"d": {"type": "DFF_X1", **cell}, "e": {"type": "INV_X1", **cell}}},
        "top_never": {"cells": {"f": {"type": "INV_X1", **cell}}},
    }  # fmt: skip
    (tmp_path / hierarchy._BLOCKS).write_text(json.dumps({"modules": modules}))
    adder, own = hierarchy.parts(tmp_path, library)
    assert (adder.name, adder.copies, adder.cells, adder.flip_flops) == ("adder", 2, 2, 1)
    assert adder.area_um2 == pytest.approx(inverter.area_um2 + flip_flop.area_um2)
    assert (own.name, own.copies, own.cells, own.flip_flops) == ("top", 1, 1, 0)
