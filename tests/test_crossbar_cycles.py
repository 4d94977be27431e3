"""Closed form = stepped = RTL on random crossbar cores, programs and stalls: cycles, labels, events, values."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hw import chips
from hw.base.error import InputError
from hw.spec.crossbar import CrossbarSpec
from hw.spec.crossbar_command import LayerCommand
from hw.spec.crossbar_event import EVENTS, LABELS
from model.cycle.crossbar.closed_form import program_form
from model.cycle.crossbar.counts import value_counts
from model.cycle.crossbar.stepped import sequence, step_program
from model.reference import crossbar as reference
from tb.crossbar.cell_array import CellArray
from tests.support.crossbar import Case, draw_case, draw_spec, expected, run

GOLDEN = json.loads((Path(__file__).parent / "data" / "crossbar" / "golden.json").read_text())["vectors"]

QUICK, VOLUME = range(8), range(8, 128)


def case_of(seed: int) -> Case:
    """Even seeds draw analogue cores of every range policy, odd ones digital cores; half of all stall."""
    rng = np.random.default_rng(seed)
    return draw_case(rng, draw_spec(rng, digital=bool(seed % 2)))


def agrees(case: Case) -> None:
    """The RTL's cycles, labels, events and values are the stepped model's and the reference's."""
    counters, found = run(case)
    model = step_program(
        case.spec,
        case.commands,
        input_offered=lambda cycle: bool(case.offered[cycle]),
        output_ready=lambda cycle: bool(case.ready[cycle]),
        host_writes=lambda cycle: bool(case.writes[cycle]),
    )
    events = model.counts
    for command, inputs in zip(case.commands, case.inputs, strict=True):
        events = events + value_counts(case.spec, inputs, command.column_tiles if len(inputs) else 0)
    assert not counters["missed"]
    assert counters["completed"] == len(case.commands), "refused ones are counted, too"
    assert {label: counters[label] for label in LABELS} == dict(model.budget)
    assert counters["busy"] == model.cycles
    assert {event: counters[event] for event in EVENTS} == {e: events.get(e, 0) for e in EVENTS}
    for number, command in enumerate(case.commands):
        if command.vectors:
            got = np.array(found[number]).reshape(command.vectors, command.column_tiles, -1)[:, :, : case.spec.columns]
            assert got.tolist() == expected(case, number).tolist(), number
    if case.offered.all() and case.ready.all() and not case.writes.any():
        form = program_form(case.spec, case.commands)
        assert (form.cycles, dict(form.budget)) == (model.cycles, dict(model.budget))


@pytest.mark.parametrize("seed", QUICK)
def test_rtl_is_the_stepped_model_and_the_reference(seed: int) -> None:
    agrees(case_of(seed))


@pytest.mark.volume
@pytest.mark.parametrize("seed", VOLUME)
def test_rtl_is_the_stepped_model_on_many_specs(seed: int) -> None:
    agrees(case_of(seed))


def long_program(seed: int) -> Case:
    """Ten commands on a drawn core, input, output and host stalling all along."""
    rng = np.random.default_rng(5000 + seed)
    spec = replace(draw_spec(rng, digital=bool(seed % 2)), parameter_words=256)
    return draw_case(rng, spec, program=10)


@pytest.mark.parametrize("seed", range(2))
def test_long_programs_with_stalls_equal_model_and_reference(seed: int) -> None:
    agrees(long_program(seed))


@pytest.mark.volume
@pytest.mark.parametrize("seed", range(2, 50))
def test_many_long_programs_with_stalls_equal_model_and_reference(seed: int) -> None:
    agrees(long_program(seed))


