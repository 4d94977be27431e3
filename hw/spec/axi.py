"""The AXI4 and AXI4-Lite edge of a core: parameters of the master, register map of the shim."""

from dataclasses import dataclass

from hw.spec.command import command_bits
from hw.spec.dma import DmaSpec
from hw.spec.error import InputError

PAGE_BYTES = 4096
"""No burst crosses a multiple of this."""

WORD_BITS = 32
"""Width of a register."""

IDENTITY = 0x4E505531
"""Value of `identity`: "NPU1"."""

COMMAND_WORDS = -(-command_bits() // WORD_BITS)

REGISTERS: dict[str, int] = {
    "identity": 0x00,
    "status": 0x04,
    "completed": 0x08,
    "refused": 0x0C,
    "control": 0x10,
    "base_low": 0x18,
    "base_high": 0x1C,
    "command": 0x20,
    "counters": 0x100,
}
"""Register, or first of a series -> byte offset; `docs/axi.md` says what each does."""

STATUS_BITS: dict[str, int] = {"busy": 0, "room": 1, "read_error": 2, "write_error": 3, "refusal": 4}
"""Lowest bit of each field of `status`; `refusal` has four bits."""

CONTROL_BITS: dict[str, int] = {"clear_counters": 0, "clear_errors": 1}
"""Bits of `control` that act when 1 is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AxiSpec:
    """The one AXI4 port all copy channels of a core share.

    Parameters
    ----------
    burst_beats : int
        Most beats of a burst, 1 to 256.
    outstanding : int
        Read bursts each channel may have asked for, 1 to 64; times `burst_beats` it should exceed the latency.
    """

    burst_beats: int = 16
    outstanding: int = 8

    def __post_init__(self) -> None:
        for field, most in (("burst_beats", 256), ("outstanding", 64)):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
                raise InputError(f"{field} must be an integer from 1 to {most}, not {value!r}")


def check_width(dma: DmaSpec) -> None:
    """Raise `InputError` if a beat of `dma` is not as wide as an AXI4 data bus can be."""
    size = dma.bytes_per_cycle
    if size & (size - 1) or size > 128:
        raise InputError(f"bytes_per_cycle of a core behind AXI4 must be a power of two from 1 to 128, not {size}")
