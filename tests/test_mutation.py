"""The mutation run: what it plants, which tests it picks, how it judges, that it goes on where it was."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tb.bench.build import ROOT
from tb.cli.mutate import REASONS
from tb.mutation import campaign as campaign_module
from tb.mutation.campaign import Campaign, Verdict, summary
from tb.mutation.mutants import AREAS, SAMPLE, Mutant, mutants_of, sample
from tb.mutation.reach import outcomes
from tb.mutation.related import Related
from tb.mutation.uses import probed

CODE = '''"""A module."""

LIMIT = 4
SIZES = {
    "small": 3,
}


def small(value: int) -> bool:
    """Whether it is."""
    if value < 0:
        raise ValueError(f"must be {0} or more")
    assert value != 99, "not 99"
    return value <= LIMIT and not value % 2
'''

BY_TESTS = """import subprocess, sys
from hw.rtl.small import small
def test_it():
    assert small(4) and not small(6)
def test_by_a_child():
    subprocess.run([sys.executable, "-c", "from hw.rtl.small import small; assert small(4)"], check=True)
def test_nothing():
    pass
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository of one module and two test files."""
    root = tmp_path / "checkout"
    probe = "tb/mutation/probe.py"
    for name, text in {
        "tb/__init__.py": "",
        "tb/mutation/__init__.py": "",
        probe: (ROOT / probe).read_text(),
        "hw/rtl/__init__.py": "",
        "hw/__init__.py": "",
        "hw/rtl/small.py": CODE,
        "tests/test_small.py": BY_TESTS,
        "tests/test_table.py": "from hw.rtl.small import SIZES\ndef test_table():\n    assert 'small' in SIZES\n",
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


def test_a_test_file_is_as_near_to_a_module_as_its_imports(checkout: Path) -> None:
    assert Related(checkout).distances("hw/rtl/small.py") == {"tests/test_small.py": 1, "tests/test_table.py": 1}
    real = Related(ROOT)
    assert "tests/test_axi.py" in real.distances("hw/rtl/npu/memory_side/axi_write.py")
    # benches are loaded by name, tables by their catalogue
    assert "tests/test_axi.py" in real.distances("tb/npu/axi_tests.py")
    assert real.distances("model/energy/tables/horowitz_45nm.py")
    assert real.reaches("tests/test_axi.py") > 50


def _campaign(checkout: Path, work: Path, *after: str) -> Campaign:
    mutants = {m.after: m for m in mutants_of(checkout, "hw/rtl/small.py")}
    return Campaign(checkout, work, [mutants[line] for line in after], seconds=60, jobs=1)


NOTICED, LIVES, FOREVER = "return value < LIMIT and not value % 2", '"small": 4,', "if value <= 0:"


def test_tests_are_chosen_by_what_they_come_by(checkout: Path, tmp_path: Path) -> None:
    campaign = _campaign(checkout, tmp_path / "work", NOTICED, "LIMIT = 5", '"small": 4,')
    assert {name for name, _ in campaign.look(campaign.reach.missing())} == {
        "tests/test_small.py",
        "tests/test_table.py",
    }
    noticed, limit, table = campaign.mutants
    chosen = campaign.reach.batches(noticed, {})
    assert sorted(test for batch in chosen for test in batch) == [
        "tests/test_small.py::test_by_a_child",
        "tests/test_small.py::test_it",
    ]
    # a number that is read at import: the other tests of small files, then those that read what it is computed into
    first, second, *_ = campaign.reach.batches(limit, {})
    assert sorted(first) == ["tests/test_small.py::test_nothing", "tests/test_table.py::test_table"]
    assert second == chosen[0]
    assert "tests/test_table.py::test_table" in campaign.reach.batches(table, {})[0]
    again = _campaign(checkout, tmp_path / "work", NOTICED)
    assert not again.reach.missing()
    (checkout / "tests/test_table.py").write_text("from hw.rtl.small import SIZES\n")
    assert _campaign(checkout, tmp_path / "work", NOTICED).reach.missing() == ["tests/test_table.py"]


def test_tests_that_build_simulators_come_last_for_a_mistake_in_the_rtl(checkout: Path, tmp_path: Path) -> None:
    (checkout / "tests/test_built.py").write_text(
        "import pytest\nfrom hw.rtl.small import small\n@pytest.mark.rtl\ndef test_built():\n    assert small(4)\n"
    )
    subprocess.run(["git", "add", "."], cwd=checkout, check=True)
    campaign = _campaign(checkout, tmp_path / "work", NOTICED)
    assert campaign.reach.missing()[-1] == "tests/test_built.py"
    list(campaign.look(campaign.reach.missing()))
    assert campaign.reach.batches(campaign.mutants[0], {})[-1] == ["tests/test_built.py::test_built"]
    likely = campaign.reach.batches(campaign.mutants[0], {}, likely=True)
    assert all("tests/test_built.py::test_built" not in batch for batch in likely)


def test_a_noticed_mistake_is_killed_another_lives_and_both_stay_known(checkout: Path, tmp_path: Path) -> None:
    campaign = _campaign(checkout, tmp_path / "work", NOTICED, LIVES)
    list(campaign.look(campaign.reach.missing()))
    first = {v.mutant["after"]: v for v in campaign.run()}
    assert {after: v.state for after, v in first.items()} == {NOTICED: "killed", LIVES: "alive"}
    assert first[NOTICED].killed_by in ("tests/test_small.py::test_it", "tests/test_small.py::test_by_a_child")
    assert (tmp_path / "work/copy_0/hw/rtl/small.py").read_text() == CODE
    again = _campaign(checkout, tmp_path / "work", NOTICED, LIVES)
    again._pytest = lambda *_: pytest.fail("a known verdict needs no tests")  # type: ignore[method-assign]
    assert {v.key: v for v in again.run()} == {v.key: v for v in first.values()}
    # a new test is asked about what has lived so far, and only it
    (checkout / "tests/test_more.py").write_text(
        "from hw.rtl.small import SIZES\ndef test_size():\n    assert SIZES['small'] == 3\n"
    )
    subprocess.run(["git", "add", "-A"], cwd=checkout, check=True)
    later = _campaign(checkout, tmp_path / "work", LIVES)
    assert [name for name, _ in later.look(later.reach.missing())] == ["tests/test_more.py"]
    (verdict,) = later.run()
    assert verdict.killed_by == "tests/test_more.py::test_size"


def _runs(process: int) -> bool:
    """Whether it is there and not only waiting for somebody to ask how it ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_simulator_in_a_process_group_of_its_own_is_counted_and_ended() -> None:
    """Tests start simulators that way; one that a mistake keeps busy for ever would never meet the limit otherwise."""
    busy = "import os\nos.setpgid(0, 0)\nprint(os.getpid(), flush=True)\nwhile True:\n    pass"
    leader = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"],
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert leader.stdout is not None
    child = int(leader.stdout.readline())
    try:
        until = time.monotonic() + 30
        while campaign_module._processor_seconds(leader.pid) < 0.5 and time.monotonic() < until:
            time.sleep(0.1)
        assert campaign_module._processor_seconds(leader.pid) >= 0.5
        assert os.getpgid(child) == child != leader.pid
    finally:
        campaign_module._kill(leader.pid)
        leader.wait()
    while (running := _runs(child)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not running


EATS = "kept = [bytearray(64 << 20) for _ in range(8)]"
RESERVES = "mmap.mmap(-1, 8 << 30, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ).close()"


def test_a_mistake_that_eats_memory_is_noticed(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Address space that nobody may write is not counted: the test passes without the mistake."""
    monkeypatch.setattr(campaign_module, "MEMORY_BYTES", 300 << 20)
    (checkout / "tests/test_small.py").write_text(
        "import mmap\nfrom hw.rtl.small import small\n"
        f"def test_it():\n    {RESERVES}\n    if not small(4):\n        {EATS}\n"
    )
    campaign = _campaign(checkout, tmp_path / "work", NOTICED)
    list(campaign.look(["tests/test_small.py"]))
    (verdict,) = campaign.run()
    assert verdict.killed_by == "tests/test_small.py::test_it"


def test_what_a_test_starts_has_the_limit_of_memory_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign_module, "MEMORY_BYTES", 300 << 20)
    starts = f"import subprocess, sys; input(); sys.exit(subprocess.call([sys.executable, '-c', {EATS!r}]))"
    ended = {}
    for limited in (False, True):
        process = subprocess.Popen(
            [sys.executable, "-c", starts], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        if limited:
            campaign_module._limit_memory(process.pid)
        _, said = process.communicate("\n", timeout=60)
        ended[limited] = process.returncode, "MemoryError" in said
    assert ended == {False: (0, False), True: (1, True)}


def test_what_a_mistake_leaves_in_the_folder_of_results_is_removed(tmp_path: Path) -> None:
    for name in ("sim/old/a", "sim/old/b"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("as it was")
    held = campaign_module._files(tmp_path)
    (tmp_path / "sim/old/b").write_text("changed by the mistake")
    (tmp_path / "sim/new").mkdir()
    (tmp_path / "sim/new/c").write_text("new")
    campaign_module._restore(tmp_path, held)
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")) == ["sim", "sim/old", "sim/old/a"]


def test_probes_leave_what_a_file_does_as_it_was() -> None:
    source = b'''"""Words."""
from __future__ import annotations
import os


def f(a: int, b: int = 2) -> int:
    assert a != b, "text"
    match a:
        case 3:
            return 1
    return (a +
            b) * 2
'''
    spans = {}
    for word in (b"2) ->", b"a != b", b"3:", b"(a +\n            b) * 2", b"a +\n            b"):
        start = source.index(word)
        end = start + {b"2) ->": 1, b"3:": 1}.get(word, len(word))
        spans[start, end] = [word.decode()[:1] + str(start)]
    spans[source.index(b"assert"), source.index(b"assert")] = ["check"]
    text = probed(source, spans)
    assert text.count(b"_reached(") == 5  # none in the pattern
    noted: list[str] = []
    space: dict[str, Any] = {"_reached": noted.append}
    exec(text.replace(b"from tb.mutation.probe import reached as _reached", b""), space)
    assert space["f"](4, 6) == 20
    assert space["f"](3) == 1
    assert noted.count("check") == 2


def test_events_of_a_test_that_was_ended(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_text(
        "started\t0\ta\npassed\t1.5\ta\npassed\t0.5\ta\nended\t0\ta\n"
        "started\t0\tb\nskipped\t0\tb\nended\t0\tb\nstarted\t0\tc\npassed\t1\tc\n"
    )
    assert outcomes(path) == ({"a": 2.0, "c": 1.0}, ["c"])


def test_the_sample_is_spread_over_areas_and_repeats() -> None:
    one, again = sample(ROOT, 40, 3), sample(ROOT, 10, 3, ["rtl"])
    assert [m.key for m in one if m.area == "rtl"] == [m.key for m in again]
    assert {area: sum(m.area == area for m in one) for area in AREAS} == dict.fromkeys(AREAS, 10)
    assert len({m.path for m in one}) == 40
    assert {m.key for m in sample(ROOT, 10, 4, ["rtl"])} != {m.key for m in again}


def test_a_kept_sample_stays_and_is_filled_up_where_a_line_has_changed(checkout: Path) -> None:
    found = {m.after: m for m in mutants_of(checkout, "hw/rtl/small.py")}
    kept = [found[LIVES], found[NOTICED]]
    (checkout / "tests/data").mkdir()
    (checkout / SAMPLE).write_text(json.dumps({"7": {m.key: m.path for m in kept}}))
    assert sample(checkout, 2, 7, ["rtl"]) == kept
    more = sample(checkout, 4, 7, ["rtl"])
    assert more[:2] == kept
    assert len({m.key for m in more}) == 4
    path = checkout / "hw/rtl/small.py"
    path.write_text(CODE.replace("return value <= LIMIT", "return LIMIT >= value"))
    assert [m.key for m in sample(checkout, 2, 7, ["rtl"])][:1] == [kept[0].key]
    assert len(sample(checkout, 2, 7, ["rtl"])) == 2


def test_the_committed_sample_can_still_be_planted() -> None:
    held = json.loads((ROOT / SAMPLE).read_text())["1"]
    keys = {m.key for m in sample(ROOT, len(held), 1)}
    assert len(held) >= 300
    assert len(keys & set(held)) > 0.8 * len(held), "draw the sample anew and judge it again"
    reasons = json.loads((ROOT / REASONS).read_text())
    assert set(reasons) <= set(held)
    assert all(reason.startswith(("equivalent: ", "alive: ")) for reason in reasons.values())


def test_the_summary_counts_and_asks_for_reasons() -> None:
    mutant = Mutant(path="hw/rtl/x.py", line=1, kind="number", before="a", after="b", start=0, end=1, text="b")
    fields = {name: getattr(mutant, name) for name in ("path", "line", "kind", "before", "after")}

    def verdict(key: str, killed: str | None, ran: int = 2) -> Verdict:
        return Verdict(key=key, mutant=fields, killed_by=killed, ran=ran, reached=2, seconds=1.0)

    lines: list[str] = []
    found = [verdict("a", "tests/t.py"), verdict("b", None), verdict("c", None), verdict("d", None, 1)]
    assert summary(found, {"b": "equivalent: a spare entry"}, lines.append) == 1
    assert lines[0] == "mutants 4: 1 killed, 1 alive, 1 equivalent, 1 unsure (not all tests ran)"
    assert "33.3% of those that are not equivalent are killed" in lines[1]
    assert "        equivalent: a spare entry" in lines
