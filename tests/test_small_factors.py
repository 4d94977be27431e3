"""Factors of two, ends of ranges and verdicts that can be wrong without any total looking wrong."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hw import chips
from hw.base import file
from hw.gates import scaling
from model.card.device import device
from model.card.layer_time import Formats
from model.card.links import Links
from model.card.machine import machine
from model.card.run import network_layers
from model.cycle.dram_pim.run import HbmPim
from model.network.layer import Layer, Network
from model.report import summary
from model.work.workload import Gemm
from tb import formal as prover
from tb.gates import nodes


def test_energy_falls_with_the_node_and_a_figure_is_scaled_that_way() -> None:
    found = [scaling.factor(node).nominal for node in sorted(scaling.VOLTAGES)]
    assert found == sorted(found)
    assert scaling.factor(45).nominal == pytest.approx(1.0)
    # Stillmaker and Baas 2017: the energy of an adder at 7 nm and 0.75 V is about a twentieth of that at 45 nm, 1.0 V
    assert 0.02 < scaling.factor(7).nominal < 0.15
    lines = nodes.text({"low": 1.0, "nominal": 2.0, "high": 4.0}, "int8")
    at_7 = next(line for line in lines if line.startswith("   7 nm"))
    assert float(at_7.split()[2]) == pytest.approx(2.0 * scaling.factor(7).nominal, abs=1e-3)
    low, high = scaling.BRACKET
    assert nodes._where(low) == nodes._where(high) == "inside"
    assert nodes._where(low / 2) == "below by 2.00 x"
    assert nodes._where(high * 2) == "above by 2.00 x"


def test_the_printed_ends_hold_nine_tenths_of_the_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    class _Figure:
        name, unit, note, confidence = "x", "W", "", "assumed"

    class _Bounds:
        low, nominal, high = 0.0, 500.0, 1000.0

    class _Projection:
        figures = (_Figure,)

        def samples(self, count: int, seed: int) -> dict[str, np.ndarray]:
            return {"x": np.random.default_rng(seed).permutation(np.linspace(0.0, 1000.0, count))}

        def intervals(self) -> list[type]:
            return [_Bounds]

    found = summary.ranges_of(_Projection())["x"]  # pyright: ignore[reportArgumentType]
    assert (found.p5, found.p95) == (pytest.approx(50, abs=0.5), pytest.approx(950, abs=0.5))


@pytest.mark.parametrize("devices", [2, 3, 8])
def test_a_sum_moves_every_byte_to_the_sum_and_back(devices: int) -> None:
    ring = Links(bandwidth=1e9, switched=False, start=0.0, step=0.0)
    # reduce-scatter and all-gather: (n - 1) / n of the bytes leave a device twice
    assert ring.sum(1e9, devices) == pytest.approx(2 * (devices - 1) / devices)
    assert ring.exchange(1e9, devices) == pytest.approx((devices - 1) / devices)
    switched = replace(ring, switched=True)
    assert switched.sum(1e9, devices) == pytest.approx(min(2 * (devices - 1) / devices, devices - 1))
    steps = replace(ring, start=1.0, step=0.5)
    assert steps.sum(0.0, devices) == pytest.approx(1.0 + 2 * (devices - 1) * 0.5)


def test_every_rank_has_its_background() -> None:
    spec = chips.load("hbm_pim").pim
    assert spec is not None
    one, two = (
        HbmPim(spec, channels=1, ranks=ranks, refresh=False).run("gemv", outputs=128, inputs=256) for ranks in (1, 2)
    )
    for result, ranks in ((one, 1), (two, 2)):
        nanoseconds = result.cycles * spec.dram.clock_ns * ranks
        assert result.counts["dram.background_ns"] == pytest.approx(nanoseconds, rel=0.01)


def test_weights_that_fill_their_half_exactly_stay_and_one_byte_more_does_not() -> None:
    layer = Layer(
        name="fc",
        operator="Gemm",
        kind="gemm",
        gemms=(Gemm(name="fc", m=8, n=256, k=256),),
        operations=2 * 8 * 256 * 256,
        input_elements=8 * 256,
        weight_elements=256 * 256,
        output_elements=8 * 256,
        stationary=True,
    )
    network = Network(name="one", source="test", layers=(layer,))
    plain = machine(device(chips.load("furiosa_warboy")), "int8")
    formats = Formats()
    half = network.weights
    (fits,) = network_layers(network, replace(plain, sram=2 * half), formats)
    (spills,) = network_layers(network, replace(plain, sram=2 * half - 2), formats)
    assert spills.bytes - fits.bytes >= half


def test_a_write_that_fails_leaves_the_former_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "record.json"
    file.write_atomically(target, "old")

    def broken(source: str, to: Path) -> None:
        assert Path(to).read_text() == "old", "the target must not be touched before it is replaced whole"
        assert Path(source).read_text() == "new"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(Exception, match="No space left"):
        file.write_atomically(target, "new")
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_a_verdict_is_what_the_solver_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hw import formal
    from hw.base.error import InputError

    monkeypatch.setattr(prover, "emit", lambda proof, bug: "text")
    proof = formal.load("skid")
    for said, holds in (("Status: PASSED", True), ("Status: FAILED", False), ("Status: failed", False)):
        monkeypatch.setattr(prover, "BUILD", tmp_path / said)

        def tool(name: str, arguments: list[str], folder: Path, said: str = said) -> str:
            (folder / "design.smt2").write_text("")
            return said

        monkeypatch.setattr(prover, "run", tool)
        assert prover.ask("skid", proof, "bounded", 3).holds is holds
        assert prover.ask("skid", proof, "bounded", 3, proof.bugs[0]).good is not holds
        assert prover.ask("skid", proof, "bounded", 3).good is holds
    monkeypatch.setattr(prover, "BUILD", tmp_path / "silent")
    monkeypatch.setattr(prover, "run", lambda name, arguments, folder: (folder / "design.smt2").write_text("") or "")
    with pytest.raises(InputError, match="the solver must answer"):
        prover.ask("skid", proof, "bounded", 3)


def test_a_solver_that_takes_too_long_is_ended_with_all_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hw.base.error import InputError

    slow = tmp_path / "slow"
    slow.write_text(f"#!/bin/sh\nsleep 300 & echo $! > {tmp_path}/child\nwait\n")
    slow.chmod(0o755)
    monkeypatch.setattr(prover, "TOOLS", tmp_path)
    monkeypatch.setattr(prover, "LIMIT_SECONDS", 1)
    with pytest.raises(InputError, match="must answer within 1 s"):
        prover.run("slow", [], tmp_path)
    child = (tmp_path / "child").read_text().strip()
    state = subprocess.run(["ps", "-o", "stat=", "-p", child], capture_output=True, text=True, check=False).stdout
    assert not state.strip() or state.startswith("Z")
