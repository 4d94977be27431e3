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
        blocks_digest='d22e58de63c5ac4c',
        covers=('cells', 'skew registers', 'accumulator adders', 'output stage'),
        liberty='hw/cells/mini45.lib',
        liberty_digest='391864ca96dca6d8',
        rtl={
            "hw/rtl/npu/cell.py": "f53a279e15ea77a7",
            "hw/rtl/npu/mac_array.py": "67175bec6604fa48",
            "hw/rtl/npu/accumulator.py": "cb1f4f0ce5ef395a",
            "hw/rtl/npu/output_stage.py": "b9625b0d3d644d65",
            "hw/rtl/arithmetic/rounding.py": "f01d3229e3c0e4f9",
        },
        verilog_digest='94478bb584a7b802',
        netlists={
            "cells": "9723cb24032378a6",
            "operand skew": "2af1fa0b45ed62cc",
            "sum skew": "acac1e00ab0e327e",
            "accumulate": "de90a479f038ea28",
            "requantise": "0a2f05feffd182f9",
        },
    ),
    cycle=Fact(nominal=338.5, unit="pJ", confidence="measured",
               source='clock pins and leakage at 0.25 GHz of all gates covered, no clock gating'),
    energies={
        "mac_array.mac": Fact(nominal=0.7828, low=0.009196, high=1.696,
            unit="pJ", confidence="measured", source=_SOURCE),
        "mac_array.weight_load": Fact(nominal=0.2054, low=0.2054, high=0.2054,
            unit="pJ", confidence="measured", source=_SOURCE),
        "accumulator.write": Fact(nominal=4.829, low=0, high=7.807,
            unit="pJ", confidence="measured", source=_SOURCE),
        "output_stage.requantise": Fact(nominal=7.725, low=0, high=13.65,
            unit="pJ", confidence="measured", source=_SOURCE),
    },
)
