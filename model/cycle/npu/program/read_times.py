"""When words of a scratchpad are read while a copy writes others: in max-plus form, bank conflicts included."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A copy into one memory: `words` words from `base` on, `beats` each; its first beat comes in cycle `first`."""

    base: int
    words: int
    beats: int
    first: int

    @property
    def last(self) -> int:
        """Cycle in which its last word is written."""
        return self.first + self.words * self.beats - 1

    def written(self, address: int) -> int:
        """Cycle in which word `address` is written: first + (address - base + 1) beats - 1."""
        return self.first + (address - self.base + 1) * self.beats - 1


def running_max(lower: np.ndarray, interval: int = 1) -> np.ndarray:
    """The least t with t[i] >= lower[i] and t[i] >= t[i-1] + interval: max over j <= i of lower[j] + (i-j) interval."""
    ramp = interval * np.arange(len(lower))
    return ramp + np.maximum.accumulate(lower - ramp)


Reads = Sequence[tuple[np.ndarray, Sequence[Arrival]]]
"""Per memory: the address of each read, and the copies that write there."""


def read_times(lower: np.ndarray, reads: Reads, banks: int) -> np.ndarray:
    """Cycle of each read, one per cycle in order, read i not before `lower[i]` and not while its bank is written.

    With several memories a read is one of all of them at once. A read that meets a write waits one cycle, and
    everything behind it; with one bank and a word per cycle it waits for the end of the copy.
    """
    lower = lower.copy()
    at = running_max(lower)
    start = 0
    while True:
        met, until, by = len(at), 0, None
        for addresses, arrivals in reads:
            for arrival in arrivals:
                if at[start] > arrival.last or at[-1] < arrival.first:
                    continue
                hits = np.flatnonzero(meets(at[start:], addresses[start:], arrival, banks))
                if len(hits) and start + hits[0] < met:
                    met = start + int(hits[0])
                    until, by = arrival.last if banks == arrival.beats == 1 else int(at[met]), arrival
        if by is None:
            return at
        held = 1
        if len(reads) == 1 and by.beats == 2:
            held = in_step(lower[met:], reads[0][0][met:], until, (by.last - until) // 2 + 1)
            lower[met : met + held] = until + 1 + 2 * np.arange(held)
        else:
            lower[met] = until + 1
        at[met:] = running_max(lower[met:])
        start = met + held - 1


def in_step(lower: np.ndarray, addresses: np.ndarray, cycle: int, words: int) -> int:
    """How many reads in a row each meet a write, when the first does in `cycle` and `words` are written, one in two.

    A read that waited for one write is issued in the cycle between it and the next, so that a read of the word behind
    it meets the next at the same distance, unless it may only come later.
    """
    most = min(len(lower), words)
    ramp = np.arange(1, most)
    ends = np.flatnonzero((lower[1:most] > cycle + 2 * ramp) | (addresses[1:most] != addresses[0] + ramp))
    return int(ends[0]) + 1 if len(ends) else most


def meets(cycles: np.ndarray, addresses: np.ndarray, arrival: Arrival, banks: int) -> np.ndarray:
    """Whether the bank of each address is written by `arrival` in that cycle."""
    word, beat = np.divmod(cycles - arrival.first, arrival.beats)
    return (
        (beat == arrival.beats - 1)
        & (word >= 0)
        & (word < arrival.words)
        & ((arrival.base + word - addresses) % banks == 0)
    )
