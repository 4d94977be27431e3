"""Benches of networks and language models on input made by hand, the device's model in the place of the RTL."""

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hw import chips
from hw.spec.pim import PimSpec
from hw.spec.system import SystemSpec
from model.count import Counts
from model.functional.hbm_pim import HbmPimDevice
from tb.dram_pim import hbm_pim_tests
from tb.dram_pim.driver import Answer, Played
from tb.dram_pim.network import Layer, run_network
from tb.dram_pim.random import to_integer
from tb.npu import network_tests
from tb.system import decode, decoder_tests
from tests.support.in_python import Word


def _pim(chip: str) -> PimSpec:
    return chips.machine(chips.load(chip), PimSpec, "this test")


class Modelled:
    """A driver whose channel is the functional model of the device."""

    def __init__(self, spec: PimSpec, device: HbmPimDevice) -> None:
        self.spec, self.device = spec, device
        self.width = 16 * spec.lanes

    def cells(self, bank: int) -> Any:
        columns, rows, lanes = self.spec.dram.organisation.columns, self.device.rows, self.spec.lanes

        class Cell:
            def __init__(self, index: int) -> None:
                self.row, self.column = divmod(index, columns)

            @property
            def value(self) -> Word:
                return Word(to_integer(rows[bank, self.row][self.column]), 16 * lanes)

            @value.setter
            def value(self, value: Any) -> None:
                words = rows.setdefault((bank, self.row), np.zeros((columns, lanes), np.uint16))
                words[self.column] = np.frombuffer(value.to_unsigned().to_bytes(2 * lanes, "little"), "<u2")

        class Cells:
            def __getitem__(self, index: int) -> Cell:
                return Cell(index)

        return Cells()

    async def play(self, stream: list[Played]) -> Answer:
        start = self.device
        self.device = HbmPimDevice(self.spec, self.spec.dram.resolve())
        self.device.rows = start.rows
        for c in stream:
            data = np.frombuffer((c.data or 0).to_bytes(2 * self.spec.lanes, "little"), "<u2")
            self.device.issue(c.name, c.bank, c.row, c.column, c.cycle, data if c.name == "WR" else None)
        counts = Counter[str]()
        return Answer(
            reasons=[self.device.error], modes=[], words=[], counts=counts, error=self.device.error, mode=0,
            finish=stream[-1].cycle + 20,
        )  # fmt: skip


def test_the_network_bench_of_hbm_pim_reads_its_results_where_the_device_puts_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec, told = _pim("hbm_pim"), {}
    driver = Modelled(spec, HbmPimDevice(spec, spec.dram.resolve()))
    bench = SimpleNamespace(parameters={"workload": "digits_float_4"}, cycle=0, report=lambda **data: told.update(data))
    monkeypatch.setattr(hbm_pim_tests, "opened", lambda bench, top: (spec, driver))
    monkeypatch.setattr(hbm_pim_tests, "hbm_phases", lambda *given: {})
    asyncio.run(hbm_pim_tests.every_lane_sum_of_the_network_is_numpys.func.__wrapped__(bench))
    assert told["figures"]["images"] == 4


@pytest.mark.parametrize("wrong", ["nothing", "a bit", "a refusal"])
def test_a_wrong_sum_and_a_refusal_end_the_network(wrong: str) -> None:
    spec = _pim("hbm_pim")
    numerics = chips.load("hbm_pim").kind.door("reference")

    def prepare(weights: np.ndarray, bias: np.ndarray, vectors: np.ndarray) -> Layer:
        sums = numerics.layer_sums(spec, weights, bias, vectors).copy()
        if wrong == "a bit":
            sums[-1, -1] ^= 1
        return Layer(stream=[], cells={}, results=lambda answer: sums)

    async def answer(stream: list[Played]) -> Answer:
        return Answer(
            reasons=[3 if wrong == "a refusal" else 0], modes=[], words=[], counts={}, error=0, mode=0, finish=100
        )

    bench: Any = SimpleNamespace(parameters={"workload": "digits_float_4"}, cycle=0, report=lambda **data: None)
    driver: Any = SimpleNamespace(play=answer)
    run = run_network(
        bench,
        driver,
        spec,
        prepare,
        lambda stream, finish: {"all": finish},
        lambda answer: Counts(),  # type: ignore[arg-type]
    )
    if wrong == "nothing":
        asyncio.run(run)
    else:
        words = "differ" if wrong == "a bit" else r"refused with the codes \[3\]"
        with pytest.raises(AssertionError, match=words):
            asyncio.run(run)


