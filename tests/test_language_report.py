"""The section of language runs: factors against the run without the channel; only runs that were equal."""

from dataclasses import replace
from pathlib import Path

import pytest

from hw.base.error import InputError
from model.language.run_record import LanguageRun, read_run
from model.language.screen import sentences, table
from model.report.section_language import language_runs, language_sections

OFF = LanguageRun(
    chip="npu_aim",
    work="small_llm",
    pim="off",
    prompt=[1, 2],
    tokens=[3, 4],
    prompt_text="ab",
    text="cd",
    equal=True,
    tensors=5,
    elements=50,
    cycles=1000,
    prompt_cycles=400,
    cycles_per_token=600.0,
    predicted_cycles=1000,
    labels={"controller": {"idle": 1000}},
    labels_per_token={"controller": {"idle": 600.0}, "vector": {"busy": 10.0}, "core": {"busy": 20.0}},
    labels_equal=True,
    energy_j_per_token={"oconnor_hbm2": 2e-6, "attacc_hbm3": 1e-6},
)
BOTH = replace(
    OFF,
    pim="both",
    cycles_per_token=150.0,
    units_j_per_token={"core": [1e-6, 2e-6, 3e-6], "vector unit": [1e-7, 2e-7, 3e-7]},
)


def test_runs_are_shown_beside_the_one_without_the_channel() -> None:
    (section,) = language_sections([BOTH, OFF])
    assert section.rows[1][2:7] == ("2 + 2", "both", "counted 150", "equal", "x 4.00")
    assert section.rows[1][8] == "2.00 + 0.20"
    assert section.rows[2][6:] == ("x 1.00", "1.00 to 2.00", "-")
    assert language_sections([replace(OFF, equal=False)]) == []
    (core,) = (row for row in table([BOTH, OFF]) if row[0].startswith("core, uJ a token"))
    assert core[1] == "2.00"
    assert "4.00 times fewer cycles a token" in sentences([BOTH, OFF])[-1]


def test_records_are_read_as_written(tmp_path: Path) -> None:
    OFF.write(tmp_path)
    assert language_runs(tmp_path) == [OFF]
    (tmp_path / "npu_aim" / "small_llm.both.json").write_text("{}")
    with pytest.raises(InputError, match="must be the record of a language run"):
        language_runs(tmp_path)


def test_committed_runs_are_exact() -> None:
    for run in language_runs():
        assert run.equal
        assert run.labels_equal
        assert run.cycles == run.predicted_cycles
        assert run.tokens
    assert callable(read_run)
