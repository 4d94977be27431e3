"""Energy and delay at other nodes from 45 nm, by published scaling equations, as a range.

Ref: A. Stillmaker, B. Baas, "Scaling equations for the accurate prediction of CMOS device performance from 180 nm
to 7 nm", Integration 58 (2017), 74-81: energy factor a V^2 + b V + c and delay factor a V^3 + b V^2 + c V + d per
node and device type, fitted to simulated inverter chains. Coefficients as listed by the open tool nodeScale (MIT),
which cites the paper.
"""

import math
from dataclasses import dataclass
from typing import Literal

from hw.base.error import InputError

Device = Literal["high performance", "low power"]

_ENERGY: dict[tuple[int, Device], tuple[float, float, float]] = {
    (45, "high performance"): (1.018, -0.3107, 0.1539),
    (32, "high performance"): (0.8367, -0.4341, 0.1701),
    (20, "high performance"): (0.373, -0.1582, 0.04104),
    (16, "high performance"): (0.2958, -0.1241, 0.03024),
    (14, "high performance"): (0.2363, -0.09675, 0.02239),
    (10, "high performance"): (0.2068, -0.09311, 0.02375),
    (7, "high performance"): (0.1776, -0.09097, 0.02447),
    (45, "low power"): (1.103, -0.362, 0.2767),
    (32, "low power"): (0.9559, -0.7823, 0.471),
    (20, "low power"): (0.2632, -0.14, 0.06841),
    (16, "low power"): (0.2139, -0.1187, 0.05639),
    (14, "low power"): (0.1556, -0.06472, 0.03066),
    (10, "low power"): (0.1261, -0.0518, 0.02769),
    (7, "low power"): (0.09365, -0.03409, 0.02043),
}

_DELAY: dict[int, tuple[float, float, float, float]] = {
    45: (-501.6, 1567, -1619, 566.1),
    32: (-1047, 2982, -2797, 873.5),
    20: (0, 34.63, -66.37, 41.15),
    16: (0, 24.8, -47.52, 28.87),
    14: (-40.66, 109.2, -100.6, 35.92),
    10: (-34.95, 93.65, -85.99, 30.4),
    7: (-28.58, 76.6, -70.26, 24.69),
}
"""High-performance devices: those of low power are several times slower at these supplies."""

