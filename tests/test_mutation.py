"""The mutation run: what it plants, which tests it picks, how it judges, that it goes on where it was."""

import subprocess
from pathlib import Path

import pytest

from tb.bench.build import ROOT
from tb.mutation.campaign import Campaign, Verdict, summary
from tb.mutation.mutants import AREAS, Mutant, mutants_of, sample
from tb.mutation.related import Related

CODE = '''"""A module."""

LIMIT = 4


def small(value: int) -> bool:
    """Whether it is."""
    if value < 0:
        raise ValueError(f"must be {0} or more")
    assert value != 99, "not 99"
    return value <= LIMIT and not value % 2
'''


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository of one module and two test files."""
    root = tmp_path / "checkout"
    for name, text in {
        "hw/rtl/__init__.py": "",
        "hw/__init__.py": "",
        "hw/rtl/small.py": CODE,
        "tests/test_small.py": "from hw.rtl.small import small\ndef test_it():\n    assert small(4) and not small(6)\n",
        "tests/test_other.py": "def test_nothing():\n    pass\n",
        "pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['.']\n",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("\\\n", "\n"))
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    return root


def test_mistakes_change_what_runs_and_nothing_else(checkout: Path) -> None:
    found = mutants_of(checkout, "hw/rtl/small.py")
    changes = {(m.kind, m.after) for m in found}
    assert ("number", "LIMIT = 5") in changes
    assert ("comparison", "if value <= 0:") in changes
    assert ("check left out", "pass") in changes
    assert ("negation left out", "return value <= LIMIT and value % 2") in changes
    assert all("raise" not in m.after and '"""' not in m.after for m in found)
    for mutant in found:
        mutant.plant(checkout)
        text = (checkout / "hw/rtl/small.py").read_text()
        assert text != CODE
        assert len(text.splitlines()) == len(CODE.splitlines())
        (checkout / "hw/rtl/small.py").write_text(CODE)


def test_the_tests_that_import_a_module_are_picked(checkout: Path) -> None:
    assert Related(checkout).tests("hw/rtl/small.py") == ["tests/test_small.py"]
    real = Related(ROOT)
    assert "tests/test_axi.py" in real.tests("hw/rtl/npu/memory_side/axi_write.py")
    # benches are loaded by name, tables by their catalogue
    assert "tests/test_axi.py" in real.tests("tb/npu/axi_tests.py")
    assert real.tests("model/energy/tables/horowitz_45nm.py")


def test_a_noticed_mistake_is_killed_another_lives_and_both_stay_known(checkout: Path, tmp_path: Path) -> None:
    mutants = {m.after: m for m in mutants_of(checkout, "hw/rtl/small.py")}
    chosen = [mutants["LIMIT = 5"], mutants["return value < LIMIT and not value % 2"]]
    first = list(Campaign(checkout, tmp_path / "work", seconds=60, jobs=1).run(chosen))
    assert {v.mutant["after"]: v.state for v in first} == {
        "LIMIT = 5": "alive",
        "return value < LIMIT and not value % 2": "killed",
    }
    assert {v.ran for v in first} == {1}
    campaign = Campaign(checkout, tmp_path / "work", seconds=60, jobs=1)
    campaign._pytest = lambda *_: pytest.fail("a known verdict needs no tests")  # type: ignore[method-assign]
    assert sorted(v.key for v in campaign.run(chosen)) == sorted(v.key for v in first)


def test_the_sample_is_spread_over_areas_and_repeats() -> None:
    one, again = sample(ROOT, 40, 3), sample(ROOT, 10, 3, ["rtl"])
    assert [m.key for m in one if m.area == "rtl"] == [m.key for m in again]
    assert {area: sum(m.area == area for m in one) for area in AREAS} == dict.fromkeys(AREAS, 10)
    assert len({m.path for m in one}) == 40
    assert {m.key for m in sample(ROOT, 10, 4, ["rtl"])} != {m.key for m in again}


def test_the_summary_counts_and_asks_for_reasons() -> None:
    mutant = Mutant(path="hw/rtl/x.py", line=1, kind="number", before="a", after="b", start=0, end=1, text="b")
    fields = {name: getattr(mutant, name) for name in ("path", "line", "kind", "before", "after")}

    def verdict(key: str, killed: str | None, ran: int = 2) -> Verdict:
        return Verdict(key=key, mutant=fields, killed_by=killed, ran=ran, related=2, seconds=1.0)

    lines: list[str] = []
    found = [verdict("a", "tests/t.py"), verdict("b", None), verdict("c", None), verdict("d", None, 1)]
    assert summary(found, {"b": "equivalent: a spare entry"}, lines.append) == 1
    assert lines[0] == "mutants 4: 1 killed, 2 alive (1 equivalent), 1 unsure (time was up)"
    assert "50.0% of those that are judged and not equivalent" in lines[1]
    assert "        equivalent: a spare entry" in lines
