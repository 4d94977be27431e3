"""What the commands of a memory controller leave in banks and shared memory: values, command by command."""

from typing import Protocol

import numpy as np

from hw.spec.dram import Timing
from hw.spec.memory_controller import ControllerSpec
from model.cycle.system.controller import Issued
from model.functional.aim import AimDevice
from model.functional.hbm_pim import HbmPimDevice


class Device(Protocol):
    """A channel that holds data."""

    error: int
    rows: dict[tuple[int, int], np.ndarray]

    def row(self, bank: int, row: int) -> np.ndarray:
        """The columns of a row, as they are in the bank: an array (columns, lanes) that may be written."""
        ...


class Contents(Protocol):
    """Shared memory and one channel. `shared`: uint16 (words, lanes); `device` holds the banks."""

    shared: np.ndarray

    @property
    def device(self) -> Device:
        """The banks."""
        ...

    def pointed(self, address: int) -> int:
        """The low 16 bits of a word of the shared memory."""
        ...

    def take(self, issued: Issued) -> None:
        """What one command does."""
        ...


class _Words:
    """The shared memory."""

    def __init__(self, spec: ControllerSpec) -> None:
        self.spec = spec
        self.shared = np.zeros((spec.shared_words, spec.pim.lanes), np.uint16)

    def pointed(self, address: int) -> int:
        """See `Contents`."""
        return int(self.shared[address, 0])


class AimContents(_Words):
    """Shared memory and an AiM channel; see `Contents`."""

    def __init__(self, spec: ControllerSpec, timing: Timing) -> None:
        super().__init__(spec)
        self.device = AimDevice(spec.pim, timing, check_timing=False)
        self._buses = {command.name: command.bus for command in spec.pim.commands.commands}

    def take(self, issued: Issued) -> None:
        """See `Contents`."""
        need = issued.need
        answer = self.device.issue(
            issued.name, issued.cycle, bank=max(issued.bank, 0), row=issued.row,
            column=need.column if need else 0, accumulator=need.accumulator if need else 0,
            data=self.shared[need.shared] if need is not None and need.data else None)  # fmt: skip
        if need is not None and self._buses[issued.name] == "read":
            self.shared[need.shared] = answer


class HbmPimContents(_Words):
    """Shared memory and an HBM-PIM channel; see `Contents`."""

    def __init__(self, spec: ControllerSpec, timing: Timing) -> None:
        super().__init__(spec)
        self.device = HbmPimDevice(spec.pim, timing, check_timing=False)

    def take(self, issued: Issued) -> None:
        """See `Contents`."""
        need, bank = issued.need, max(issued.bank, 0)
        word = np.frombuffer(int(issued.word).to_bytes(2 * self.spec.pim.lanes, "little"), "<u2")
        if need is not None and need.data == "shared" and issued.name == "WR":
            word = self.shared[need.shared]
        column = need.column if need is not None else 0
        answer = self.device.issue(issued.name, bank, issued.row, column, issued.cycle, word)
        if need is not None and need.label == "read":
            self.shared[need.shared] = answer
