"""SAPEON X330 compact."""

from hw.spec.fact import Fact
from model.projection.card import Card

CARD = Card(
    title="SAPEON X330 compact",
    peaks={
        "fp8": Fact(nominal=367, unit="TOPS", confidence="secondary",
                    source="public notes quoting SAPEON's X330 page and launch release of 2023-11-16",
                    note="one note says FP8, another leaves the format open"),
    },
    image_format="fp8",
    tdp=Fact(nominal=120, high=150, unit="W", confidence="secondary",
             source="public note on HBM controllers (120 W); another note estimates about 150 W"),
    node_factor=Fact(nominal=1.0, low=0.9, high=1.3, unit="1", confidence="assumed",
                     source="7 nm as the table; FP8 multiplies taken as INT8 ones, with a margin upwards"),
)
