"""What the commands of a memory controller leave in banks and shared memory: values, command by command."""

import numpy as np

from hw.spec.dram import Timing
from hw.spec.memory_controller import ControllerSpec
from model.cycle.system.aim_controller import Issued
from model.functional.aim import AimDevice


class Contents:
    """Shared memory and one AiM channel. `shared`: uint16 (words, lanes); `device` holds the banks."""

    def __init__(self, spec: ControllerSpec, timing: Timing) -> None:
        self.spec = spec
        self.shared = np.zeros((spec.shared_words, spec.pim.lanes), np.uint16)
        self.device = AimDevice(spec.pim, timing, check_timing=False)
        self._buses = {command.name: command.bus for command in spec.pim.commands.commands}

    def pointed(self, address: int) -> int:
        """The low 16 bits of a word of the shared memory."""
        return int(self.shared[address, 0])

    def take(self, issued: Issued) -> None:
        """What one command does."""
        need, bus = issued.need, self._buses[issued.name]
        carries = need is not None and bus == "write" and issued.name != "WRMAC16"
        answer = self.device.issue(
            issued.name,
            issued.cycle,
            bank=max(issued.bank, 0),
            row=issued.row,
            column=need.column if need else 0,
            accumulator=need.accumulator if need else 0,
            data=self.shared[need.shared] if need is not None and carries else None,
        )
        if need is not None and bus == "read":
            self.shared[need.shared] = answer
