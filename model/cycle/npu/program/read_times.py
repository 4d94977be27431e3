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
        met, until = len(at), 0
        for addresses, arrivals in reads:
            for arrival in arrivals:
                if at[start] > arrival.last or at[-1] < arrival.first:
                    continue
                hits = np.flatnonzero(meets(at[start:], addresses[start:], arrival, banks))
                if len(hits) and start + hits[0] < met:
                    met = start + int(hits[0])
                    until = arrival.last if banks == arrival.beats == 1 else int(at[met])
        if met == len(at):
            return at
        lower[met] = until + 1
        at[met:] = running_max(lower[met:])
        start = met


def meets(cycles: np.ndarray, addresses: np.ndarray, arrival: Arrival, banks: int) -> np.ndarray:
    """Whether the bank of each address is written by `arrival` in that cycle."""
    word, beat = np.divmod(cycles - arrival.first, arrival.beats)
    return (
        (beat == arrival.beats - 1)
        & (word >= 0)
        & (word < arrival.words)
        & ((arrival.base + word - addresses) % banks == 0)
    )
