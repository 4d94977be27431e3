"""What a channel's own counters reach, from the commands of its memory controller."""

from collections import Counter

from hw.spec.memory_controller import ControllerSpec
from model.cycle.system.controller import Issued


class AimEvents:
    """Counters of a GDDR6-AiM channel: what a command does, in one bank or in all, follows from the command set."""

    def __init__(self, spec: ControllerSpec) -> None:
        self.counts: Counter[str] = Counter()
        self._commands = {command.name: command for command in spec.pim.commands.commands}
        self._banks = spec.pim.dram.organisation.banks

    def take(self, issued: Issued) -> None:
        """A command on the port."""
        command, counts = self._commands[issued.name], self.counts
        does, banks = set(command.operations), 1 if command.scope == "bank" else self._banks
        if "open_row" in does:
            counts["activate"] += banks
        if "close_row" in does:
            counts["precharge"] += 1
        counts["refresh"] += issued.name == "REF"
        counts["mode"] += "toggle_mode" in does
        if "read_column" in does:
            counts["bank_read"] += banks
        if "write_column" in does:
            counts["bank_write"] += banks
        if "multiply_accumulate" in does:
            counts["unit_mac"] += banks
        counts["word_in"] += command.bus == "write"
        counts["word_out"] += command.bus == "read"


_COUNTER_OF = {"mac": "mac", "store": "compute", "read": "read", "write": "write"}
"""What a command is for -> counter of the channel: results are stored by FILL, which counts as any other operation."""


class HbmPimEvents:
    """Counters of an HBM-PIM channel, by what the commands are for."""

    def __init__(self, spec: ControllerSpec) -> None:
        self.counts: Counter[str] = Counter()
        self._all_banks = False

    def take(self, issued: Issued) -> None:
        """A command on the port."""
        counts, need = self.counts, issued.need
        if issued.name == "ACT":
            counts["activate_broadcast" if self._all_banks and issued.bank < 2 else "activate"] += 1
        elif issued.name == "PRE":
            counts["precharge"] += 1
        elif issued.name == "REF":
            counts["refresh"] += 1
        elif need is not None:
            counts[_COUNTER_OF.get(need.label, "control")] += 1
        if need is not None and (need.enters or need.leaves):
            self._all_banks = need.enters


def events_of(spec: ControllerSpec) -> AimEvents | HbmPimEvents:
    """The counters of `spec`'s channel, all 0."""
    return (AimEvents if spec.pim.align_bits else HbmPimEvents)(spec)
