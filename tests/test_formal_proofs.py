"""The proofs: every bug can be planted, nothing of it stays, and the solver tells right from wrong."""

import sys
from pathlib import Path

import pytest

from hw import formal
from hw.base.error import InputError
from hw.formal import Bug, planted
from tb import formal as runner

ALL = formal.names()


@pytest.mark.parametrize("name", ALL)
def test_every_proof_has_a_bug_that_changes_the_design(name: str) -> None:
    proof = formal.load(name)
    assert proof.bugs
    right = runner.emit(proof, None)
    wrong = {runner.emit(proof, bug) for bug in proof.bugs}
    assert right not in wrong
    assert len(wrong) == len(proof.bugs)
    assert runner.emit(proof, None) == right


def test_proofs_cover_queues_array_commands_and_rounding() -> None:
    required = {"skid", "fifo", "cell", "load_swap_2", "load_swap_3", "command_queue", "requantise_exact_rne"}
    assert required <= set(ALL)


def test_a_planted_bug_leaves_with_its_block() -> None:
    import hw.rtl.common.skid as before

    bug = formal.load("skid").bugs[0]
    with planted(bug):
        from hw.rtl.common.skid import SkidBuffer as Wrong

        assert Wrong is not before.SkidBuffer
    import hw.rtl.common.skid as after

    assert after is before
    assert sys.modules["hw.rtl.common.skid"] is before


def test_a_bug_whose_text_is_gone_is_an_error() -> None:
    bug = Bug(name="stale", module="hw.rtl.common.skid", before="no such text", after="")
    with pytest.raises(InputError, match=r"must occur once in hw\.rtl\.common\.skid, not 0 times"), planted(bug):
        pass


@pytest.mark.formal
def test_the_skid_buffer_is_proved_and_its_bugs_are_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "BUILD", tmp_path)
    checks = runner.prove("skid")
    assert {check.kind for check in checks} == {"bounded", "inductive", "cover"}
    assert all(check.good and not check.cached for check in checks)
    again = runner.prove("skid")
    assert all(check.good and check.cached for check in again)
    assert [check.bug for check in again if check.bug] == [bug.name for bug in formal.load("skid").bugs]


@pytest.mark.formal
@pytest.mark.parametrize("name", ["cell", "load_swap_2", "requantise_gemmlowp"])
def test_quick_proofs_hold_and_catch_their_bugs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "BUILD", tmp_path)
    checks = runner.prove(name)
    assert all(check.good for check in checks), [check.sentence for check in checks]
