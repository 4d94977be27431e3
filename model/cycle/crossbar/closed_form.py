"""Cycles of a crossbar core in closed form, if nothing outside stalls it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hw.spec.crossbar import CrossbarSpec
from hw.spec.crossbar_command import LayerCommand
from hw.spec.crossbar_event import LABELS
from model.count import Counts
from model.cycle.crossbar.counts import layer_counts, refusal

EXIT = 6
"""Cycles from the last beat of a word to its exit: merge, adder, three of output stage, queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossbarTiming:
    """What a program takes.

    Parameters
    ----------
    cycles : int
        Busy cycles.
    budget : mapping of str to int
        Label of `LABELS` -> cycles; sums to `cycles`.
    counts : Counts
        Events that shapes decide.
    """

    cycles: int
    budget: Mapping[str, int]
    counts: Counts


def sequence_labels(spec: CrossbarSpec) -> dict[str, int]:
    """Label -> cycles of computing one vector; sums to `spec.compute_cycles`."""
    planes = spec.planes
    if spec.sample_and_hold:
        front, back = spec.wordline_cycles + spec.settle_cycles, spec.steps * spec.adc_cycles
        # while a plane is converted the next one stands; what is left over shows at the end of its settling
        gap = (planes - 1) * max(front - back, 0)
        tail = min(spec.settle_cycles, max(front - back, 0)) * (planes - 1)
        return {
            "word_line": spec.wordline_cycles + gap - tail,
            "settle": spec.settle_cycles + tail,
            "convert": planes * back,
        }
    return {
        "word_line": planes * spec.wordline_cycles,
        "settle": planes * spec.steps * spec.settle_cycles,
        "convert": spec.sensing_cycles,
    }


def layer_form(spec: CrossbarSpec, command: LayerCommand) -> CrossbarTiming:
    """One command by itself.

    With T compute_cycles, D = row_tiles * column_tiles * drain_beats beats, W = row_tiles * load_beats words and b = 1
    from the buffer, 0 from the stream (a word of the buffer lands a cycle after it was asked for):

        first vector taken over  s = W + 1 + b     (cycle 0 decodes)
        next                     s' = s + max(T + D + 2, 1 + W + b)              double buffer
                                 s' = s + T + max(D + 2, 1 + W + b)              without
        end                      last s + T + D + 8

    """
    if refusal(spec, command):
        labels = {"prepare": 1}
        counts = Counts({"command.accept": 1, "command.refuse": 1})
        return _timing(labels, counts)
    compute = spec.compute_cycles
    beats = command.row_tiles * command.column_tiles * spec.drain_beats
    words = command.row_tiles * spec.load_beats
    lands = 0 if command.from_stream else 1
    first, repeats = words + 1 + lands, command.vectors - 1
    period = (
        max(compute + beats + 2, 1 + words + lands)
        if spec.double_buffer
        else compute + max(beats + 2, 1 + words + lands)
    )
    cycles = first + repeats * period + compute + beats + 2 + EXIT
    labels = {label: n * command.vectors for label, n in sequence_labels(spec).items()}
    # after a vector that is followed by another: last codes, beats, then words on their way out until the next starts
    idle = period - compute  # from the end of one computation to the start of the next
    out = min(beats + 1 + EXIT, idle)  # the last word leaves EXIT cycles after its beat
    labels["drain"] = repeats * out + beats + 1 + EXIT
    labels["load"] = first + repeats * (idle - out)
    labels["prepare"] = 1
    return _timing(labels, layer_counts(spec, command), cycles)


def program_form(spec: CrossbarSpec, commands: Sequence[LayerCommand]) -> CrossbarTiming:
    """Commands queued together: they run one after the other, so everything adds up."""
    labels, counts = dict.fromkeys(LABELS, 0), Counts()
    for command in commands:
        timing = layer_form(spec, command)
        labels = {label: labels[label] + timing.budget[label] for label in labels}
        counts = counts + timing.counts
    return _timing(labels, counts)


def programming_cycles(spec: CrossbarSpec, pulses: Sequence[int]) -> int:
    """Busy cycles of writing cells that need `pulses` each: n (write_cycles + verify_cycles), idle between."""
    return sum(pulses) * (spec.write_cycles + spec.verify_cycles)


def _timing(labels: Mapping[str, int], counts: Counts, cycles: int | None = None) -> CrossbarTiming:
    budget = {label: labels.get(label, 0) for label in LABELS}
    total = sum(budget.values())
    if cycles is not None and cycles != total:
        raise AssertionError(f"labels sum to {total}, not {cycles}")
    return CrossbarTiming(cycles=total, budget=budget, counts=counts)
