"""GDDR6-AiM: GDDR6 with one 16-multiplier BF16 unit per bank."""

from hw.commands.aim import COMMANDS
from hw.dram.gddr6_aim import DRAM
from hw.spec.chip import Chip
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts
from hw.spec.pim import Activation, PimSpec, RegisterFile

CHIP = Chip(
    title="GDDR6-AiM: GDDR6 with one 16-multiplier BF16 unit per bank",
    machine=PimSpec(
        kind="aim",
        title="GDDR6-AiM",
        dram=DRAM,
        commands=COMMANDS,
        units=16, banks_per_unit=1, lanes=16,
        number="bf16",
        # The vendor publishes a bank-wide mantissa shift, not its width. FP32 between commands; products and
        # accumulator are cut at 27 bits below the largest exponent, so 17 terms lose less than 2**-22 of the largest,
        # which is below half a unit of the 24-bit result's last places that BF16 keeps.
        accumulator="fp32", align_bits=27,
        modes=("memory", "register"),
        registers=(
            RegisterFile(name="GB", entries=64, bits=256, per="channel"),
            RegisterFile(name="MAC", entries=32, bits=32),
            RegisterFile(name="AF", entries=32, bits=16),
        ),
        activations=(
            Activation(name="gelu", code=0, kind="table", limit=8.0, segments=512),
            Activation(name="sigmoid", code=1, kind="table", limit=8.0, segments=512),
            Activation(name="tanh", code=2, kind="table", limit=8.0, segments=512),
            Activation(name="relu", code=3, kind="relu"),
            Activation(name="leaky_relu", code=4, kind="leaky_relu", slope=0.01),
        ),
    ),
    facts=CardFacts(
        peak_bf16=Fact(nominal=1.0, unit="TFLOPS", confidence="vendor",
                       source="JSSC 2023 abstract; 32 units x 16 lanes x 2 x 1 GHz, per package"),
        bandwidth_per_channel=Fact(nominal=32, unit="GB/s", confidence="vendor", source="Hot Chips 35 coverage"),
    ),
)
