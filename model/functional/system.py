"""What a program leaves in the memories of a system: one descriptor after the other, values only."""

from dataclasses import replace
from functools import partial
from typing import Protocol

import numpy as np

from hw.base.error import InputError
from hw.spec.crossbar_unit import Product
from hw.spec.dram import Timing
from hw.spec.system import Program, SystemSpec
from model.cycle.system.kinds import contents_of, controller_of
from model.cycle.system.run import core_item
from model.cycle.system.vector_port import VectorPort
from model.functional.npu import Memories


class Multiplies(Protocol):
    """Crossbars with weights in them."""

    def execute(self, product: Product, shared: np.ndarray) -> None:
        """Carry `product` out on the shared memory, uint16 (words, 16)."""
        ...


class SystemMemories:
    """The memories of a system; `run` executes a program in its order, which tokens never contradict.

    Attributes
    ----------
    shared : uint16 array (words, lanes)
    core : Memories
        Of the core; its external memory is the shared memory.
    channels : dict of str to Contents
        Unit of each channel -> its banks, buffer, accumulators; `contents`: those of the first.
    pointed : dict of str to list of int
        Unit of each channel -> numbers read at pointers so far, in order: what the stepped model asks for.
    """

    def __init__(
        self,
        spec: SystemSpec,
        timing: Timing,
        vector: VectorPort | None = None,
        crossbars: Multiplies | None = None,
    ) -> None:
        self.core = Memories(spec.core)
        self.channels = {unit: contents_of(spec.controller, timing) for unit in spec.memory_units}
        self.contents = self.channels["memory"]
        self.shared = self.core.external.view("<u2")
        for contents in self.channels.values():
            contents.shared = self.shared
        self.pointed: dict[str, list[int]] = {unit: [] for unit in self.channels}
        self._vector, self._crossbars = vector, crossbars
        # the order of the commands is all that counts here
        at_once = replace(spec.controller, refresh=False)
        self._controllers = {
            unit: controller_of(at_once, timing, contents.take) for unit, contents in self.channels.items()
        }

    def run(self, program: Program) -> None:
        """Execute `program`; what is refused changes nothing."""
        for item in program.commands:
            if item.unit == "core":
                self.core.run([core_item(item.command)])
            elif item.unit in self._controllers:
                controller = self._controllers[item.unit]
                controller.run(item.command.pack(), pointed=partial(self._point, item.unit))
            elif isinstance(item.command, Product):
                if self._crossbars is not None:
                    self._crossbars.execute(item.command, self.shared)
            elif self._vector is not None:
                self._vector.execute(item.command.pack(), self.shared)

    def _point(self, unit: str, address: int) -> int:
        self.pointed[unit].append(self.channels[unit].pointed(address))
        return self.pointed[unit][-1]

    def replay(self) -> dict[str, "Pointed"]:
        """Unit of each channel -> the numbers read at pointers, for a stepped run of the same program."""
        return {unit: Pointed(numbers) for unit, numbers in self.pointed.items()}


class Pointed:
    """Gives numbers read at pointers in their order."""

    def __init__(self, numbers: list[int]) -> None:
        self._numbers = iter(list(numbers))

    def __call__(self, address: int) -> int:
        number = next(self._numbers, None)
        if number is None:
            raise InputError(f"a pointer must have been read before it is asked for again, at word {address}")
        return number
