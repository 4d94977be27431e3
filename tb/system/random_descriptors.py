"""Random programs for a memory controller: every kind of descriptor, refused ones, gaps of any length."""

from abc import ABC, abstractmethod

import numpy as np

from hw.base.integer import ceil_div
from hw.spec.hbm_pim_controller import HbmGemv
from hw.spec.memory_controller import ControllerSpec, Gemv, MemoryCommand, Raw, Transfer

ROWS_USED = 5
"""Rows that programs touch: few, so that open rows are met again."""

LARGEST = 140
"""Words of a transfer with an outer loop at most."""


class RandomDescriptors(ABC):
    """Draws descriptors.

    `rng`: the generator. `pointers`: first word and number of those that hold small integers. `low`: the first word of
    the shared memory that may be written or read otherwise.
    """

    def __init__(
        self, spec: ControllerSpec, rng: np.random.Generator, *, pointers: tuple[int, int] = (0, 8), low: int = 8
    ) -> None:
        self.spec, self.rng, self.low = spec, rng, low
        self.first_pointer, self.pointers = pointers
        organisation = spec.pim.dram.organisation
        self.banks, self.columns = organisation.banks, organisation.columns

    def draw(self) -> MemoryCommand | HbmGemv:
        """One descriptor; one in seven is refused."""
        kind = self.rng.choice(["read", "write", "gemv", "wrong"], p=[0.28, 0.22, 0.35, 0.15])
        if kind == "gemv":
            return self._gemv()
        return self._wrong() if kind == "wrong" else self._transfer(bool(kind == "write"))

    def gap(self) -> int:
        """Cycles without an offer before the next descriptor: mostly none."""
        return int(self.rng.integers(1, 400)) if self.rng.random() < 0.2 else 0

    def _below(self, limit: int) -> int:
        return int(self.rng.integers(0, limit))

    def _transfer(self, write: bool) -> Transfer:
        run, groups, outer = (1 + self._below(self.rng.choice(most)) for most in ((1, 4, 16), (1, 3, 8), (1, 2, 3)))
        room = self._row_words * ROWS_USED
        stride = int(self.rng.choice([0, 1, self.banks, self._row_words, 1 + self._below(40)]))
        outer_stride = int(self.rng.choice([0, self.banks, self._row_words]))
        outer = outer if run * groups * outer <= LARGEST else 1
        words = run * groups * outer
        last = (outer - 1) * outer_stride + (groups - 1) * stride + run
        indirect = bool(self.rng.random() < 0.3)
        return Transfer(
            write=write,
            run=run,
            groups=groups,
            outer=outer,
            stride=stride,
            outer_stride=outer_stride,
            address=self._below(max(1, room - last)) + self._half(),
            wide=bool(self.rng.random() < 0.5),
            shared=self.low + self._below(self.spec.shared_words - words - self.low),
            pointer=self.first_pointer + self._below(self.pointers) if indirect else None,
            scale=self._below(self._row_words) if indirect else 0,
        )

    def _half(self) -> int:
        """Added to an address drawn from the first rows."""
        return 0

    @property
    def _row_words(self) -> int:
        """Successive addresses in one row of the banks."""
        return self.banks * self.columns

    @abstractmethod
    def _gemv(self) -> Gemv | HbmGemv:
        """A product."""

    @abstractmethod
    def _wrong_ones(self) -> list[MemoryCommand | HbmGemv]:
        """Products that are refused."""

    def _wrong(self) -> MemoryCommand | HbmGemv:
        spec, most = self.spec, self.spec.shared_words
        wrong: list[MemoryCommand | HbmGemv] = [
            Raw(word=int(self.rng.choice([0, 1, 15, 20, 255])) | self._below(1 << 30) << 8),
            Transfer(write=False, run=0, address=0, shared=0),
            Transfer(write=False, groups=0, address=0, shared=0),
            Transfer(write=True, run=2, address=0, shared=most - 1),
            Transfer(write=False, address=0, shared=0, pointer=most),
            Transfer(write=False, run=2, address=spec.words - 1, shared=0),
            Transfer(write=True, groups=3, stride=spec.words // 2, address=0, shared=0),
            Transfer(write=True, outer=200, outer_stride=spec.words // 100, address=0, shared=0),
            *self._wrong_ones(),
        ]
        return wrong[self._below(len(wrong))]


class AimDescriptors(RandomDescriptors):
    """For an AiM channel."""

    @property
    def buffer(self) -> int:
        """Columns of the global buffer that a row can meet."""
        return min(self.columns, self.spec.pim.register("GB").entries)

    @property
    def accumulators(self) -> int:
        """Accumulators of a unit."""
        return self.spec.pim.register("MAC").entries

    def _gemv(self) -> Gemv:
        columns = 1 + self._below(self.rng.choice([4, 16]))
        copies = 1 + self._below(max(1, self.buffer // columns))
        copies = min(copies, 6)
        pitch = columns + self._below((self.buffer - columns) // max(1, copies - 1) - columns + 1) if copies > 1 else 0
        outputs = 1 + self._below(self.rng.choice([4, self.accumulators]))
        first = self.buffer - ((copies - 1) * (pitch or columns) + columns)
        load, clear, multiply, read = (bool(self.rng.random() < 0.8) for _ in range(4))
        return Gemv(
            columns=columns,
            outputs=outputs,
            copies=copies,
            pitch=pitch,
            column=self._below(first + 1),
            row=self._below(ROWS_USED),
            row_step=self._below(3) if outputs < 6 else 1,
            source=self.low + self._below(self.spec.shared_words - columns - self.low),
            destination=self.low + self._below(self.spec.shared_words - outputs - self.low),
            load=load,
            clear=clear,
            multiply=multiply or not (load or clear or read),
            read=read,
        )

    def _wrong_ones(self) -> list[MemoryCommand | HbmGemv]:
        spec, most = self.spec, self.spec.shared_words
        return [
            Gemv(columns=1, outputs=self.accumulators + 1, row=0),
            Gemv(columns=self.buffer, outputs=1, row=0, copies=2),
            Gemv(columns=1, outputs=0, row=0),
            Gemv(columns=0, outputs=1, row=0),
            Gemv(columns=1, outputs=1, row=0, copies=0),
            Gemv(columns=1, outputs=1, row=0, load=False, clear=False, multiply=False, read=False),
            Gemv(columns=2, outputs=1, row=spec.rows - 1, column=self.buffer - 1),
            Gemv(columns=1, outputs=2, row=spec.rows - 1),
            Gemv(columns=1, outputs=4, row=spec.rows - 1, copies=3),
            Gemv(columns=1, outputs=3, row=1, row_step=spec.rows // 2),
            Gemv(columns=1, outputs=1, row=spec.rows),
            Gemv(columns=2, outputs=1, row=0, source=most - 1),
            Gemv(columns=1, outputs=2, row=0, destination=most - 1),
        ]


class HbmDescriptors(RandomDescriptors):
    """For an HBM-PIM channel."""

    def _half(self) -> int:
        return self.spec.words // 2 * self._below(2)

    @property
    def _row_words(self) -> int:
        return self.banks // 2 * self.columns

    def _gemv(self) -> HbmGemv:
        words = 1 + self._below(int(self.rng.choice([3, 8, 18])))
        tiles = ceil_div(words, 8)
        passes = 1 + self._below(2 if tiles > 1 else 5)
        return HbmGemv(
            words=words,
            passes=passes,
            first=self._below(9 - words) if words < 9 else 0,
            row=2 * self._below(3),
            results=self._below(ROWS_USED),
            source=self.low + self._below(self.spec.shared_words - words - self.low),
        )

    def _wrong_ones(self) -> list[MemoryCommand | HbmGemv]:
        spec, most = self.spec, self.spec.shared_words
        return [
            HbmGemv(words=0, passes=1, row=0, results=2),
            HbmGemv(words=1, passes=0, row=0, results=2),
            HbmGemv(words=2, passes=1, row=0, results=2, source=most - 1),
            HbmGemv(words=9, passes=1, row=spec.rows - 2, results=2),
            HbmGemv(words=1, passes=5, row=0, results=spec.rows - 1),
            HbmGemv(words=7, passes=1, row=0, results=2, first=2),
            HbmGemv(words=1, passes=1, row=1, results=2),
        ]


def descriptors_of(
    spec: ControllerSpec, rng: np.random.Generator, *, pointers: tuple[int, int] = (0, 8), low: int = 8
) -> RandomDescriptors:
    """What draws descriptors for the channel of `spec`."""
    return (AimDescriptors if spec.pim.align_bits else HbmDescriptors)(spec, rng, pointers=pointers, low=low)