@pytest.mark.parametrize("name", ["stt_mram_digital", "reram_22nm", "mram_crossbar", "pcm_crossbar"])
def test_presets_with_small_tiles_run_on_the_rtl(name: str) -> None:
    """Scheme, cells, inputs, converters, timing and sharing of each preset, on fewer and smaller tiles."""
    whole = chips.machine(chips.load(name), CrossbarSpec, "this test")
    spec = replace(whole, rows=8, columns=4, tiles=2, lanes=4, buffer_words=128, parameter_words=64)
    agrees(draw_case(np.random.default_rng(41), spec))


def test_closed_form_is_the_stepped_model_without_stalls() -> None:
    for seed in range(200):
        rng = np.random.default_rng(1000 + seed)
        spec = draw_spec(rng, digital=bool(seed % 2))
        case = draw_case(rng, spec)
        form, stepped = program_form(spec, case.commands), step_program(spec, case.commands)
        assert (form.cycles, dict(form.budget)) == (stepped.cycles, dict(stepped.budget)), spec
        assert {e: n for e, n in form.counts.items() if n} == {e: n for e, n in stepped.counts.items() if n}
        assert len(sequence(spec)) == spec.compute_cycles


def test_both_answerers_of_the_port_agree_at_zero_noise() -> None:
    """One program on digital arrays in RTL and on the seeded cells of the bench: counters and results are equal."""
    rng = np.random.default_rng(77)
    spec = draw_spec(rng, digital=True)
    case = draw_case(rng, spec)
    analogue = replace(spec, array="analogue")
    assert run(case) == run(replace(case, spec=analogue))


def test_cells_are_written_verified_retried_and_given_up() -> None:
    spec = CrossbarSpec(
        rows=3, columns=2, cell_bits=4, weight_bits=4, input_bits=4, scheme="offset", adc_bits=6, lanes=2,
        write_cycles=3, verify_cycles=2, write_limit=4, buffer_words=16, columns_per_adc=2, arrays=2,
    )  # fmt: skip
    from model.crossbar.cells import CellErrors

    rng = np.random.default_rng(3)
    weights = rng.integers(-8, 8, (2, 3))
    levels = reference.cell_levels(spec, weights)
    wanted = [(0, r, c, int(levels[r, c]), 1) for r in range(3) for c in range(2)]
    array = CellArray(spec, CellErrors(programming=0.04, stuck_low=0.2), seed=5)
    assert array.stuck_low.any()
    array.load(np.zeros_like(levels))
    inputs = rng.integers(0, 16, (2, 3))
    command = LayerCommand(vectors=2, from_stream=True, to_stream=True, sums=True, array=1)
    stage = draw_case(np.random.default_rng(0), spec).stages[0]
    ones, zeros = np.ones(5000, bool), np.zeros(5000, bool)
    case = Case(
        spec=spec, weights=[weights] * 2, commands=[command], inputs=[inputs], stages=[stage], offered=ones, ready=ones,
        writes=zeros,
    )  # fmt: skip
    untouched = CellArray(spec)
    counters, _ = run(case, wanted, [untouched, array])
    assert not untouched.pulses.any()
    pulses = array.pulses.sum()
    assert pulses > 6
    assert counters["array.cell_pulse"] == counters["array.cell_verify"] == pulses
    assert counters["program"] == pulses * (3 + 2)
    given_up = sum(array.levels[r, c] != level for _, r, c, level, _ in wanted)
    assert counters["array.cell_given_up"] == given_up == (array.stuck_low & (levels > 0)).sum()
    assert array.pulses.max() == 4


