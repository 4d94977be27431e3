"""Stage 3, 2029 to 2030: a hypothesis from published macros of analogue MACs in non-volatile memory."""

from hw.spec.fact import Fact
from model.projection.stage import Macro, Stage

_IBM = "IBM 64-core phase-change-memory chip, 14 nm (Nature Electronics 2023), as quoted by secondary notes"

STAGE = Stage(
    number=3,
    years=(2029, 2030),
    title="NPU with analogue NVM (hypothesis)",
    technology="non-volatile memory, analogue multiply-accumulate NPU",
    basis="hypothesis",
    domestic_share=Fact(
        nominal=0.80, unit="1", confidence="press", source="ETNews 2022-12-12; by 2030; the programme of 2024 says 20 %"
    ),
    note="no figure of a stage 3 chip is published: macros of another maker stand for it, their digital side, accuracy "
    "and yield are left out; the key-value cache stays in DRAM",
    macros=(
        Macro(
            name="four_phase",
            title="four-phase, about 8 bits",
            efficiency=Fact(nominal=2.48, unit="TOPS/W", confidence="secondary", source=_IBM),
            speed=Fact(nominal=16.1, unit="TOPS", confidence="secondary", source=_IBM),
        ),
        Macro(
            name="one_phase",
            title="one-phase, 3 to 4 effective bits",
            efficiency=Fact(
                nominal=9.76,
                unit="TOPS/W",
                confidence="secondary",
                source=_IBM,
                note="calling it INT8 overstates it about fourfold",
            ),
            speed=Fact(nominal=63.1, unit="TOPS", confidence="secondary", source=_IBM),
        ),
    ),
    weights_per_chip=Fact(
        nominal=64 * 256 * 256,
        unit="weights",
        confidence="secondary",
        source=_IBM,
        note="64 arrays of 256 x 256; a weight is a pair of cells",
    ),
    idle_per_chip=Fact(
        nominal=0.2,
        low=0.02,
        high=1.0,
        unit="W",
        confidence="assumed",
        source="clock, links and leakage of a chip of 4 million weights; nothing is published",
    ),
    area_per_mib=Fact(
        nominal=4.5,
        low=4.1,
        high=14.9,
        unit="mm2/MiB",
        confidence="inferred",
        source="NeuroSim, 22 nm, 2-bit RRAM: 4.1 to 4.9 at 256 x 256, 12.2 to 14.9 at 128 x 128",
    ),
)
