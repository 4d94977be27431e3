"""What moved between two states: found, measured and traced to what did it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import model.cli
from hw.base.command_line import main
from hw.base.error import InputError
from hw.base.place import measurements
from model.compare.move import compare
from model.compare.state import Run, State, Value, read


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main("model", model.cli, ["compare", *words])
    return code, *capsys.readouterr()


def value(nominal: float, *, spread: float = 0.0, formula: str = "fact", inputs: tuple[str, ...] = ()) -> Value:
    return Value(unit="W", nominal=nominal, low=nominal - spread, high=nominal + spread, formula=formula, inputs=inputs)


def site(cards: float, each: float, formula: str = "cards * each") -> State:
    """A report of one figure on another and two inputs."""
    total = cards * each if formula == "cards * each" else cards + each
    return State(
        title="a report",
        values={
            "site": value(total, spread=1.0, formula="load", inputs=("load",)),
            "load": value(total, formula=formula, inputs=("cards", "each")),
            "other": value(3.0, formula="cards", inputs=("each",)),
            "cards": value(cards),
            "each": value(each),
        },
    )


def test_a_figure_is_traced_to_the_input_that_moved_it() -> None:
    moves = compare(site(10, 5), site(10, 6))
    assert [m.name for m in moves] == ["load", "site"]
    assert [m.by for m in moves] == pytest.approx([0.2, 0.2])
    assert all(m.causes == ("each: 5 -> 6 W",) for m in moves)
    assert moves[1].inside is False
    assert moves[0].inside is None


def test_a_figure_is_traced_to_the_rule_that_moved_it() -> None:
    (load, top) = compare(site(10, 5), site(10, 5, "cards + each"))
    assert load.causes == top.causes == ("rule load: cards * each -> cards + each",)


def test_the_largest_input_comes_first_and_a_range_is_a_cause_of_its_own() -> None:
    old, new = site(10, 5), site(20, 6)
    assert compare(old, new)[0].causes == ("cards: 10 -> 20 W", "each: 5 -> 6 W")
    load = value(50, spread=20, formula="cards * each", inputs=("cards", "each"))
    wider = State(title="", values={**old.values, "each": value(5, spread=2), "load": load})
    (move,) = compare(old, wider)
    assert move.by == 0
    assert move.causes == ("each: range 5 to 5 -> 3 to 7 W",)


def test_what_came_and_what_went_is_said() -> None:
    old, new = site(1, 1), site(1, 1)
    new = State(title="", values={name: v for name, v in new.values.items() if name != "other"})
    (gone,) = compare(old, new)
    assert (gone.name, gone.new, gone.causes) == ("other", None, ("the figure is gone",))
    (came,) = compare(new, old)
    assert (came.old, came.causes) == (None, ("a new figure",))


def test_a_record_is_traced_to_what_it_was_made_of() -> None:
    def state(cycles: int, chip: str, commit: str = "a") -> State:
        return State(
            title="", runs={"x/y.1.rtl": Run(numbers={"cycles": cycles}, made_of={"chip": chip}, commit=commit)}
        )

    (move,) = compare(state(100, "one"), state(150, "two"))
    assert (move.by, move.causes) == (0.5, ("chip one -> two",))
    (move,) = compare(state(100, "one", "aa"), state(99, "one", "bb"))
    assert move.causes == ("rules of the model: commit aa -> bb",)
    assert compare(state(100, "one"), state(100, "two")) == []


def test_a_report_and_records_are_not_compared() -> None:
    with pytest.raises(InputError, match="two reports or two sets of records must be compared"):
        compare(site(1, 1), State(title="records", runs={"r": Run(numbers={"cycles": 1}, made_of={})}))


def test_committed_records_are_equal_to_themselves_and_a_changed_one_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(measurements(), tmp_path / "new")
    path = tmp_path / "new" / "npu_16" / "digits.1.rtl.json"
    document = json.loads(path.read_text())
    document["result"]["cycles"] += 953
    path.write_text(json.dumps(document))
    code, out, _ = run(capsys, str(measurements()), str(tmp_path / "new"), "--json", "--most", "5")
    assert code == 1
    found = json.loads(out)
    assert found["compared"] > 1000
    (move,) = found["moves"]
    assert (move["name"], move["old"], move["new"]) == ("npu_16/digits.1.rtl cycles", 9531, 9531 + 953)
    assert run(capsys, str(measurements()), str(tmp_path / "new"), "--most", "11")[0] == 0
    assert run(capsys, str(measurements()), str(measurements()))[1].startswith(f"{measurements()} -> ")


def test_a_commit_is_read_as_its_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(measurements() / "npu_16", tmp_path / "measurements" / "npu_16")
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    monkeypatch.setattr("hw.base.place.checkout", lambda what: tmp_path)
    assert read("HEAD").runs == read(str(measurements() / "npu_16")).runs


def test_a_written_report_is_equal_to_itself(summary_json: str, tmp_path: Path) -> None:
    """The report's own figures and inputs are read back: every input of every figure is there."""
    (tmp_path / "report.json").write_text(summary_json)
    state = read(str(tmp_path))
    assert len(state.values) > 100
    assert all(name in state.values for v in state.values.values() for name in v.inputs)
    assert compare(state, state) == []


@pytest.fixture
def summary_json() -> str:
    from hw import chips
    from model.report.data import render_json
    from model.report.summary import summarise

    chip = chips.load("npu_16")
    return render_json(summarise("npu_16", chip, "digits", 1, chips.load_all()[0]))


@pytest.mark.parametrize(
    ("old", "sentence"),
    [
        ("nonesuch", "must be a report, a folder of records or a commit with records, not 'nonesuch'"),
        ("--output=x", "must be a report"),
        ("{tmp}/empty", "must hold records, it holds none"),
        ("{tmp}/broken.json", "must be JSON, it is not"),
        ("{tmp}/list.json", "must be a report.json with figures and inputs"),
    ],
)
def test_bad_sides_are_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, sentence: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "list.json").write_text("[]")
    words = ["--"] if old.startswith("--") else []
    code, _, error = run(capsys, *words, old.format(tmp=tmp_path), str(measurements()))
    assert code == 2
    assert sentence in error
    assert error.count("\n") == 1
