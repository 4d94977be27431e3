"""The AXI4 and AXI4-Lite edge of a core: parameters of the master, what the constant registers hold."""

from dataclasses import dataclass
from typing import get_args

from hw.base.error import InputError
from hw.spec.core import CoreSpec, RoundingMode
from hw.spec.dma import DmaSpec
from hw.spec.number import OPERAND_CODES
from hw.spec.register import IDENTITY, MAP_VERSION, capability_values, counter_meanings

PAGE_BYTES = 4096
"""No burst crosses a multiple of this."""

OUTPUT_CODES = {**OPERAND_CODES, "fp32": 7}
"""Number format -> its code in the register `formats`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AxiSpec:
    """The one AXI4 port all copy channels of a core share.

    Parameters
    ----------
    burst_beats : int
        Most beats of a burst, 1 to 256.
    outstanding : int
        Bursts each read channel, and the write channel, may have unanswered, 1 to 64; times `burst_beats` it should
        exceed the latency.
    prot : int
        AxPROT of every access: bit 0 privileged, 1 non-secure, 2 instruction.
    cache : int
        AxCACHE of every access; 3 is normal, non-cacheable, bufferable memory.
    """

    burst_beats: int = 16
    outstanding: int = 8
    prot: int = 0
    cache: int = 3

    def __post_init__(self) -> None:
        for field, least, most in (("burst_beats", 1, 256), ("outstanding", 1, 64), ("prot", 0, 7), ("cache", 0, 15)):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise InputError(f"{field} must be an integer from {least} to {most}, not {value!r}")


def check_width(dma: DmaSpec) -> None:
    """Raise `InputError` if a beat of `dma` is not as wide as an AXI4 data bus can be."""
    size = dma.bytes_per_cycle
    if size & (size - 1) or size > 128:
        raise InputError(f"bytes_per_cycle of a core behind AXI4 must be a power of two from 1 to 128, not {size}")


def capabilities(core: CoreSpec, axi: AxiSpec, build: int = 0) -> dict[str, int]:
    """Constant register -> its word, from which a driver learns what it drives; `build` is the 64-bit build digest."""
    array, dma = core.array, core.dma
    assert dma is not None
    return capability_values(
        {
            "identity": IDENTITY,
            "version": {"major": MAP_VERSION[0], "minor": MAP_VERSION[1]},
            "build_low": build & 0xFFFF_FFFF,
            "build_high": build >> 32,
            "array": {"rows": array.rows, "columns": array.columns},
            "formats": {
                "activation": OUTPUT_CODES[array.activation_format],
                "weight": OUTPUT_CODES[array.weight_format],
                "output": OUTPUT_CODES[core.output_format],
                "rounding": get_args(RoundingMode).index(core.rounding_mode),
            },
            "features": {
                "output_stationary": int(array.dataflow == "os"),
                "convolution": int(core.convolution),
                "saturate": int(core.saturate),
                "double_buffer": int(array.weight_double_buffer),
                "mac_latency": array.mac_latency,
            },
            "activation_words": core.activation_words,
            "weight_words": core.weight_words,
            "accumulator_rows": core.accumulator_rows,
            "output_words": core.output_words,
            "parameter_words": core.parameter_words,
            "queues": {"commands": core.command_entries, "counters": len(counter_meanings())},
            "port": {"bytes": dma.bytes_per_cycle, "burst": axi.burst_beats, "outstanding": axi.outstanding},
            "external_beats": dma.external_beats,
        }
    )
