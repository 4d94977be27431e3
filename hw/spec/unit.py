"""Units of facts: which ones there are, of what quantity, and how many of the base unit each is."""

from hw.base.error import InputError

_QUANTITIES: dict[str, dict[str, float]] = {
    "ratio or count": {"1": 1.0},
    "data": {"B": 1.0, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "kB": 1e3, "MB": 1e6, "GB": 1e9},
    "data rate": {"B/s": 1.0, "MB/s": 1e6, "GB/s": 1e9, "TB/s": 1e12},
    "data per cycle": {"B/cycle": 1.0},
    "operations per second": {"OP/s": 1.0, "TOPS": 1e12, "TFLOPS": 1e12},
    "frequency": {"Hz": 1.0, "MHz": 1e6, "GHz": 1e9},
    "time": {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9},
    "cycles": {"cycles": 1.0},
    "power": {"W": 1.0, "kW": 1e3},
    "energy": {"J": 1.0, "mJ": 1e-3, "uJ": 1e-6, "nJ": 1e-9, "pJ": 1e-12},
    "length": {"nm": 1.0},
    "area": {"mm2": 1.0},
    "money": {"USD": 1.0},
}
"""Quantity -> unit -> how many of the quantity's first unit it is."""


def quantity(unit: str) -> str | None:
    """The quantity a unit measures, or None for units that only the projection's own formulas know."""
    return next((name for name, units in _QUANTITIES.items() if unit in units), None)


def ratio(unit: str, wanted: str) -> float:
    """How many `wanted` one `unit` is; 1e9 for "GB" in "B".

    Raises
    ------
    InputError
        If the two do not measure the same quantity.
    """
    if unit == wanted:
        return 1.0
    measured = quantity(unit)
    if measured is None or wanted not in _QUANTITIES[measured]:
        known = ", ".join(_QUANTITIES[measured]) if measured else "its own unit only"
        raise InputError(f"a quantity in {unit} must be asked for in {known}, not in {wanted}")
    return _QUANTITIES[measured][unit] / _QUANTITIES[measured][wanted]