@pytest.mark.parametrize("array", ["digital", "analogue"])
def test_weights_written_by_the_controller_compute_as_those_by_back_door(array: str) -> None:
    """All cells of all tiles; of analogue ones a pulse switches seven cells of ten, the others are written again."""
    spec = CrossbarSpec(
        rows=4, columns=2, cell_bits=2, scheme="differential", adc_bits=7, lanes=2, write_cycles=2, verify_cycles=2,
        write_limit=20, buffer_words=128, parameter_words=16, columns_per_adc=2, tiles=2, array=array,
    )  # fmt: skip
    case = draw_case(np.random.default_rng(12), spec)
    levels = [reference.cell_levels(spec, weights) for weights in case.weights]
    wanted = [(t, r, c, int(held[r, c]), 0) for t, held in enumerate(levels) for r in range(4) for c in range(16)]
    arrays = [CellArray(spec, seed=t, switching=0.7) for t in range(2)] if array == "analogue" else None
    counters, found = run(case, wanted, arrays)
    pulses = len(wanted) if arrays is None else int(sum(a.pulses.sum() for a in arrays))
    assert counters["array.cell_pulse"] == counters["array.cell_verify"] == pulses
    assert pulses == len(wanted) if arrays is None else pulses > 1.1 * len(wanted)
    assert counters["program"] == pulses * (2 + 2)
    assert not counters["array.cell_given_up"]
    plain, same = run(case)
    assert found == same
    assert counters["busy"] - counters["program"] == plain["busy"] - plain["program"] > 0


def test_a_cell_whose_endurance_is_spent_is_refused_in_a_sentence() -> None:
    array = CellArray(CrossbarSpec(rows=4, columns=2, adc_bits=8), endurance=3)
    for _ in range(3):
        array.pulse(2, 1, 1)
    with pytest.raises(
        InputError, match=r"a cell takes 3 pulses and cell \(2, 1\) has had them; .* write another tile"
    ):
        array.pulse(2, 1, 1)
    array.pulse(2, 0, 1)


class _Watched(CellArray):
    """Keeps every code it gave, by conversion."""

    def __init__(self, spec: CrossbarSpec) -> None:
        super().__init__(spec)
        self.given: list[list[int]] = []

    def convert(self, sums: np.ndarray, step: int) -> list[int]:
        self.given.append(super().convert(sums, step))
        return self.given[-1]


@pytest.mark.parametrize(
    ("scheme", "bits", "policy", "array"),
    [
        ("offset", 6, "lossless", "analogue"),
        ("offset", 6, "lossless", "digital"),
        ("offset", 5, "power_of_two", "analogue"),
        ("differential", 7, "lossless", "analogue"),
        ("differential", 7, "lossless", "digital"),
        ("differential", 5, "power_of_two", "analogue"),
    ],
)
def test_golden_vectors_are_reproduced_on_the_rtl(scheme: str, bits: int, policy: str, array: str) -> None:
    """Codes at the analogue port and sums that leave the core: the shared integers, bit for bit."""
    held = GOLDEN[scheme]
    weights, inputs = np.array(held["weights"]), np.array(held["inputs"])
    spec = CrossbarSpec(
        rows=16, columns=4, cell_bits=2, scheme=scheme, adc_bits=bits, range_policy=policy, array=array, lanes=4,
        columns_per_adc=4, buffer_words=16, parameter_words=2,
    )  # fmt: skip
    command = LayerCommand(vectors=len(inputs), from_stream=True, to_stream=True, sums=True)
    stage = draw_case(np.random.default_rng(0), spec).stages[0]
    always, never = np.ones(5000, bool), np.zeros(5000, bool)
    case = Case(
        spec=spec, weights=[weights], commands=[command], inputs=[inputs], stages=[stage], offered=always,
        ready=always, writes=never,
    )  # fmt: skip
    watched = _Watched(spec)
    watched.load(reference.cell_levels(spec, weights))
    _, found = run(case, arrays=None if array == "digital" else [watched])
    results = np.array(found[0]).reshape(len(inputs), 4)
    for vector, values in held["results"][f"{bits}b"].items():
        assert results[int(vector)].tolist() == values
    if array == "digital":
        return
    # conversions in the order of vectors, planes (most significant first) and steps; output n has converter n
    codes = np.array(watched.given).reshape(len(inputs), 8, spec.slices, 4)
    for index, values in held["codes"][f"{bits}b"].items():
        vector, number, bit = map(int, index.split("."))
        assert codes[vector, 7 - bit, number].tolist() == values, index
