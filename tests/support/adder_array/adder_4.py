"""Four adders."""

from hw.spec.chip import Chip
from tests.support.adder_array.spec import AdderSpec

CHIP = Chip(title="four adders", machine=AdderSpec(lanes=4))
