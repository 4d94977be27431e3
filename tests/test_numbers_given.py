"""Numbers at the command line: a seed is from 0 to 2^31 - 1 in every verb that draws; a short time has digits."""

from pathlib import Path

import pytest

import model.cli
import tb.cli
from hw.base.command_line import main

VERBS = [
    *((model.cli, verb, []) for verb in ("predict", "report", "crossbar", "serve")),
    (model.cli, "explore", ["digits_small"]),
    *((tb.cli, verb, []) for verb in ("sim", "waves", "regress", "energy", "arithmetic", "mutate")),
    (tb.cli, "gates", ["core"]),
]


@pytest.mark.parametrize(("package", "verb", "rest"), VERBS, ids=[verb for _, verb, _ in VERBS])
@pytest.mark.parametrize("given", ["-1", "2147483648", "1" + "0" * 40, "nan", "1e3", ""])
def test_a_seed_that_is_none_is_one_sentence(
    package: object, verb: str, rest: list[str], given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(package.__name__.split(".")[0], package, [verb, *rest, f"--seed={given}"])  # type: ignore[attr-defined,arg-type]
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert f"a seed must be a whole number from 0 to 2147483647, not {given!r}; choose another" in said
    assert said.count("\n") == 1


def test_a_short_run_has_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main("model", model.cli, ["predict", "--chip", "tiny", "--workload", "gemm_16"]) == 0
    assert "time             0.000277 ms at 1 (0.5 to 1.5) GHz" in capsys.readouterr().out  # 277 cycles
