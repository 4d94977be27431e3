"""A trial kind of machine, for tests only: lanes that each add one byte a cycle. Its entry in the table is one line."""

from dataclasses import dataclass
from typing import ClassVar

from hw.spec.kind import KINDS, Kind

HERE = "tests.support.adder_array"

KINDS["adder_array"] = Kind(name="adder_array", title="adder array", top=f"{HERE}.rtl", events=f"{HERE}.events", cycles=f"{HERE}.cycles", reference=f"{HERE}.reference", bench=f"{HERE}.adder_tests", prices=f"{HERE}.prices", workload="adder_sums", small_workload="adder_sums")  # fmt: skip  # noqa: E501


@dataclass(frozen=True, slots=True, kw_only=True)
class AdderSpec:
    """`lanes` adders of 16 bits."""

    part: ClassVar[str] = "adder"
    lanes: int

    @property
    def kind(self) -> str:
        return "adder_array"

    @property
    def number(self) -> str:
        return "int8"

    @property
    def cells(self) -> int:
        return self.lanes

    @property
    def label(self) -> str:
        return f"{self.lanes} adders"

    @property
    def macs_per_cycle(self) -> int:
        return self.lanes
