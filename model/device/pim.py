"""A memory with processing in it beside a device: time of a decode product there, from the PIM cycle model.

The memory replaces the device's own and has the same bandwidth at its pins, to the nearest stack or package, so the
comparison is between using and not using its units. Times include entering and leaving the PIM mode, loading inputs
and storing sums (all in the kernel of `model.cycle.pim_run`) and reading results back through the pins. Writing the
weights in the kernel's layout happens once, when the model is loaded; `layout_time` says how long.

A product of m rows is m vectors one after the other: units keep no second input, so time grows with the batch and
from some batch on the device's arrays, which read each weight once for all, are faster.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

from hw import chips
from hw.spec.error import InputError
from hw.spec.pim import PimSpec
from model.cycle.pim_run import Aim, HbmPim
from model.network.layer import Layer
from model.workload import Gemm

_CHANNELS = {"hbm_pim": 16, "aim": 2}
"""Channels of one stack or package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PimMemory:
    """`packages` stacks or packages of the PIM chip `name`.

    Parameters
    ----------
    name : str
        "hbm_pim" (FP16) or "aim" (BF16).
    packages : int
    """

    name: str
    packages: int

    def __post_init__(self) -> None:
        if self.name not in _CHANNELS:
            raise InputError(f"a PIM memory must be one of {', '.join(_CHANNELS)}, not {self.name!r}")
        if self.packages < 1:
            raise InputError(f"a PIM memory must have at least 1 package, not {self.packages}")

    @property
    def channels(self) -> int:
        """Channels (pseudo-channels of HBM) of all packages."""
        return self.packages * _CHANNELS[self.name]

    @property
    def bandwidth(self) -> float:
        """Bytes per second at the pins."""
        return self.channels * channel_bandwidth(self.name)

    def layer_time(self, layer: Layer) -> float:
        """Seconds of a layer of matrix products, vector by vector.

        Weights lie over all channels. Products with the key-value cache lie in one channel each; the channels run
        as many together as there are.
        """
        total = 0.0
        for gemm in layer.gemms:
            if layer.stationary:
                total += gemm.count * self.product_time(gemm)
            else:
                rounds = ceil(gemm.count / self.channels)
                total += rounds * _gemv_time(self.name, 1, gemm.n, gemm.k, gemm.m)
        return total

    def product_time(self, gemm: Gemm) -> float:
        """Seconds of `gemm.m` vectors times one matrix over all channels.

        The first two vectors are played; each further one adds what the second did.
        """
        one = _gemv_time(self.name, self.channels, gemm.n, gemm.k, 1)
        if gemm.m == 1:
            return one
        two = _gemv_time(self.name, self.channels, gemm.n, gemm.k, 2)
        return one + (gemm.m - 1) * (two - one)

    def layout_time(self, gemm: Gemm) -> float:
        """Seconds to write the weights of one product, once, in the layout of the kernel."""
        if self.name == "hbm_pim":
            system = HbmPim(_spec(self.name), channels=self.channels)
            return system.layout(gemm.n, gemm.k)["weight_write"] * system.timing.clock_ns * 1e-9
        return gemm.n * gemm.k * 2 / self.bandwidth


def beside(name: str, dram_bandwidth: float) -> PimMemory:
    """The PIM memory whose pins come nearest to `dram_bandwidth` bytes per second."""
    package = _CHANNELS.get(name, 1) * (channel_bandwidth(name) if name in _CHANNELS else 1)
    return PimMemory(name=name, packages=max(1, round(dram_bandwidth / package)))


@lru_cache(maxsize=4)
def channel_bandwidth(name: str) -> float:
    """Bytes per second at the pins of one channel: a column per least distance of two reads."""
    spec = _spec(name)
    timing = spec.dram.resolve("default", None)
    spacing = timing["read_to_read_s"] if name == "hbm_pim" else timing["t_ccd_s"]
    return spec.dram.organisation.column_bits / 8 / (spacing * timing.clock_ns * 1e-9)


def _spec(name: str) -> PimSpec:
    spec = chips.load(name).pim
    assert spec is not None
    return spec


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
