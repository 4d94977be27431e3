"""HBM-PIM: HBM2 with one 16-lane FP16 unit per pair of banks."""

from hw.commands.hbm_pim import COMMANDS
from hw.dram.hbm2 import DRAM
from hw.spec.chip import Chip
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts
from hw.spec.pim import ModeChange, PimSpec, RegisterFile

_REGISTERS = 0x3FFF

CHIP = Chip(
    title="HBM-PIM: HBM2 with one 16-lane FP16 unit per pair of banks",
    machine=PimSpec(
        kind="hbm_pim",
        title="HBM-PIM",
        dram=DRAM,
        commands=COMMANDS,
        units=8, banks_per_unit=2, lanes=16,
        number="fp16", accumulator="fp16",
        modes=("SB", "HAB", "HAB_PIM"),
        mode_changes=(
            ModeChange(before="SB", after="HAB", command="ACT", row=0x17FF, banks=(0, 1, 8, 9)),
            ModeChange(before="HAB", after="SB", command="PRE", row=0x1FFF, banks=(0, 1)),
            ModeChange(before="HAB", after="HAB_PIM", command="WR", row=_REGISTERS, column=0, banks=(0,), data_bit=1),
            ModeChange(before="HAB_PIM", after="HAB", command="WR", row=_REGISTERS, column=0, banks=(0,), data_bit=0),
        ),
        registers=(
            RegisterFile(name="SRF", entries=16, bits=16, row=_REGISTERS, column=0x01, columns=1),
            RegisterFile(name="CRF", entries=32, bits=32, per="channel", row=_REGISTERS, column=0x04, columns=4),
            RegisterFile(name="GRF_A", entries=8, bits=256, row=_REGISTERS, column=0x08, columns=8),
            RegisterFile(name="GRF_B", entries=8, bits=256, row=_REGISTERS, column=0x18, columns=8),
        ),
        row_without_trigger_bit=12,
        park_row=0x1000,
    ),
    facts=CardFacts(
        units_per_stack=Fact(nominal=128, unit="1", confidence="secondary",
                             source="ISSCC 2021 / ISCA 2021, as known; 16 pseudo-channels x 8 units"),
        bandwidth_per_stack=Fact(nominal=307, unit="GB/s", confidence="inferred",
                                 source="16 pseudo-channels x 64 bit x 2.4 Gb/s"),
        peak_fp16=Fact(nominal=1.23, unit="TFLOPS", confidence="inferred",
                       source="128 units x 16 lanes x 2 x 0.3 GHz, per stack"),
    ),
)
