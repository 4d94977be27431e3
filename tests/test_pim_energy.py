"""DRAM energies: streams price to what the sources publish, kernels to a bracket."""

from pathlib import Path

import pytest

from hw import chips
from hw.spec.dram_pim_event import EVENTS
from model.count import Counts
from model.cycle.dram_pim.run import HbmPim
from model.energy import dram
from model.energy.price import price
from model.record import Measurement, Origin, Result, write
from model.report import text
from model.report.summary import summarise

SPEC = chips.load("hbm_pim").pim
assert SPEC is not None
BITS = 1 << 23


@pytest.mark.parametrize("name", dram.names())
def test_every_source_prices_every_event(name: str) -> None:
    assert set(dram.load(name).energies) == set(EVENTS)


def test_a_plain_read_stream_costs_what_oconnor_publishes() -> None:
    # the paper's average access spends 1.21 of its 3.92 pJ/bit on activation, at 909 pJ per 1 KB row
    counts = dram.read_stream(BITS, BITS * 1.21 / 909)
    assert price(counts, dram.load("oconnor_hbm2")).total_j.nominal * 1e12 / BITS == pytest.approx(3.92, rel=0.03)


def test_a_plain_read_stream_costs_what_ayna_measures() -> None:
    counts = dram.read_stream(BITS, BITS / 8192)
    assert price(counts, dram.load("ayna_hbm2")).total_j.nominal * 1e12 / BITS == pytest.approx(4.82, rel=0.03)


def test_a_simulated_host_stream_costs_what_ayna_measures_above_background() -> None:
    counts = dict(HbmPim(SPEC, channels=1, refresh=False).run("host_read", elements=1 << 17).counts)
    counts.pop("dram.background_ns")
    bits = counts["dram.read_pin_bit"]
    assert bits == 16 << 17
    assert price(counts, dram.load("ayna_hbm2")).total_j.nominal * 1e12 / bits == pytest.approx(4.82, rel=0.03)


def test_gemv_prices_to_a_bracket_below_the_host_stream() -> None:
    sources = ("attacc_hbm3", "oconnor_hbm2", "ayna_hbm2")
    machine = HbmPim(SPEC)
    pim = dram.bracket(machine.run("gemv", outputs=4096, inputs=4096).counts, sources).total_j
    host = dram.bracket(machine.run("host_gemv", outputs=4096, inputs=4096).counts, sources).total_j
    assert pim.low < pim.nominal < pim.high
    assert pim.nominal < host.nominal


@pytest.mark.parametrize("name", ["hbm_pim", "aim"])
def test_a_run_of_a_pim_chip_is_priced_by_every_source_of_its_dram(name: str, tmp_path: Path) -> None:
    chip = chips.load(name)
    assert chip.pim is not None
    result = Result(
        chip=name,
        chip_digest=chip.digest,
        workload="digits_float",
        workload_digest="0" * 16,
        witness="model",
        seed=1,
        cycles=1000,
        counts=Counts({"dram.activate_kilobyte": 4, "dram.read_bit": 1 << 15, "pim.mac": 2048}),
        figures={"images": 10},
    )
    write(Measurement(result=result, origin=Origin(tools={}, commit="c0ffee")), root=tmp_path)
    summary = summarise(name, chip, "digits_float", 1, {name: chip}, roots=(tmp_path,), build=tmp_path)
    assert tuple(n for n, _ in summary.energies) == dram.sources_of(chip.pim)
    for _, priced in summary.energies:
        assert 0 < priced.total_j.low < priced.total_j.high
    screen = text.render(summary)
    assert all(priced.table.title in screen for _, priced in summary.energies)
