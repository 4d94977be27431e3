"""What other simulators count for one GEMM with ideal memory: one file per simulator.

Each module exports `SIMULATOR`; its closed form follows from the tool's published rules (named in the module)
and every count comes as a list of terms, so that the term that makes the difference to our own count can be shown.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from hw.base import catalog
from hw.base.error import InputError
from hw.base.integer import ceil_div
from model.work.workload import LARGEST, Gemm

Dataflow = Literal["ws", "os", "is"]
"""Weight-, output- or input-stationary."""

Label = Literal["prepare", "load", "fill", "stream", "drain", "bubble", "stall"]
"""prepare: a command is decoded; load: the stationary operand moves in; fill: skew until the last cell has work or
results cross the array; stream: one step per item of a fold; drain: finished results leave; bubble: cells wait
inside the array; stall: cells wait for memory."""

LABELS: tuple[Label, ...] = get_args(Label)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A summand of a count: `cycles` spent on `name`, of the kind `label`."""

    name: str
    label: Label
    cycles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A count of another simulator, term by term; `reported` is what its own report prints.

    Parameters
    ----------
    terms : tuple of Term
        What adds up to its cycles.
    report_offset : int
        What its report prints minus the sum of the terms; 0 if it prints the sum.
    """

    terms: tuple[Term, ...]
    report_offset: int = 0

    @property
    def cycles(self) -> int:
        """Sum of all terms."""
        return sum(term.cycles for term in self.terms)

    @property
    def reported(self) -> int:
        """The number in the tool's report (SCALE-Sim prints the index of the last cycle, one less)."""
        return self.cycles + self.report_offset

    def by_label(self) -> dict[Label, int]:
        """Cycles by label, labels without cycles left out."""
        sums: dict[Label, int] = {label: sum(t.cycles for t in self.terms if t.label == label) for label in LABELS}
        return {label: cycles for label, cycles in sums.items() if cycles}


LARGEST_ARRAY = 1 << 20
"""The largest side of an array that is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """A 2-D convolution of one image: `height` x `width` x `channels` in, `filters` channels out.

    Parameters
    ----------
    name : str
        What the layer is called in the work it comes from.
    height, width : int
        Pixels of the input, without padding.
    channels, filters : int
        Channels of the input and of the output.
    kernel_height, kernel_width : int
        Pixels of the input under the kernel; at most those of the padded input.
    stride : int
        Pixels the kernel moves by, down and across alike.
    padding : int
        Pixels added on each of the four sides; 0: none.
    """

    name: str
    height: int
    width: int
    channels: int
    filters: int
    kernel_height: int
    kernel_width: int
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        for field in ("height", "width", "channels", "filters", "kernel_height", "kernel_width", "stride"):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{field} of a convolution must be an integer of at least 1, not {value!r}")
        if isinstance(self.padding, bool) or not isinstance(self.padding, int) or self.padding < 0:
            raise InputError(f"padding of a convolution must be an integer of at least 0, not {self.padding!r}")
        largest = max(self.height, self.width, self.channels, self.filters, self.stride, self.padding)
        if largest > LARGEST:
            raise InputError(f"sizes of a convolution must be at most {LARGEST}, not {largest}; cut the work")
        if self.kernel_height > self.height + 2 * self.padding or self.kernel_width > self.width + 2 * self.padding:
            raise InputError(
                f"the kernel {self.kernel_height}x{self.kernel_width} must fit the padded input "
                f"{self.height + 2 * self.padding}x{self.width + 2 * self.padding}; add padding or shrink it"
            )

    @property
    def output_height(self) -> int:
        """Rows of the output: floor((height + 2 padding - kernel_height) / stride) + 1."""
        return (self.height + 2 * self.padding - self.kernel_height) // self.stride + 1

    @property
    def output_width(self) -> int:
        """Columns of the output, by the same rule."""
        return (self.width + 2 * self.padding - self.kernel_width) // self.stride + 1

    def gemm(self) -> Gemm:
        """The GEMM of the implicit im2col: M = output pixels, N = filters, K = kernel area x channels."""
        return Gemm(
            name=self.name,
            m=self.output_height * self.output_width,
            n=self.filters,
            k=self.kernel_height * self.kernel_width * self.channels,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """Another simulator: how it counts one GEMM on `rows` x `columns` cells.

    Parameters
    ----------
    title : str
        Name and version.
    dataflows : tuple of Dataflow
        What it can express; for others `count` gives None.
    rule : callable
        (gemm, rows, columns, dataflow) -> Estimate of ONE product, or None if the tool refuses the array.
    lower : callable
        The GEMM it makes of a convolution.
    convolution : callable or None
        (convolution, rows, columns, dataflow) -> Estimate, for tools that do not make one GEMM of it.
    note : str
        What a reader must know before comparing.
    """

    title: str
    dataflows: tuple[Dataflow, ...]
    rule: Callable[[Gemm, int, int, Dataflow], Estimate | None]
    lower: Callable[[Convolution], Gemm] = Convolution.gemm
    convolution: Callable[[Convolution, int, int, Dataflow], Estimate | None] | None = None
    note: str = ""

    def count(self, gemm: Gemm, rows: int, columns: int, dataflow: Dataflow) -> Estimate | None:
        """The count for all `gemm.count` products, one after the other; None if the tool cannot do it."""
        check_array(rows, columns)
        if dataflow not in self.dataflows:
            return None
        return repeat(self.rule(gemm, rows, columns, dataflow), gemm.count)

    def count_convolution(self, work: Convolution, rows: int, columns: int, dataflow: Dataflow) -> Estimate | None:
        """The count for a convolution, lowered the tool's own way; None if the tool cannot do it."""
        check_array(rows, columns)
        if dataflow not in self.dataflows:
            return None
        if self.convolution is not None:
            return self.convolution(work, rows, columns, dataflow)
        return self.count(self.lower(work), rows, columns, dataflow)


def repeat(estimate: Estimate | None, times: int) -> Estimate | None:
    """`estimate` for the same work done `times` times, one after the other."""
    if estimate is None or times == 1:
        return estimate
    return Estimate(
        terms=tuple(Term(name=t.name, label=t.label, cycles=t.cycles * times) for t in estimate.terms),
        report_offset=estimate.report_offset * times,
    )


def check_array(rows: int, columns: int) -> None:
    """Raise `InputError` unless both sizes are integers from 1 to `LARGEST_ARRAY`."""
    for name, value in (("rows", rows), ("columns", columns)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{name} must be an integer of at least 1, not {value!r}")
        if value > LARGEST_ARRAY:
            raise InputError(f"{name} must be at most {LARGEST_ARRAY}, not {value}; no array is larger")


def folds(gemm: Gemm, rows: int, columns: int, dataflow: Dataflow) -> tuple[int, int]:
    """(number of folds, items streamed through one).

    ws: rows hold K, columns N, M streams. is: rows K, columns M, N streams. os: rows M, columns N, K streams.
    """
    across_rows, across_columns, items = {
        "ws": (gemm.k, gemm.n, gemm.m),
        "is": (gemm.k, gemm.m, gemm.n),
        "os": (gemm.m, gemm.n, gemm.k),
    }[dataflow]
    return ceil_div(across_rows, rows) * ceil_div(across_columns, columns), items


def names() -> list[str]:
    """The names of all simulators."""
    return catalog.names(sys.modules[__name__])


def load(name: str) -> Simulator:
    """The simulator called `name`; raises `InputError` listing the known ones."""
    return catalog.load(sys.modules[__name__], "SIMULATOR", name, "simulator")
