"""A memory with processing in it beside a device: time of a decode product there, from the PIM cycle model.

The memory replaces the device's own and has the same bandwidth at its pins, to the nearest stack or package, so the
comparison is between using and not using its units. Times include entering and leaving the PIM mode, loading inputs
and storing sums (all in the kernel of `model.cycle.dram_pim.run`) and reading results back through the pins.
Writing the
weights in the kernel's layout happens once, when the model is loaded; `layout_time` says how long.

A product of m rows is m vectors one after the other: units keep no second input, so time grows with the batch and
from some batch on the device's arrays, which read each weight once for all, are faster.

Energy is that of the memory and of the multiply-accumulates, both priced by the same sources (`model.energy.dram`):
there the counts of the kernel, its background power included; on the device a plain read of everything that crosses
the pins, the memory's background over the time it takes, and the same multiply-accumulates. What the device's own
feeds and scratchpads spend is not in it, so PIM is not flattered.

LPDDR5X-PIM has no public command set: its products take the time of a plain read over the maker's speed-up.
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

from hw import chips
from hw.base.error import InputError
from hw.spec.pim import PimSpec
from model.cycle.dram_pim.run import Aim, HbmPim
from model.energy.dram import bracket, read_stream
from model.energy.price import Interval
from model.network.layer import Layer
from model.work.workload import Gemm

CHANNELS = {"hbm_pim": 16, "aim": 2, "lpddr5x_pim": 1}
"""Channels of one stack or package."""

SOURCES = {"hbm_pim": ("attacc_hbm3", "oconnor_hbm2", "ayna_hbm2"), "aim": ("cent_gddr6",)}
"""Who prices the events of which memory; nobody those of LPDDR5X-PIM."""

FORMATS = {"hbm_pim": ("fp16", "bf16"), "aim": ("fp16", "bf16"), "lpddr5x_pim": ("fp8_e4m3",)}
"""Formats of weights and cache a memory's units take: 16 bits, or FP8."""

