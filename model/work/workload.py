"""What a chip is asked to do: shapes for the cycle model, jobs with operands for the RTL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from hw.base.error import InputError
from hw.spec.command import Command, Copy, Fence, Geometry
from hw.spec.core import CoreSpec

LARGEST = 1 << 40
"""The largest size of a product: beyond it lies no machine, and counts that search factors would not end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gemm:
    """`count` matrix products of (m x k) by (k x n): m activation rows, n output columns, k terms each.

    Raises `InputError` for a size that is no integer from 1 to `LARGEST`.

    Parameters
    ----------
    name : str
        For people and error messages.
    m, n, k : int
        Activation rows, output columns, terms of each sum.
    """

    name: str
    m: int
    n: int
    k: int
    count: int = 1

    def __post_init__(self) -> None:
        for field in ("m", "n", "k", "count"):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{field} of GEMM {self.name!r} must be an integer of at least 1, not {value!r}")
            if value > LARGEST:
                raise InputError(f"{field} of GEMM {self.name!r} must be at most {LARGEST}, not {value}; cut the work")

    @property
    def macs(self) -> int:
        """Multiply-accumulates, all `count` of them."""
        return self.m * self.n * self.k * self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputStage:
    """Per-channel parameters that turn 32-bit sums into INT8.

    `bias`, `multiplier` : int32 arrays of n; `shift` : right shift of n, 0 to 31;
    output = clamp(round((sum + bias) * multiplier / 2**(31 + shift)) + zero_point, low, high).

    Parameters
    ----------
    zero_point : int
        INT8 code that stands for zero, added after scaling.
    low, high : int
        Least and greatest INT8 output, both included; ReLU sets `low` to the zero point.
    """

    bias: np.ndarray
    multiplier: np.ndarray
    shift: np.ndarray
    zero_point: int = 0
    low: int = -128
    high: int = 127


@dataclass(frozen=True, slots=True, kw_only=True)
class GemmJob:
    """One GEMM with its operands: what the RTL runs and the reference computes.

    Parameters
    ----------
    gemm : Gemm
        Its shape.
    activations : int8 array (m, k), or codes for floating-point formats
        None if `source` is given.
    source : int or None
        Index of the earlier job in the list whose output (m, n of that job) is this job's activations.
    weights : int8 array (k, n), or codes
        Row i meets column i of the activations.
    output : OutputStage
        Not used by floating-point cores, which only convert their sums.
    activation_format, weight_format : str
        Formats of the operands (`hw.spec.number`).
    """

    gemm: Gemm
    weights: np.ndarray
    output: OutputStage
    activations: np.ndarray | None = None
    source: int | None = None
    activation_format: str = "int8"
    weight_format: str = "int8"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedProgram:
    """A program and the external memory it runs on.

    Parameters
    ----------
    program : list of commands, copies, fences and geometries
        In the order in which the core takes them.
    external : list of (first beat, uint8 array (beats, bytes_per_cycle))
        What must lie outside before it runs.
    output : int
        First beat of the results.
    words : int
        Output words there, each as many whole beats as it needs.
    """

    program: list[Command | Copy | Fence | Geometry]
    external: list[tuple[int, np.ndarray]]
    output: int
    words: int


class Workload(Protocol):
    """What a file in `model/workloads` exports as `WORKLOAD`."""

    @property
    def title(self) -> str:
        """One line for people."""
        ...

    @property
    def digest(self) -> str:
        """Digest of what is run: the shapes, and the stored parameters if there are any."""
        ...

    @property
    def work(self) -> Mapping[str, float]:
        """What one run gives, e.g. {"images": 360} or {"tokens": 8}; {} if there is no better unit than GEMMs."""
        ...

    @property
    def queued(self) -> bool:
        """One core runs GEMMs back to back as far as its memories hold their operands together, not one by one."""
        ...

    def gemms(self) -> list[Gemm]:
        """The shapes, in order: all the cycle model needs."""
        ...

    def jobs(self, seed: int) -> list[GemmJob]:
        """The same with operands, for the RTL; `InputError` if the workload is shapes only."""
        ...

    def score(self, outputs: list[np.ndarray]) -> dict[str, float]:
        """Figures of the task from the jobs' outputs, e.g. {"images": 360, "correct": 349}; {} if none."""
        ...


@runtime_checkable
class Programmed(Workload, Protocol):
    """A workload that a core with copy channels runs as one program, every byte starting and ending outside."""

    def program(self, core: CoreSpec) -> PlacedProgram:
        """The program for `core`; `InputError` if that core cannot run it."""
        ...

    def expected(self, core: CoreSpec) -> np.ndarray:
        """What must lie in the output words of `core`, by a reference that knows no program."""
        ...


def runs_as_program(core: CoreSpec, workload: Workload) -> bool:
    """Whether `core` runs `workload` as one program: it has one, and the core has copy channels and convolution."""
    return isinstance(workload, Programmed) and core.dma is not None and core.convolution
