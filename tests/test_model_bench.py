"""`python -m model bench`: the models are as fast as they are meant to be."""

import json

import pytest

from hw.spec.command_line import main
from model import cli


def test_resnet50_is_a_thousand_times_faster_than_scalesim(capsys: pytest.CaptureFixture[str]) -> None:
    main("model", cli, ["bench", "--json"])
    figures = json.loads(capsys.readouterr().out)
    assert figures["resnet50_layers"] == 54
    # limits are CPU time on a quiet machine; a shared one gets four times that
    assert figures["resnet50_closed_form_ms"] <= 4 * 5
    assert figures["gemm_512_stepped_ms"] <= 4 * 20
    assert figures["peak_memory_mb"] < 200
    assert figures["gemm_512_from_outside_16_bytes_stepped_ms"] <= 4 * 20
    assert figures["gemm_512_from_outside_cycles"] == 524_394
    assert figures["resnet50_32_times_scalesim"] >= 1000
    assert figures["resnet50_128_times_scalesim"] >= 1000
    assert figures["resnet50_16_cycles"] >= figures["resnet50_32_cycles"] >= figures["resnet50_128_cycles"]
