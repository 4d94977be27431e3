"""A third kind of machine, new files and one line of the table, goes through simulation, record, price and report."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw import chips
from hw.base import own_file
from hw.spec.kind import KINDS
from model import record, workloads
from model.predict import predict
from model.record import Measurement, Origin, Result
from model.report import text
from model.report.summary import summarise
from tb.bench import design
from tb.bench.measure import Case, measure

FOLDER = Path(__file__).parent / "support" / "adder_array"


@pytest.fixture
def _adders(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("KCLOUD_OWN_FILES", os.environ.get("KCLOUD_OWN_FILES", ""))
    own_file.register("chip", str(FOLDER / "adder_4.py"))
    own_file.register("workload", str(FOLDER / "adder_sums.py"))
    yield
    KINDS.pop("adder_array", None)
    for name in [name for name in sys.modules if name.startswith("tests.support.adder_array")]:
        del sys.modules[name]


@pytest.mark.rtl
@pytest.mark.usefixtures("_adders")
def test_a_trial_kind_goes_through_simulation_record_price_and_report(tmp_path: Path) -> None:
    chip, workload = chips.load("adder_4"), workloads.load("adder_sums")
    assert chip.kind.workload == "adder_sums"
    assert design.default(chip) == "adder"
    measured, outcome = measure(Case(bench="adder", chip="adder_4", workload="adder_sums"))
    assert outcome.passed, outcome.explain()
    assert measured is not None
    prediction = predict(chip, workload)
    assert (measured.result.cycles, measured.result.counts) == (prediction.cycles, prediction.counts)
    record.write(measured, root=tmp_path)
    modelled = Result(
        chip="adder_4",
        chip_digest=chip.digest,
        workload="adder_sums",
        workload_digest=workload.digest,
        witness="model",
        seed=1,
        cycles=prediction.cycles,
        phases=prediction.phases,
        counts=prediction.counts,
        figures={"macs": prediction.macs},
    )
    record.write(Measurement(result=modelled, origin=Origin()), root=tmp_path)
    summary = summarise("adder_4", chip, "adder_sums", 1, {"adder_4": chip}, roots=(tmp_path,), build=tmp_path)
    ((name, priced),) = summary.energies
    assert name == "adders"
    assert priced.total_j.nominal == pytest.approx(400e-12)
    screen = text.render(summary)
    assert "Every count of the RTL equals the model's." in screen
    assert "100.00%" in screen
