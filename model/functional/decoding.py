"""Tensors of a lowered decoder beside those of the reference: which is where, and which differ."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from hw.base.integer import ceil_div
from hw.spec.vector_micro import LANES
from model.lowering.decoder.lowered import Lowered, Step
from model.lowering.decoder.shared import TensorPlace
from model.reference.block_floating import crossbar_product
from model.reference.decoder import Decoder, StoredWeights, Tensors
from model.reference.products import Product, aim_product, core_product, hbm_pim_product
from model.work.decoding import Decoding

Words = Callable[[int, int], np.ndarray]
"""(first word, words) of a shared memory -> uint16 (words, 16)."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A tensor that is not the reference's.

    Parameters
    ----------
    position : int
        Position of the first token of the step.
    place : TensorPlace
        Which tensor, and where it lies.
    element : tuple of int
        Row and column of the first element that differs.
    found, expected : int
        Its code in the shared memory, and the reference's; 16 bits.
    """

    position: int
    place: TensorPlace
    element: tuple[int, ...]
    found: int
    expected: int

    def __str__(self) -> str:
        where = f"layer {self.place.layer}" if self.place.layer >= 0 else "outside of layers"
        head = f", head {self.place.head}" if self.place.head >= 0 else ""
        return (
            f"{self.place.name} ({where}{head}) of the step at position {self.position}: element {self.element} is "
            f"{self.found:#06x}, the reference has {self.expected:#06x}"
        )


def channel_product(number: str) -> Product:
    """Products as the channel adds, by its format."""
    return aim_product if number == "bf16" else hbm_pim_product


class ReferenceRun:
    """The reference, step by step: never given anything but the prompt."""

    def __init__(self, lowered: Lowered, work: Decoding, weights: StoredWeights) -> None:
        name = lowered.spec.pim.number
        self.decoder = Decoder(work.config, weights, name)
        self.ids = list(work.prompt)
        core, channel = core_product(name), channel_product(name)
        self._project = channel if lowered.pim in ("weights", "both") else core
        self._read, self._core = core, core
        if lowered.crossbars is not None:
            self._project = self._read = crossbar_product()
        self._attend = channel if lowered.pim in ("attention", "both") else core
        self._prompt = len(work.prompt)

    def step(self, step: Step) -> Tensors:
        """All tensors of the next step."""
        tokens = self.ids[step.first : step.first + step.tokens]
        decode = step.first >= self._prompt
        last = any(place.name == "token" for place in step.places)
        out = self.decoder.read(
            tokens, self._project if decode else self._read, self._attend if decode else self._core, last=last
        )
        if last:
            self.ids.append(int(out["token", -1][0, 0]))
        return out

    @property
    def answer(self) -> list[int]:
        """Tokens generated so far."""
        return self.ids[self._prompt :]


def tensor(words: Words, place: TensorPlace) -> np.ndarray:
    """A tensor's rows as they lie in a shared memory."""
    region = place.region
    width = ceil_div(region.length, LANES)
    return np.stack([words(region.row(i), width).reshape(-1)[: region.length] for i in range(region.rows)])


def differences(step: Step, words: Words, expected: Tensors) -> Iterator[Difference]:
    """The first differing element of every tensor of a step; of attention what a token may see."""
    for place in step.places:
        found, want = tensor(words, place), expected[place.name, place.layer]
        if place.head >= 0:
            want = want[place.head]
            seen = np.arange(found.shape[1]) <= step.first + np.arange(len(found))[:, None]
            found, want = np.where(seen, found, 0), np.where(seen, want, 0)
        wrong = np.argwhere(found != want)
        if len(wrong):
            at = tuple(int(i) for i in wrong[0])
            yield Difference(step.first, place, at, int(found[at]), int(want[at]))


def answer_of(lowered: Lowered, work: Decoding, weights: StoredWeights) -> list[int]:
    """The tokens that the reference generates."""
    reference = ReferenceRun(lowered, work, weights)
    for step in lowered.steps:
        reference.step(step)
    return reference.answer
