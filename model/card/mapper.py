"""Where a layer's products run: how they are cut over the cores, what the arrays hold, how they are packed and fed.

Weight-stationary, the depth of an array holds channels of one position of the kernel. Output-stationary, its rows hold
results side by side in one row of the image, and a word of them at a stride spans as many words of the input. All over
the closed forms of the cores; every choice is cached by shape, so a network's repeated layers cost nothing.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import NamedTuple

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.core import CoreSpec
from model.cycle.npu.cut import Cut, best_cut, cuts
from model.cycle.npu.timing import OUTPUT_CYCLES, PREPARE_CYCLES
from model.network.layer import Window
from model.work.workload import Gemm


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """The fastest cut of one product over the cores.

    Parameters
    ----------
    cycles : float
        `ramp` + `stream` + `wait`.
    stream : float
        Rows entering the fullest core, at the speed of its feed.
    fed : float
        What `stream` would be with a feed as wide as the array.
    ramp : int
        First weight tile, command, drain.
    wait : float
        Passes too short to hide the load of the next tile.
    products, rows, columns : int
        Cores that take different products, rows of M and columns of N.
    depth : int
        K with the part of the depth that stays empty.
    dataflow : str
        "ws": the array holds weights; "os": it holds results.
    """

    cycles: float
    stream: float
    fed: float
    ramp: int
    wait: float
    products: int
    rows: int
    columns: int
    depth: int
    dataflow: str = "ws"


def chain_cycles(
    core: CoreSpec, m: int, n: int, k: int, times: int = 1, *, fetch: float = 0.0, reuse: int = 1
) -> tuple[float, float, int, float]:
    """(stream, fed, ramp, wait) of `times` products in a chain on one core.

    With words of w bytes entering at `fetch` bytes per cycle (0: a word per cycle) and each used for `reuse` tiles, a
    pass of m rows streams for max(1, w / (fetch * reuse)) m cycles; the rest is the closed form of
    `model.cycle.npu.core`, which this equals for a feed of a word per cycle.
    """
    array = core.array
    blocks_n, blocks_k = ceil_div(n, array.columns), ceil_div(k, array.k_per_block)
    slow = 1.0
    if fetch:
        word = array.rows * array.activation_lane_bits / 8
        slow = max(1.0, word / (fetch * min(reuse, blocks_n)))
    full, rest = divmod(m, core.block_rows)
    tiles = blocks_n * blocks_k * times
    interval = array.tile_interval
    wait = full * tiles * max(0.0, interval - slow * core.block_rows)
    if rest:
        wait += tiles * max(0.0, interval - slow * rest)
    wait -= max(0.0, interval - slow * (rest or core.block_rows))
    ramp = PREPARE_CYCLES + array.rows + array.rows * array.mac_latency + array.columns + OUTPUT_CYCLES
    return slow * m * tiles, float(m * tiles), ramp, wait


def results_cycles(
    core: CoreSpec,
    m: int,
    n: int,
    k: int,
    times: int = 1,
    *,
    fetch: float = 0.0,
    reuse: int = 1,
    image_row: tuple[int, int] | None = None,
) -> tuple[float, float, int, float]:
    """As `chain_cycles` with an array of the same cells that holds results
    (`model.cycle.npu.output_stationary_core`, drained through the
    columns): a fold of R x C results streams K words.

    `image_row` is (length of a row of results, stride) of a convolution whose window covers more than one position: a
    word then holds results of one such row, and takes `stride` words of the input to put together.
    """
    array = core.array
    length, stride = image_row or (m, 1)
    folds = ceil_div(m * ceil_div(length, array.rows), length) * ceil_div(n, array.columns) * times
    words = ceil_div(k, array.terms_per_lane)
    slow = float(stride)
    if fetch:
        word = array.rows * array.activation_lane_bits / 8
        slow *= max(1.0, word / (fetch * min(reuse, ceil_div(n, array.columns))))
    wait = (folds - 1) * max(0.0, array.rows - slow * words)
    ramp = PREPARE_CYCLES + 2 * array.rows + array.columns - 1 + OUTPUT_CYCLES
    return slow * folds * words, float(folds * words), ramp, wait


class _Cost(NamedTuple):
    """What the fullest core's share takes with one dataflow; see `Mapping`."""

    dataflow: str
    depth: int
    stream: float
    fed: float
    ramp: int
    wait: float

    @property
    def cycles(self) -> float:
        return self.stream + self.wait + self.ramp


