"""The memory side of a core: copy channels, banks and the external memory they reach."""

from dataclasses import dataclass

from hw.base.error import InputError
from hw.base.integer import ceil_div

COPY_ENTRIES = 4
"""Copies a channel holds: one moves data, the next has its request out, two wait."""

HOLDS = ("activation", "weight", "parameter", "output", "row")
"""What a stall pattern may hold: the four channels of the external memory, and the receiver of finished rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DmaSpec:
    """Copy channels between an external memory and the scratchpads.

    There is one read channel each for activations, weights and parameters, and one write channel for outputs.
    A channel moves one beat per cycle; a memory word takes as many whole beats as it needs.

    Parameters
    ----------
    bytes_per_cycle : int
        Width of each channel: bytes of one beat.
    latency_cycles : int
        From the acceptance of a read request to its first beat, at least 1. Writes are posted: a word is
        written in the cycle in which its last beat is accepted.
    external_beats : int
        Size of the external memory that is simulated with the core.
    banks : int
        Banks of the activation and of the weight memory, by the low address bits; a power of two. A read
        waits while its bank is written.
    """

    bytes_per_cycle: int = 16
    latency_cycles: int = 32
    external_beats: int = 1 << 16
    banks: int = 16

    def __post_init__(self) -> None:
        for field, most in (("bytes_per_cycle", 1024), ("latency_cycles", 4096), ("external_beats", 1 << 28)):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
                raise InputError(f"{field} must be an integer from 1 to {most}, not {value!r}")
        banks = self.banks
        if isinstance(banks, bool) or not isinstance(banks, int) or banks < 1 or banks & (banks - 1):
            raise InputError(f"banks must be a power of two, not {banks!r}")

    def beats(self, bits: int) -> int:
        """Beats of one memory word of `bits` bits."""
        return ceil_div(bits, 8 * self.bytes_per_cycle)
