"""A decoder's matrices in the arrays of a crossbar unit, and what is in its memories before it runs."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.crossbar_unit import LANES, CrossbarUnitSpec, Product
from model.reference.block_floating import crossbar_product, stored


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossbarPlace:
    """A matrix (outputs, inputs) in successive arrays.

    Parameters
    ----------
    outputs, inputs : int
        Its size, whole words of 16.
    row_tiles, column_tiles : int
        Tiles of every array that hold it.
    groups : int
        Arrays it lies in.
    array, scales : int
        First of them, and first word of its outputs' exponents.
    codes : uint16 array (outputs, inputs)
        The BF16 weights it was made of, filled up.
    """

    outputs: int
    inputs: int
    row_tiles: int
    column_tiles: int
    groups: int
    array: int
    scales: int
    codes: np.ndarray

    def product(self, source: int, destination: int) -> Product:
        """The descriptor that multiplies the vector at `source`."""
        return Product(
            source=source,
            destination=destination,
            words=self.inputs // LANES,
            outputs=self.outputs // LANES,
            row_tiles=self.row_tiles,
            column_tiles=self.column_tiles,
            groups=self.groups,
            array=self.array,
            scales=self.scales,
        )


class Crossbars:
    """The arrays of a unit, filled from 0 on: a matrix takes whole arrays, as many tiles of each as it can use.

    Attributes: `places`, every matrix so far.
    """

    def __init__(self, spec: CrossbarUnitSpec) -> None:
        self.spec = spec
        self.places: list[CrossbarPlace] = []
        self._array = self._scale = 0
        self._multiply = crossbar_product()

    @property
    def used_arrays(self) -> int:
        """Arrays of every tile taken so far."""
        return self._array

    def matrix(self, what: str, codes: np.ndarray) -> CrossbarPlace:
        """Room for BF16 weights (outputs, inputs), filled up with zeros to whole words of both.

        Raises `InputError` if there are too few arrays, tiles or words of exponents.
        """
        core = self.spec.core
        codes = np.pad(codes, [(0, -size % LANES) for size in codes.shape])
        outputs, inputs = codes.shape
        rows = ceil_div(inputs, core.rows)
        if rows > core.tiles:
            raise InputError(
                f"the inputs of a matrix must fit the rows of {core.tiles} tiles of {core.rows}, {what} has {inputs}; "
                "choose more tiles or rows"
            )
        columns = core.tiles // rows
        groups = ceil_div(outputs // LANES, columns)
        if self._array + groups > core.arrays:
            raise InputError(
                f"the weights must fit the {core.arrays} arrays of a tile, with {what} they need "
                f"{self._array + groups}; choose a smaller model or more arrays or tiles"
            )
        if self._scale + outputs // LANES > self.spec.scale_words:
            raise InputError(
                f"the exponents of outputs must fit {self.spec.scale_words} words, with {what} they need "
                f"{self._scale + outputs // LANES}; choose a larger memory"
            )
        place = CrossbarPlace(
            outputs=outputs,
            inputs=inputs,
            row_tiles=rows,
            column_tiles=columns,
            groups=groups,
            array=self._array,
            scales=self._scale,
            codes=codes,
        )
        self._array += groups
        self._scale += outputs // LANES
        self.places.append(place)
        return place

    def tiles(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """(tile, array, weights (16, rows at most)) of every array that holds something."""
        rows = self.spec.core.rows
        for place in self.places:
            integers, _ = stored(place.codes)
            for number in range(place.outputs // LANES):
                group, column = divmod(number, place.column_tiles)
                columns = min(place.column_tiles, place.outputs // LANES - group * place.column_tiles)
                for k in range(place.row_tiles):
                    part = integers[number * LANES : (number + 1) * LANES, k * rows : (k + 1) * rows]
                    yield k * columns + column, place.array + group, part

    def scale_words(self) -> list[int]:
        """The memory of exponents from word 0 on."""
        powers = np.concatenate([stored(place.codes)[1] for place in self.places]) & 255
        return [int.from_bytes(word.astype(np.uint8).tobytes(), "little") for word in powers.reshape(-1, LANES)]

    def execute(self, product: Product, shared: np.ndarray) -> None:
        """Carry a descriptor out on `shared`, uint16 (words, 16), with ideal cells."""
        place = next(place for place in self.places if place.array == product.array)
        vector = shared[product.source : product.source + product.words].reshape(1, -1)
        found = self._multiply(place.codes, vector)
        shared[product.destination : product.destination + product.outputs] = found.reshape(-1, LANES)
