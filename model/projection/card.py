"""An accelerator card as it is bought: peaks by number format, power, process, published results."""

from collections.abc import Mapping
from dataclasses import dataclass

from hw.spec.error import InputError
from hw.spec.fact import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One card.

    Parameters
    ----------
    title : str
        One line for people.
    peaks : dict of str to Fact
        Number format to nominal peak in TOPS (2 operations per multiply-accumulate, dense).
    image_format : str
        Number format the image task runs in; a key of `peaks`.
    tdp : Fact
        Thermal design power, W: the bound of what the card draws.
    node_factor : Fact
        Energy per operation relative to the 7 nm table, unit "1".
    chip : str or None
        Name in `hw/chips` if the cycle model predicts it: its record then bounds the rate.
    published : str or None
        Name in the published results, if any.
    """

    title: str
    peaks: Mapping[str, Fact]
    image_format: str
    tdp: Fact
    node_factor: Fact
    chip: str | None = None
    published: str | None = None

    def __post_init__(self) -> None:
        for name, fact in self.peaks.items():
            if fact.unit != "TOPS" or fact.minimum <= 0:
                raise InputError(f"peak {name} of {self.title!r} must be above 0 TOPS, not {fact.minimum} {fact.unit}")
        if self.image_format not in self.peaks:
            known = ", ".join(self.peaks)
            raise InputError(f"image_format of {self.title!r} must be one of {known}, not {self.image_format!r}")
        if self.tdp.unit != "W" or self.tdp.minimum <= 0:
            raise InputError(f"tdp of {self.title!r} must be above 0 W, not {self.tdp.minimum} {self.tdp.unit}")
        if self.node_factor.unit != "1" or self.node_factor.minimum <= 0:
            raise InputError(f"node_factor of {self.title!r} must be a ratio above 0, not {self.node_factor.minimum}")
