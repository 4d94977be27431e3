"""Waveforms of a language run: where tokens and layers end, as markers of GTKWave and as a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hw.base.file import write_atomically
from model.cycle.system.run import SystemTiming
from model.lowering.decoder.lower import Lowered
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
        where = f"token {step.first}" if step.tokens == 1 else f"tokens {step.first} to {step.first + step.tokens - 1}"
        found += [(begun + ended[t.count - 1], f"{where} layer {layer}") for layer, t in enumerate(step.layers)]
        found.append((begun + ended[step.ended.count - 1], f"{where} end"))
    return found


def save_of(outcome: Outcome) -> Path:
    """The save file of a run."""
    return outcome.folder / "decoder.gtkw"


def write_marks(manifest: Mapping[str, Any], outcome: Outcome, marks: list[tuple[int, str]]) -> Path:
    """The save file with the last markers that have names, and all of them in `marks.csv`."""
    assert outcome.trace is not None
    write_atomically(outcome.folder / "marks.csv", "cycle,ended\n" + "".join(f"{at},{what}\n" for at, what in marks))
    path = save_file(manifest, outcome.trace, save_of(outcome))
    named = marks[-_NAMED:]
    places = " ".join(str(at) for at, _ in named) + " -1" * (_NAMED - len(named))
    lines = [f"*-16.000000 {named[0][0]} {places}"]
    lines += [f"[markername] {chr(ord('A') + i)}{what}" for i, (_, what) in enumerate(named)]
    write_atomically(path, path.read_text() + "\n".join(lines) + "\n")
    return path
