"""How one GEMM is cut over several arrays: every cut worth comparing, and the search for the best.

A layer is cut along its products (`count`), its rows (M) and its columns (N); K stays in one array, so no partial sums
travel. Every array gets an equal share, the last of each axis what is left; the layer takes as long as the array with
the full share. Products and columns are cut into 1, 2, 3, ... parts as far as the number of arrays divided by a whole
number goes, rows over the arrays that are left.

What an array's share costs, and which of two equal cuts is taken, the caller says: the closed forms of the cores
(`model.cycle.npu.partition`), or those with feeds and packing of a whole card (`model.card.mapper`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from hw.base.integer import ceil_div

Cost = TypeVar("Cost")


@dataclass(frozen=True, slots=True)
class Cut:
    """How a layer is cut, and the fullest array's share of it.

    Parameters
    ----------
    products : int
        Parts into which its `count` equal products are divided.
    rows, columns : int
        Parts into which M and N of each product are cut; the product of the three is at most the arrays there are.
    m, n : int
        Rows and columns of the fullest array's products: whole blocks of columns, rows rounded up.
    times : int
        Products that the fullest array runs one after the other.
    """

    products: int
    rows: int
    columns: int
    m: int
    n: int
    times: int

    @property
    def arrays(self) -> int:
        """Arrays that have work."""
        return self.products * self.rows * self.columns


def cuts(arrays: int, width: int, m: int, n: int, count: int) -> Iterator[Cut]:
    """The cuts of `count` products of m rows and n columns worth comparing, over `arrays` arrays of `width` columns.

    Few products come first, then few columns; rows take all arrays that the other two leave.
    """
    parts = sorted({arrays // d for d in range(1, arrays + 1)})
    blocks = ceil_div(n, width)
    for products in (d for d in parts if d <= count):
        for columns in (d for d in parts if d <= blocks and d * products <= arrays):
            rows = min(m, arrays // (products * columns))
            yield Cut(
                products,
                rows,
                columns,
                m=ceil_div(m, rows),
                n=min(n, ceil_div(blocks, columns) * width),
                times=ceil_div(count, products),
            )


def best_cut(found: Iterator[Cut], cost: Callable[[Cut], Cost], order: Callable[[Cut, Cost], Any]) -> tuple[Cut, Cost]:
    """The cut whose cost comes first by `order`, and its cost; of equal ones the first."""
    best: tuple[Any, Cut, Cost] | None = None
    for cut in found:
        price = cost(cut)
        place = order(cut, price)
        if best is None or place < best[0]:
            best = place, cut, price
    assert best is not None  # one array is always a choice
    return best[1:]
