"""npu_16 at the gates, operands of digits."""

# Written by `make energy CHIP=npu_16 WORKLOAD=digits` with --write-table.

from hw.spec.fact import Fact
from model.energy.origin import GateOrigin
from model.energy.table import EnergyTable

_SOURCE = 'gate-level activity of captured operands with glitches, mini45 cells; low zeros, high random operands'

TABLE = EnergyTable(
    title='npu_16 at the gates, operands of digits',
    kind="measured",
    node_nm=45,
    error=Fact(nominal=0.25, unit="1", confidence="assumed", source="no layout, glitch model"),
    leaves_out='memories, control, clock tree, wires beyond a fan-out estimate',
    gates=GateOrigin(
        chip='npu_16',
        blocks_digest='17831fcf737a5f8a',
        covers=('cells', 'skew registers', 'accumulator adders', 'output stage'),
        liberty='hw/cells/mini45.lib',
        liberty_digest='391864ca96dca6d8',
        rtl={},
        verilog_digest='667b3b8956a46e8d',
        netlists={
            "cells": "98ec2c56dfca8a8d",
            "operand skew": "abf97703e3426809",
            "sum skew": "aa0719e60cb3fc20",
            "accumulate": "a77b6175550e8f58",
            "requantise": "0d314ff02f4e55cc",
        },
    ),
    cycle=Fact(nominal=338, unit="pJ", confidence="measured",
               source='clock pins and leakage at 0.25 GHz of all gates covered, no clock gating'),
    energies={
        "mac_array.mac": Fact(nominal=0.7468, low=0.01016, high=1.643,
            unit="pJ", confidence="measured", source=_SOURCE),
        "mac_array.weight_load": Fact(nominal=0.1945, low=0.1945, high=0.1945,
            unit="pJ", confidence="measured", source=_SOURCE),
        "accumulator.write": Fact(nominal=4.309, low=0, high=7.01,
            unit="pJ", confidence="measured", source=_SOURCE),
        "output_stage.requantise": Fact(nominal=7.852, low=0, high=14.4,
            unit="pJ", confidence="measured", source=_SOURCE),
    },
)