@lru_cache(maxsize=65536)
def best(
    core: CoreSpec,
    cores: int,
    m: int,
    n: int,
    k: int,
    count: int,
    kernel: tuple[int, ...],
    fetch: float,
    reuse: int,
    by_row: bool,
    dataflows: int = 1,
    image_row: tuple[int, int] | None = None,
) -> Mapping:
    """The fastest cut of `count` products of (m x k) by (k x n) over `cores` cores.

    The cuts are those of `model.cycle.npu.cut`; of equal ones the first is taken. `kernel` is the window of a
    convolution, () for a plain product. With `dataflows` 2 the array may hold weights or results, whichever is faster
    in each cut.

    Raises
    ------
    InputError
        If there is no core to run on.
    """
    if cores < 1:
        raise InputError(f"cores must be at least 1, not {cores}")
    depth = packed_depth(k, kernel, core.array.k_per_block, by_row=by_row)

    def cost(cut: Cut) -> _Cost:
        held = chain_cycles(core, cut.m, cut.n, depth, cut.times, fetch=fetch, reuse=reuse)
        found = _Cost("ws", depth, *held)
        if dataflows > 1:
            results = results_cycles(core, cut.m, cut.n, k, cut.times, fetch=fetch, reuse=reuse, image_row=image_row)
            found = min(found, _Cost("os", k, *results), key=lambda one: one.cycles)
        return found

    cut, found = best_cut(cuts(cores, core.array.columns, m, n, count), cost, lambda cut, price: price.cycles)
    return Mapping(
        cycles=found.cycles,
        stream=found.stream,
        fed=found.fed,
        ramp=found.ramp,
        wait=found.wait,
        products=cut.products,
        rows=cut.rows,
        columns=cut.columns,
        depth=found.depth,
        dataflow=found.dataflow,
    )


def packed_depth(k: int, kernel: tuple[int, ...], rows: int, *, by_row: bool = False) -> int:
    """K rounded up as the depth of the array holds it: words of `rows` channels of one position of the kernel.

    `by_row`: words of whatever lies side by side in one row of the kernel, if that is shorter. A plain product and a
    window of one position fill the depth as far as K goes.
    """
    positions = prod(kernel)
    if positions <= 1 or k % positions:
        return k
    channels = k // positions
    by_position = positions * ceil_div(channels, rows) * rows
    if not by_row:
        return by_position
    return min(by_position, kernel[0] * ceil_div(channels * positions // kernel[0], rows) * rows)


def mapping(
    core: CoreSpec,
    cores: int,
    gemm: Gemm,
    window: Window | None,
    *,
    fetch: float,
    reuse: int,
    by_row: bool,
    dataflows: int = 1,
) -> Mapping:
    """`best` of a layer's product."""
    kernel = window.kernel if window is not None else ()

    def cut(m: int, n: int, k: int, count: int, kernel: tuple[int, ...]) -> Mapping:
        return best(core, cores, m, n, k, count, kernel, fetch, reuse, by_row, dataflows, _image_row(window))

    found = cut(gemm.m, gemm.n, gemm.k, gemm.count, kernel)
    side = beside(gemm, core.array.k_per_block, core.array.columns) if window is not None and window.groups > 1 else 1
    if side > 1:
        packed = cut(gemm.m, side * gemm.n, side * gemm.k, ceil_div(gemm.count, side), ())
        found = min(found, packed, key=lambda m: m.cycles)
    return found


def beside(gemm: Gemm, depth: int, width: int) -> int:
    """Groups of a convolution that lie in an array of `depth` x `width` together, along its diagonal: each takes its
    part of the depth and of the columns, the rest of both holds zeros."""
    return max(1, min(gemm.count, depth // gemm.k, width // gemm.n))


def _image_row(window: Window | None) -> tuple[int, int] | None:
    """(results in a row, stride) of a window over several positions; None if results may lie in any order."""
    if window is None or (prod(window.kernel) == 1 and prod(window.strides) == 1):
        return None
    reach = window.dilations[-1] * (window.kernel[-1] - 1) + 1
    return (window.size[-1] + sum(window.pads[-1]) - reach) // window.strides[-1] + 1, window.strides[-1]
