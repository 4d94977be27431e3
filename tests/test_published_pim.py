"""Published gains of memories with processing beside what the cycle model predicts for them."""

from pathlib import Path

import pytest

from hw.base.error import InputError
from model.card.pim_check import gain
from model.projection.check import TIMES
from model.projection.published_pim import pim_rows, predicted_gains
from model.projection.validate import validate


def test_committed_predictions_are_those_of_the_model() -> None:
    for row, predicted in predicted_gains():
        now = gain(row)
        assert (predicted.low, predicted.nominal, predicted.high) == pytest.approx(
            (now.low, now.nominal, now.high), rel=1e-5
        )


def test_what_another_simulator_counted_and_silicon_on_an_fpga_lie_in_range() -> None:
    from hw import chips

    every = {name: chips.load(name) for name in ("hbm_pim", "aim")}
    checks = [c for c in validate(every, {}, memories=predicted_gains()).checks if c.unit == TIMES]
    assert len(checks) == len(pim_rows()) >= 8
    verdict = {check.what: check.verdict for check in checks}
    for what, said in verdict.items():
        assert said == ("outside" if "GPU" in what else "in range"), what
    simulated = [c for c in checks if "simulation" in c.rule]
    assert all(abs(c.error) < 0.03 for c in simulated)
    assert all("small part of its memory's bandwidth" in c.cause for c in checks if c.verdict == "outside")


def test_a_gain_without_a_source_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "pim.csv"
    table.write_text(
        "memory,what,packages,outputs,inputs,batch,value,kind,confidence,source\naim,x,1,8,8,1,2,silicon,vendor,\n"
    )
    with pytest.raises(InputError, match="line 2, must name its source"):
        pim_rows(table)