ROW_BYTES = 1024
"""Of a plain read stream that opens each row once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PimMemory:
    """`packages` stacks or packages of the PIM chip `name`.

    Parameters
    ----------
    name : str
        "hbm_pim" (FP16), "aim" (BF16) or "lpddr5x_pim" (FP8).
    packages : int
    """

    name: str
    packages: int

    def __post_init__(self) -> None:
        if self.name not in CHANNELS:
            raise InputError(f"a PIM memory must be one of {', '.join(CHANNELS)}, not {self.name!r}")
        if self.packages < 1:
            raise InputError(f"a PIM memory must have at least 1 package, not {self.packages}")

    @property
    def channels(self) -> int:
        """Channels (pseudo-channels of HBM) of all packages."""
        return self.packages * CHANNELS[self.name]

    @property
    def bandwidth(self) -> float:
        """Bytes per second at the pins."""
        return self.channels * channel_bandwidth(self.name)

    @property
    def capacity(self) -> float:
        """Bytes of all packages: rows of all banks, or as published."""
        if self.name == "lpddr5x_pim":
            return self.packages * chips.load(self.name).facts["dram_capacity"].nominal * 1e9
        o = _spec(self.name).dram.organisation
        row = o.columns * o.column_bits // 8
        return float(self.channels * o.bank_groups * o.banks_per_group * o.rows * row)

    def layer_time(self, layer: Layer) -> float:
        """Seconds of a layer of matrix products, vector by vector.

        Weights lie over all channels. Products with the key-value cache lie in one channel each; the channels run
        as many together as there are.
        """
        total = 0.0
        for gemm in layer.gemms:
            if layer.stationary or self.name == "lpddr5x_pim":
                total += gemm.count * self.product_time(gemm)
            else:
                rounds = ceil(gemm.count / self.channels)
                total += rounds * _gemv_time(self.name, 1, gemm.n, gemm.k, gemm.m)
        return total

    def product_time(self, gemm: Gemm) -> float:
        """Seconds of `gemm.m` vectors times one matrix over all channels.

        The first two vectors are played; each further one adds what the second did.
        """
        if self.name == "lpddr5x_pim":
            return gemm.m * gemm.n * gemm.k / (self.bandwidth * _speedup())
        one = _gemv_time(self.name, self.channels, gemm.n, gemm.k, 1)
        if gemm.m == 1:
            return one
        two = _gemv_time(self.name, self.channels, gemm.n, gemm.k, 2)
        return one + (gemm.m - 1) * (two - one)

    def layer_energy(self, layer: Layer) -> Interval:
        """Joules of a layer of matrix products here, vector by vector; `InputError` if nobody prices its events."""
        total = Interval(low=0.0, nominal=0.0, high=0.0)
        for gemm in layer.gemms:
            if layer.stationary:
                one = _gemv_energy(self.name, self.channels, gemm.n, gemm.k, 1)
                two = _gemv_energy(self.name, self.channels, gemm.n, gemm.k, 2)
                # the first two vectors are counted; each further one adds what the second did
                total = total + (one if gemm.m == 1 else _more(one, two, gemm.m - 1)) * gemm.count
            else:
                total = total + _gemv_energy(self.name, 1, gemm.n, gemm.k, gemm.m) * gemm.count
        return total

    def plain_energy(self, layer: Layer, moved: float, seconds: float) -> Interval:
        """Joules of the same layer on the device: `moved` bytes read over the pins, `seconds` of background of all
        channels, and its multiply-accumulates."""
        return self._plain(moved, seconds, layer.macs)

    def moved_energy(self, moved: float, seconds: float) -> Interval:
        """Joules of `moved` bytes read over the pins and `seconds` of background of all channels."""
        return self._plain(moved, seconds, 0)

    def _plain(self, moved: float, seconds: float, macs: int) -> Interval:
        counts = read_stream(round(8 * moved), moved / ROW_BYTES)
        counts |= {"dram.background_ns": round(seconds * 1e9 * self.channels), "pim.mac": macs}
        return bracket(counts, _sources(self.name)).total_j

    def idle_energy(self, seconds: float) -> Interval:
        """Joules of `seconds` in which nothing is asked of any channel: background and refresh."""
        return bracket({"dram.background_ns": round(seconds * 1e9 * self.channels)}, _sources(self.name)).total_j

    def layout_time(self, gemm: Gemm) -> float:
        """Seconds to write the weights of one product, once, in the layout of the kernel."""
        if self.name == "hbm_pim":
            system = HbmPim(_spec(self.name), channels=self.channels)
            return system.layout(gemm.n, gemm.k)["weight_write"] * system.timing.clock_ns * 1e-9
        return gemm.n * gemm.k * 2 / self.bandwidth


def beside(name: str, dram_bandwidth: float) -> PimMemory:
    """The PIM memory whose pins come nearest to `dram_bandwidth` bytes per second."""
    package = CHANNELS.get(name, 1) * (channel_bandwidth(name) if name in CHANNELS else 1)
    return PimMemory(name=name, packages=max(1, round(dram_bandwidth / package)))


def check_formats(name: str, weights: str, cache: str) -> None:
    """Raises `InputError` if the units of memory `name` do not take weights and cache in these formats."""
    taken = FORMATS[name]
    if weights not in taken or cache not in taken:
        bits = "of 16 bits" if "fp16" in taken else "in FP8"
        computed = {"hbm_pim": "FP16", "aim": "BF16", "lpddr5x_pim": "FP8"}[name]
        raise InputError(
            f"weights and cache must be {bits} for {name}, whose units compute {computed}; not {weights} and {cache}"
        )


@lru_cache(maxsize=4)
def channel_bandwidth(name: str) -> float:
    """Bytes per second at the pins of one channel: a column per least distance of two reads, or as published."""
    if name == "lpddr5x_pim":
        return chips.load(name).facts["dram_bandwidth"].nominal * 1e9
    spec = _spec(name)
    timing = spec.dram.resolve("default", None)
    spacing = timing["read_to_read_s"] if name == "hbm_pim" else timing["t_ccd_s"]
    return spec.dram.organisation.column_bits / 8 / (spacing * timing.clock_ns * 1e-9)


def _spec(name: str) -> PimSpec:
    return chips.machine(chips.load(name), PimSpec, "this memory")


def _more(one: Interval, two: Interval, times: int) -> Interval:
    """`one` and `times` times what `two` has more, by each source."""
    return Interval(
        low=one.low + times * (two.low - one.low),
        nominal=one.nominal + times * (two.nominal - one.nominal),
        high=one.high + times * (two.high - one.high),
    )


def _speedup() -> float:
    return chips.load("lpddr5x_pim").facts["gemv_speedup"].nominal


def _sources(name: str) -> tuple[str, ...]:
    if name not in SOURCES:
        raise InputError(
            f"a memory's events must be priced by somebody to compare energy; nobody publishes those of "
            f"{name}, compare its time"
        )
    return SOURCES[name]


@lru_cache(maxsize=8192)
def _gemv_energy(name: str, channels: int, outputs: int, inputs: int, batch: int) -> Interval:
    """Joules of the GEMV of `batch` vectors and of reading its results, by the counts of the cycle model."""
    sources = _sources(name)
    if name == "aim":
        system = Aim(_spec(name), channels=channels)
        return bracket(
            system.run(system.requests("gemv", outputs=outputs, inputs=inputs, batch=batch)).counts, sources
        ).total_j
    pim = HbmPim(_spec(name), channels=channels)
    counts = Counter(pim.run("gemv", outputs=outputs, inputs=inputs, batch=batch).counts)
    reading = pim.layout(outputs, inputs, batch)["result_read"]
    spec = _spec(name)
    # a column of every channel per least distance of two reads while the lane sums are read back
    columns = channels * reading // pim.timing["read_to_read_s"]
    bits = columns * spec.dram.organisation.column_bits
    counts.update(read_stream(bits, bits / 8 / ROW_BYTES))
    counts["dram.background_ns"] += round(channels * reading * pim.timing.clock_ns)
    return bracket(counts, sources).total_j


@lru_cache(maxsize=8192)
def _gemv_time(name: str, channels: int, outputs: int, inputs: int, batch: int) -> float:
    """Seconds of the GEMV of `batch` vectors and of reading its results, by the cycle model."""
    if name == "aim":
        system = Aim(_spec(name), channels=channels)
        requests = system.requests("gemv", outputs=outputs, inputs=inputs, batch=batch)
        return system.run(requests).time_ns * 1e-9  # its results are read by the kernel itself
    pim = HbmPim(_spec(name), channels=channels)
    result = pim.run("gemv", outputs=outputs, inputs=inputs, batch=batch)
    reading = pim.layout(outputs, inputs, batch)["result_read"]
    return (result.cycles + reading) * result.clock_ns * 1e-9