@pytest.mark.parametrize(("busy", "said"), [(9, "every busy cycle has exactly one label"), (10, "expected|must|row")])
def test_the_network_bench_notices_a_cycle_without_a_label_and_a_wrong_output(
    busy: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that leaves zeros outside, and ten cycles with a label."""

    async def run_case(*given: Any) -> dict[str, int]:
        return dict.fromkeys(network_tests.LABELS, 0) | {"stream": 10, "busy": busy}

    class Zeros:
        def __getitem__(self, beat: int) -> Any:
            return SimpleNamespace(value=0)

    monkeypatch.setattr(network_tests, "run_case", run_case)
    monkeypatch.setattr(network_tests, "program_counts", lambda core, work: {})
    bench = SimpleNamespace(
        parameters={"chip": "npu_16_cnn", "workload": "digits_cnn"}, seed=1, cycle=0, report=lambda **data: None,
        dut=SimpleNamespace(dut=SimpleNamespace(external=SimpleNamespace(memory=Zeros()))),
    )  # fmt: skip
    with pytest.raises(AssertionError, match=said):
        asyncio.run(network_tests.every_output_of_the_program_is_the_reference.func.__wrapped__(bench))


def test_the_prompt_of_a_language_run_ends_with_its_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A prompt of three tokens in steps of two and one, then three generated tokens; two of them behind the first."""
    spec = chips.load("npu_aim").machine_as(SystemSpec)
    steps = [SimpleNamespace(first=first, tokens=count) for first, count in ((0, 2), (2, 1), (3, 1), (4, 1))]
    lowered: Any = SimpleNamespace(steps=steps, prompt=[5, 6, 7], spec=spec, pim="off")
    ends = [1000, 1500, 2100, 2900]
    units = ("core_labels", "core_events", "vector_events", "channel_events", "controller", "controller_labels")
    labels = {unit: Counter() for unit in units}
    timing = SimpleNamespace(
        waits={}, core=SimpleNamespace(budget={}), controllers={}, crossbar=None, cycles=2900
    )  # fmt: skip
    monkeypatch.setattr(decode, "predict_decoding", lambda *given: SimpleNamespace(timing=timing, ends=ends))
    data = {
        "tokens": [1, 2, 3], "ends": ends, "labels": labels, "labels_after_prompt": labels, "equal": True, "tensors": 1,
        "elements": 1, "cycles": 2901, "seconds": {},
    }  # fmt: skip
    work: Any = SimpleNamespace(text=str)
    built: Any = SimpleNamespace(emitted=SimpleNamespace(digest=""), tools={})
    run = decode._record("npu_aim", "mine", work, lowered, data, built)
    assert run.prompt_cycles == 1500
    assert run.cycles_per_token == (2900 - 1500) / 2
    assert run.labels_equal


@pytest.mark.parametrize("difference", [None, "a tensor differs"])
def test_a_language_run_is_equal_if_every_step_was_compared_and_none_differs(
    difference: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [SimpleNamespace(first=i, tokens=1, places=[], ended=SimpleNamespace(count=10 * i + 10)) for i in range(3)]
    spec = chips.load("npu_aim").machine_as(SystemSpec)
    lowered: Any = SimpleNamespace(steps=steps, prompt=[4, 5], spec=spec, pim="off", crossbars=None)

    class Watched:
        def __init__(self, bench: Any, lowered: Any) -> None:
            self.words, self.bench = None, bench

        def load(self) -> None: ...

        async def start(self) -> None: ...

        async def until_ended(self, count: int) -> None:
            self.bench.cycle = 100 * count

        def labels(self) -> dict[str, Any]:
            return {"controller": {}}

        def events(self, cycles: int) -> dict[str, int]:
            return {}

    reference = SimpleNamespace(answer=[7], step=lambda step: None)
    monkeypatch.setattr(decoder_tests, "DecoderBench", Watched)
    monkeypatch.setattr(decoder_tests, "lowered_of", lambda *given: (lowered, None))
    monkeypatch.setattr(decoder_tests, "ReferenceRun", lambda *given: reference)
    monkeypatch.setattr(decoder_tests, "differences", lambda *given: iter([difference] if difference else []))
    told: dict[str, Any] = {}
    ports = {f"o_refused_{unit}": SimpleNamespace(value=0) for unit in spec.units}
    dut = SimpleNamespace(o_finished=SimpleNamespace(value=1), o_error=SimpleNamespace(value=0), **ports)
    given = {"chip": "npu_aim", "workload": "tiny_npu@tokens=1,prompt=2,pim=off"}
    bench: Any = SimpleNamespace(parameters=given, cycle=0, dut=dut, report=lambda **data: told.update(data))
    run = decoder_tests.every_tensor_of_every_token_is_the_references.func.__wrapped__(bench)
    if difference is None:
        asyncio.run(run)
    else:
        with pytest.raises(AssertionError, match=difference):
            asyncio.run(run)
    assert told["equal"] == told["answer"]["equal"] == (difference is None)
    assert len(told["ends"]) == (3 if difference is None else 1)
