"""Rebellions ATOM (RBLN-CA02)."""

from hw.spec.fact import Fact
from model.projection.card import Card

_ASCII = "ASCII.jp, AI chip column on Rebellions (lists ATOM peaks)"
_DIGEST = "public digest of Rebellions documents: 60 to 130 W; another note gives 85 W"

CARD = Card(
    title="Rebellions ATOM",
    published="atom",
    peaks={
        "fp16": Fact(nominal=32, unit="TOPS", confidence="secondary", source=_ASCII),
        "int8": Fact(nominal=128, unit="TOPS", confidence="secondary", source=_ASCII),
        "int4": Fact(nominal=256, unit="TOPS", confidence="secondary", source=_ASCII),
    },
    image_format="int8",
    tdp=Fact(nominal=85, low=60, high=130, unit="W", confidence="secondary", source=_DIGEST),
    node_factor=Fact(nominal=0.8, low=0.6, high=1.0, unit="1", confidence="assumed",
                     source="5 nm: at most the 7 nm energies, 20 % below them nominally"),
)
