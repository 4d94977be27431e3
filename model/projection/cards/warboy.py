"""FuriosaAI Warboy."""

from hw.spec.fact import Fact
from model.projection.card import Card

_DOCS = "FuriosaAI SDK documentation, Warboy hardware specification"

CARD = Card(
    title="FuriosaAI Warboy",
    chip="warboy",
    published="warboy",
    peaks={"int8": Fact(nominal=64, unit="TOPS", confidence="vendor", source=_DOCS)},
    image_format="int8",
    tdp=Fact(nominal=50, low=40, high=60, unit="W", confidence="vendor", source=_DOCS + " (40 to 60 W, configurable)"),
    node_factor=Fact(nominal=1.7, low=1.2, high=2.5, unit="1", confidence="assumed",
                     source="14 nm between the 7 nm (1.0) and 45 nm (2.9) INT8 multiplies of the TPUv4i table"),
)
