"""Evaluators of a space beside the closed form of cores: any machine by its cycle model, services by the simulator."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hw import chips
from hw.base.change import change
from hw.base.error import InputError
from hw.spec.pim import PimSpec
from model import workloads
from model.cli import _serve_run
from model.cycle.npu.program.program import step_program
from model.energy import dram
from model.energy.price import price
from model.predict import predict
from model.serving.draw import Drawn
from model.serving.report import spreads
from model.serving.simulate import replay
from model.sweep.front import front_of
from model.sweep.run import evaluate, explore, store_at
from model.sweep.space import Space
from model.sweep.space_file import load


def rows(space: Space) -> list[dict[str, float]]:
    """Axes and results of every allowed point."""
    numbers = space.kept(np.arange(space.size))
    columns = {**space.columns(numbers), **evaluate(space, numbers)[1]}
    return [{name: values[place] for name, values in columns.items()} for place in range(len(numbers))]


def test_units_of_a_pim_are_an_axis_and_each_takes_the_stepped_cycles() -> None:
    space = load("pim_units")
    found = rows(space)
    assert [row["units"] for row in found] == [4, 8, 16]
    base, workload = chips.load("hbm_pim"), workloads.load("digits_float_4")
    for row in found:
        machine = change(base.machine, [f"units={row['units']}", f"banks_per_unit={row['banks_per_unit']}"])
        assert isinstance(machine, PimSpec)
        told = predict(replace(base, machine=machine), workload)
        assert told.stepped
        assert (row["cycles"], row["stepped"]) == (told.cycles, 1.0)
        assert row["energy_j"] == price(told.counts, dram.load(dram.sources_of(machine)[0])).total_j.nominal
    assert found[0]["cycles"] > found[1]["cycles"]
    assert np.isnan(found[0]["correct"]) or found[0]["correct"] > 0.5


def test_converter_bits_of_a_crossbar_are_an_axis_and_cost_accuracy() -> None:
    space = replace(load("crossbar_converters"), axes={"adc_bits": [3, 8], "columns_per_adc": [4, 8]})
    few, fewer_converters, many, _ = rows(space)
    assert few["correct"] < 0.5 < 0.9 < many["correct"]
    assert few["energy_j"] < many["energy_j"]
    assert few["cycles"] == many["cycles"] < fewer_converters["cycles"]


def test_a_program_without_closed_form_is_stepped() -> None:
    """A convolutional network as one program: the cycles of the stepped model, which the RTL is held to."""
    axes = {"bytes_per_cycle": [16], "workload": ["digits_cnn"]}
    space = Space(title="programs", subject="machine", base={"chip": "npu_16_cnn"}, axes=axes,
                  objectives={"seconds": "min", "bytes_per_cycle": "min"})  # fmt: skip
    (row,) = rows(space)
    core = chips.load("npu_16_cnn").core
    assert core is not None
    changed = change(core, ["bytes_per_cycle=16"])
    program = workloads.load("digits_cnn").program(changed).program  # type: ignore[attr-defined]
    assert row["cycles"] == step_program(changed, program).cycles
    assert row["stepped"] == 1.0
    assert row["correct"] > 0.95


def test_a_machine_that_cannot_be_is_nan_and_on_no_front(tmp_path: Path) -> None:
    space = replace(load("pim_units"), constraints=(), axes={"units": [8, 16], "banks_per_unit": [2]})
    built, impossible = rows(space)
    assert built["cycles"] > 0
    assert np.isnan(impossible["cycles"])
    explore(space, store_at(tmp_path), workers=1)
    found = front_of(space, store_at(tmp_path))
    assert (found.designs, found.feasible, len(found.members)) == (2, 1, 1)
    assert found.members[0].results["units"] == 8


def test_a_service_is_what_the_simulator_says_of_the_same_requests() -> None:
    """TTFT and TPOT of a point are those of `kcloud-cosim serve --rate` with the same options."""
    import argparse

    from model.cli import serve

    space = load("serving_at_load")
    base = {**space.base, "requests": 60}
    (row,) = rows(replace(space, base=base, axes={"chip": ["furiosa_rngd"], "cards": [2]}))
    parser = argparse.ArgumentParser()
    serve.add_arguments(parser)
    options = parser.parse_args(["--chip", "furiosa_rngd", "--model", "llama31_8b", "--cards", "2", "--rate", "5"])
    drawn = Drawn(count=60, rate=5.0, prompt=1024, answer=256, seed=1)
    told = spreads(replay(_serve_run.service_of(options), lambda: drawn))
    assert row["ttft_s"] == told["ttft"].mean
    assert row["tpot_p99_s"] == told["tpot"].p99
    assert row["tpot_s_low"] <= row["tpot_s"] <= row["tpot_s_high"]
    assert row["cards_used"] == 2
    assert 0 < row["kept"] <= 1


def test_more_load_makes_tokens_later() -> None:
    space = load("serving_at_load")
    base = {name: value for name, value in space.base.items() if name != "rate"} | {"requests": 80}
    axes = {"chip": ["furiosa_rngd"], "rate": [1, 20]}
    calm, busy = rows(replace(space, base=base, axes=axes, limits=()))
    assert busy["ttft_s"] > calm["ttft_s"]
    assert busy["tokens_per_s"] > calm["tokens_per_s"]


@pytest.mark.parametrize(
    ("name", "change_of", "sentence"),
    [
        ("pim_units", {"axes": {"unitz": [8]}, "constraints": ()}, "axis 'unitz' must be a field of the machine"),
        ("pim_units", {"base": {"chip": "hbm_pim"}}, "must name a workload"),
        ("pim_units", {"base": {"chip": "nvidia_a2", "workload": "digits"}}, "must have a machine that is built"),
        ("serving_at_load", {"axes": {"chip": ["furiosa_rngd"], "cardz": [1]}}, "axis 'cardz' must be one of"),
        ("serving_at_load", {"base": {"rate": 5.0}}, "the base of a space of services must state 'answer'"),
        ("serving_at_load", {"axes": {"chip": ["furiosa_rngd"], "batching": ["no"]}}, "batching must be one of"),
    ],
)
def test_an_impossible_space_of_machines_or_services_is_one_sentence(
    tmp_path: Path, name: str, change_of: dict, sentence: str
) -> None:
    with pytest.raises(InputError) as refused:
        explore(replace(load(name), **change_of), store_at(tmp_path), workers=1)
    assert sentence in str(refused.value)