VOLTAGES: dict[int, tuple[float, float, float]] = {
    45: (0.9, 1.0, 1.1),
    28: (0.8, 0.9, 1.0),
    22: (0.65, 0.8, 0.9),
    16: (0.7, 0.8, 0.9),
    14: (0.7, 0.8, 0.9),
    7: (0.65, 0.75, 0.8),
    5: (0.65, 0.7, 0.8),
    4: (0.65, 0.7, 0.8),
}
"""Lowest, usual and highest supply of logic at a node, V: assumed, from published chips of each node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """Energy or delay at a node over that at 45 nm and 1.0 V; `extrapolated` if the equations do not reach the node.

    Parameters
    ----------
    node_nm : int
        One of `VOLTAGES`, nm.
    low, nominal, high : float
        Lowest, usual and highest factor; `factor` and `delay_factor` say over which devices and supplies.
    """

    node_nm: int
    low: float
    nominal: float
    high: float
    extrapolated: bool


def factor(node_nm: int) -> Factor:
    """The energy factor from 45 nm, 1.0 V.

    Nominal: high-performance devices at the usual supply. Range: lowest and highest of both device types over the
    supply range. A node between two of the equations' is interpolated on logarithmic axes; below 7 nm the trend
    of 10 to 7 nm goes on.
    """
    _known(node_nm)
    values = {
        (d, v): _at(node_nm, d, v) / _at(45, d, 1.0)
        for d in ("high performance", "low power")
        for v in VOLTAGES[node_nm]
    }
    nominal = values[("high performance", VOLTAGES[node_nm][1])]
    return Factor(
        node_nm=node_nm, low=min(values.values()), nominal=nominal, high=max(values.values()), extrapolated=node_nm < 7
    )


def delay_factor(node_nm: int) -> Factor:
    """The factor on a delay at 45 nm and 1.0 V, high-performance devices.

    Nominal at the usual supply, range over the supply range. Between two of the equations' nodes interpolated on
    logarithmic axes; below 7 nm the trend of 10 to 7 nm goes on.
    """
    _known(node_nm)
    nodes = sorted(_DELAY)

    def at(node: int, volts: float) -> float:
        return sum(c * volts**power for c, power in zip(_DELAY[node], (3, 2, 1, 0), strict=True))

    def between(volts: float) -> float:
        if node_nm in _DELAY:
            return at(node_nm, volts)
        below = max((n for n in nodes if n < node_nm), default=nodes[0])
        above = next(n for n in nodes if n > below)
        ratio = math.log(node_nm / below) / math.log(above / below)
        return at(below, volts) ** (1 - ratio) * at(above, volts) ** ratio

    values = [between(v) / at(45, 1.0) for v in VOLTAGES[node_nm]]
    return Factor(
        node_nm=node_nm, low=min(values), nominal=values[1], high=max(values), extrapolated=node_nm < nodes[0]
    )


def _known(node_nm: int) -> None:
    if node_nm not in VOLTAGES:
        raise InputError(f"a node must be one of {', '.join(map(str, VOLTAGES))} nm, not {node_nm}; choose one of them")


def _at(node_nm: int, device: Device, volts: float) -> float:
    nodes = sorted(n for n, d in _ENERGY if d == device)
    if node_nm in nodes:
        a, b, c = _ENERGY[(node_nm, device)]
        return a * volts**2 + b * volts + c
    below = max((n for n in nodes if n < node_nm), default=nodes[0])
    above = next(n for n in nodes if n > below)
    ratio = math.log(node_nm / below) / math.log(above / below)
    return _at(below, device, volts) ** (1 - ratio) * _at(above, device, volts) ** ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A published INT8 or FP16 figure: pJ per MAC at a node, and what it covers.

    Parameters
    ----------
    name : str
        Of the design or product.
    node_nm : int
        Technology node it is made or laid out in, nm.
    number_format : str
        "int8" or "fp16".
    pj_per_mac : float
        pJ per multiply-accumulate, taken as two operations.
    scope : str
        How much of the machine the figure covers, from an arithmetic unit alone to a whole card.
    """

    name: str
    node_nm: int
    number_format: str
    pj_per_mac: float
    scope: Literal["unit", "core", "cluster", "system", "card"]


PUBLISHED: tuple[Published, ...] = (
    Published(name="RedMulE", node_nm=22, number_format="fp16", pj_per_mac=2.9, scope="cluster"),
    Published(name="ITA", node_nm=22, number_format="int8", pj_per_mac=0.118, scope="core"),
    Published(name="OpenGeMM", node_nm=16, number_format="int8", pj_per_mac=0.43, scope="system"),
    Published(name="Voltra", node_nm=16, number_format="int8", pj_per_mac=1.25, scope="system"),
    Published(name="FuriosaAI RNGD", node_nm=5, number_format="int8", pj_per_mac=0.64, scope="card"),
    Published(name="Samsung mobile NPU", node_nm=4, number_format="int8", pj_per_mac=0.173, scope="core"),
    Published(name="Samsung mobile NPU", node_nm=4, number_format="fp16", pj_per_mac=0.469, scope="core"),
)
"""2 / (TOPS/W) of each publication: RedMulE 688 GFLOPS/W, ITA 16.9, OpenGeMM 4.68, Voltra 1.60, RNGD 512 TOPS at
150 to 180 W, Samsung (JSSC 2023) 11.59 TOPS/W and 4.26 TFLOPS/W."""

BRACKET = (0.12, 1.25)
"""pJ per INT8 MAC at 16 to 22 nm from a core alone (ITA) to a whole system (Voltra)."""
