"""Passes and blocks of columns that run as the ones before them, in the closed form of programs.

Between copies the form is a recurrence of maxima and sums: a state that is met again, seen from the present cycle, goes
on as it did, so that what is left is a product instead of a loop. It shares no code with the stepped model.
"""

from typing import NamedTuple, Protocol

import numpy as np

from hw.spec.core import OUTPUT_ROWS, PASS_ENTRIES, CoreSpec


class Form(Protocol):
    """What of the closed form decides how a pass goes on, and what it counts."""

    core: CoreSpec
    labels: dict[str, int]
    emitted: int
    released: int
    allocated: int
    ends: list[int]
    drained: np.ndarray
    left: np.ndarray
    refused: list[tuple[int, int]]


class Mark(NamedTuple):
    """A moment: what decides, seen from the last row issued; the cycle of that row; the labels so far."""

    state: tuple[object, ...]
    end: int
    labels: dict[str, int]


def after_pass(form: Form) -> Mark:
    """Behind a pass between the first and the last K block: no row is finished by the next."""
    end = form.ends[-1]
    ends = [cycle - end for cycle in form.ends[-PASS_ENTRIES:]]
    return Mark((form.emitted - end, form.released - end, *ends), end, dict(form.labels))


def after_block(form: Form) -> Mark:
    """Behind the last pass of a block of columns: rows that hold accumulators or leave decide, too."""
    mark, end = after_pass(form), form.ends[-1]
    held = max(0, form.allocated - form.core.accumulator_rows)  # rows before this one decide nothing any more
    rows = (form.drained[held:] - end).tobytes(), (form.left[max(0, len(form.left) - OUTPUT_ROWS) :] - end).tobytes()
    return mark._replace(state=(*mark.state, form.allocated - held, len(form.refused), *rows))


def repeat_passes(form: Form, before: Mark, now: Mark, times: int) -> int:
    """`times` further passes, each as the one between the two marks; the same number."""
    later = now.end - before.end
    form.ends += [now.end + later * (i + 1) for i in range(times)]
    _count(form, before, now, times)
    return times


def repeat_blocks(form: Form, before: Mark, now: Mark, times: int, *, rows: int, passes: int) -> np.ndarray:
    """`times` further blocks of `rows` rows and `passes` passes, each as the one between the two marks; the cycle in
    which each row leaves, times x rows."""
    later = (now.end - before.end) * np.arange(1, times + 1)[:, None]
    leaving = form.left[-rows:] + later
    form.drained = np.concatenate((form.drained, (form.drained[-rows:] + later).ravel()))
    form.left = np.concatenate((form.left, leaving.ravel()))
    form.ends += (np.array(form.ends[-passes:]) + later).ravel().tolist()
    form.allocated += times * rows
    _count(form, before, now, times)
    return leaving


def _count(form: Form, before: Mark, now: Mark, times: int) -> None:
    later = times * (now.end - before.end)
    form.emitted += later
    form.released += later
    for label, cycles in now.labels.items():
        form.labels[label] += times * (cycles - before.labels[label])
