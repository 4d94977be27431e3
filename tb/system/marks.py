"""Waveforms of a language run: tokens and layers as a lane of text, their ends as markers of GTKWave and as a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hw.base.file import write_atomically
from model.cycle.system.run import SystemTiming
from model.lowering.decoder.lowered import Lowered, Step
from model.work.decoding import Decoding
from tb.bench.run import Outcome
from tb.bench.wave import save_file

_NAMED = 26
"""Markers that GTKWave names."""


def marks_of(work: Decoding, lowered: Lowered, timing: SystemTiming, begun: int) -> list[tuple[int, str]]:
    """(cycle of the simulation, what ended there): every layer of every step, every step."""
    ended = timing.ended["vector"]
    found = []
    for step in lowered.steps:
        where = _name(step)
        found += [(begun + ended[t.count - 1], f"{where} layer {layer}") for layer, t in enumerate(step.layers)]
        found.append((begun + ended[step.ended.count - 1], f"{where} end"))
    return found


LANE = "o_ended_vector"
"""The port whose values are shown as texts: descriptors of the vector unit that have ended."""


def lane_of(lowered: Lowered) -> dict[int, str]:
    """Value of `LANE` -> what is worked on: a layer of a token, or what comes behind the layers."""
    found, done = {}, 0
    for step in lowered.steps:
        parts = [(f"{_name(step)} layer {layer}", token.count) for layer, token in enumerate(step.layers)]
        for what, end in [*parts, (f"{_name(step)} output", step.ended.count)]:
            found |= dict.fromkeys(range(done, end), what)
            done = end
    return found | {done: "end"}


def _name(step: Step) -> str:
    """The tokens of a step."""
    return f"token {step.first}" if step.tokens == 1 else f"tokens {step.first} to {step.first + step.tokens - 1}"


def save_of(outcome: Outcome) -> Path:
    """The save file of a run."""
    return outcome.folder / "decoder.gtkw"


def write_marks(
    manifest: Mapping[str, Any], outcome: Outcome, marks: list[tuple[int, str]], lane: Mapping[int, str]
) -> Path:
    """The save file with the lane and the last markers that have names, and all of them in `marks.csv`."""
    assert outcome.trace is not None
    write_atomically(outcome.folder / "marks.csv", "cycle,ended\n" + "".join(f"{at},{what}\n" for at, what in marks))
    path = save_file(manifest, outcome.trace, save_of(outcome), names={LANE: lane})
    named = marks[-_NAMED:]
    places = " ".join(str(at) for at, _ in named) + " -1" * (_NAMED - len(named))
    lines = [f"*-16.000000 {named[0][0]} {places}"]
    lines += [f"[markername] {chr(ord('A') + i)}{what}" for i, (_, what) in enumerate(named)]
    write_atomically(path, path.read_text() + "\n".join(lines) + "\n")
    return path
