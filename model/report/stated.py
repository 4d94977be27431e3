"""Numbers of the prose that are settings, not figures: each is read where it is stated, none is typed into a
sentence."""

from model.projection import services
from model.projection.breakeven import GPUS, PEAK
from model.projection.curve import LEAST_GAIN
from model.projection.nvm import ALL_BITS, FEW_BITS
from model.projection.served import MIX
from model.projection.service import Service
from model.report.load import TASK_SERVICES
from model.report.summary import PERCENTILES, SAMPLES

IMAGES: Service = services.load(TASK_SERVICES["images"])
"""The image service behind every rate of images."""

TOKENS: Service = services.load(TASK_SERVICES["tokens"])
"""The language service behind every rate of tokens."""

SERVED = MIX.how
"""Requests behind the tokens of a site."""

NETWORK = IMAGES.title.split(",")[0]
"""The image network alone, "ResNet-50" say."""

MODEL = TOKENS.title.split(",")[0]
"""The language model alone."""

LOW_END, HIGH_END = (f"{end} %" for end in PERCENTILES)
"""The two percentiles every likely range is made of."""

MIDDLE = f"middle {PERCENTILES[1] - PERCENTILES[0]} %"
"""What lies between them."""

DRAWN = f"{SAMPLES:,} samples"
"""How many draws of all inputs the percentiles come from."""

GAIN = f"{LEAST_GAIN:.0%}".replace("%", " %")
"""The share of a step PIM must take off to count as a gain."""

GPU_COUNT = str(GPUS)
"""How many overseas GPUs the break-even is against."""

GPU_FORMAT = PEAK.removeprefix("peak_").upper()
"""The format in which both sides' peaks are printed there."""

FEW = f"{FEW_BITS.minimum:g} to {FEW_BITS.maximum:g} effective bits"
"""What one-phase reading of analogue cells keeps."""

ALL = f"about {ALL_BITS}"
"""Effective bits of the slower reading."""

BYTE = f"{ALL_BITS} x {ALL_BITS} bits"
"""Operand widths at which macros are compared."""


def context(tokens: int | None = None) -> str:
    """Tokens that a sequence holds, of the language service unless given."""
    task = TOKENS.language
    return f"{(task.context if tokens is None and task else tokens or 0):,} tokens"


def services_line() -> str:
    """Task, number format and batch behind every rate of a site."""
    return f"Images: {IMAGES.how}. Tokens: {SERVED}."
