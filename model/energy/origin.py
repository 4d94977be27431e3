"""What a measured energy table was measured on, and what of it has changed since."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from hw.base import place
from hw.base.digest import digest
from hw.base.error import InputError
from hw.spec.core import CoreSpec

ROOT = place.SOURCE
RTL_FILES = (
    "hw/rtl/npu/cell.py",
    "hw/rtl/npu/mac_array.py",
    "hw/rtl/npu/accumulator.py",
    "hw/rtl/npu/output_stage.py",
    "hw/rtl/arithmetic/rounding.py",
)
"""Sources of the blocks that are priced at the gates. Registers, queues and copy channels are not among them: a new
status register does not change what a cell costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOrigin:
    """What a measured table was measured on: it holds for those blocks, those cells and no other.

    Parameters
    ----------
    chip : str
        The chip whose core the gates were synthesised from.
    blocks_digest : str
        `blocks_digest` of that core.
    covers : tuple of str
        Parts of the core that were priced at the gates; everything else is another table's.
    liberty, liberty_digest : str
        The cell library's file below the project's root, and the first 16 hex digits of its SHA-256.
    rtl : dict of str to str
        Source file of the priced blocks below the root to its digest, as above.
    verilog_digest : str
        Of the whole core's Verilog that moved the operands; for information.
    netlists : dict of str to str
        Block to digest of its netlist.
    """

    chip: str
    blocks_digest: str
    covers: tuple[str, ...]
    liberty: str
    liberty_digest: str
    rtl: Mapping[str, str]
    verilog_digest: str
    netlists: Mapping[str, str]

    def __post_init__(self) -> None:
        if not self.covers:
            raise InputError(f"a measured energy table must say what it covers, that of {self.chip} covers nothing")

    def changes(self) -> list[str]:
        """What is no longer as it was measured, each as "what it was of, what is now"."""
        now = {path: file_digest(path) for path in (self.liberty, *self.rtl)}
        found = []
        if now[self.liberty] != self.liberty_digest:
            found.append(f"is of cells {self.liberty_digest}, the library is now {now[self.liberty]}")
        found += [
            f"is of {path} {was}, the file is now {now[path]}" for path, was in self.rtl.items() if now[path] != was
        ]
        return found


def blocks_digest(core: CoreSpec) -> str:
    """Digest of what of `core` the priced blocks are made from: array, rounding, output format. Sizes of memories and
    queues leave it alone."""
    return digest((core.array, core.rounding_mode, core.output_format, core.saturate))


def file_digest(path: str) -> str:
    """First 16 hex digits of the SHA-256 of a file below the project's root; "none" if there is none."""
    file = ROOT / path
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.is_file() else "none"
