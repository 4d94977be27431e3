"""What GTKWave shows of a PIM channel, read back from the waveform through the save file's translation tables."""

from pathlib import Path

import pytest

from tb.bench import design
from tb.bench.build import build
from tb.bench.run import run
from tb.bench.wave import save_file

STREAMS = "random_streams_are_accepted_when_the_model_says_and_do_what_it_says"


def texts_of(save: Path, trace: Path, signals: set[str]) -> dict[str, list[str]]:
    """Signal -> the texts of its values in order, as the tables beside `save` translate them."""
    import pywellen

    table, tables = None, {}
    for line in save.read_text().splitlines():
        if line.startswith("^"):
            table = Path(line.split(" ", 1)[1])
        elif line.startswith("+{"):
            name = line.split()[-1].split("[")[0]
            if table is not None and name.rpartition(".")[2] in signals:
                tables[name] = dict(row.split(" ", 1) for row in table.read_text().splitlines())
            table = None
    variables = {v.full_name: v for v in pywellen.Waveform(str(trace)).all_vars()}  # type: ignore[attr-defined]
    found = {}
    for name, words in tables.items():
        width = len(next(iter(words)))
        found[name] = [words[f"{int(value):0{width}b}"] for _, value in variables[name].tv]
    return found


@pytest.mark.rtl
@pytest.mark.volume
@pytest.mark.parametrize(
    ("chip", "commands", "modes", "instructions", "rows"),
    [
        (
            "hbm_pim",
            {"ACT", "PRE", "RD", "WR", "REF", "IDLE"},
            {"SB", "HAB", "HAB_PIM"},
            {"ADD", "MUL", "MAC", "MAD", "MOV", "NOP", "IDLE"},
            {"CLOSED", "REGISTERS", "TO_HAB", "TO_SB"},
        ),
        ("aim", {"ACT16", "MAC16", "WRGB", "TMOD", "RDMAC16", "IDLE"}, {"memory", "register"}, set(), {"CLOSED"}),
    ],
)
def test_commands_modes_instructions_and_open_rows_are_text(
    chip: str,
    commands: set[str],
    modes: set[str],
    instructions: set[str],
    rows: set[str],
) -> None:
    bench = design.load(chip)
    emitted = design.design(chip, chip)
    outcome = run(
        build(emitted, "fst", design.published(bench, emitted)),
        f"tb.dram_pim.{chip}_tests",
        seed=4,
        parameters={"chip": chip, "streams": 6},
        tests=(STREAMS,),
    )
    assert outcome.passed, outcome.explain()
    assert outcome.trace is not None
    save = save_file(emitted.manifest, outcome.trace, outcome.folder / "waves.gtkw")
    # every value that occurs has a text, or the lookup fails
    shown = texts_of(save, outcome.trace, {"accepted", "executed", "mode", "row", "reason"})
    seen = {name.rpartition(".")[2]: set(texts) for name, texts in shown.items()}
    assert commands <= seen["accepted"]
    assert modes <= seen["mode"]
    assert instructions <= seen.get("executed", set())
    assert "EARLY" in seen["reason"]
    banks = {name: set(texts) for name, texts in shown.items() if name.endswith(".row")}
    assert len(banks) == 16
    assert all("CLOSED" in texts and any(t.startswith("ROW_") for t in texts) for texts in banks.values())
    assert rows <= set().union(*banks.values())
