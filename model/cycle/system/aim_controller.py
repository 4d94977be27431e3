"""The stepped model of the memory controller of a GDDR6-AiM channel; see `model.cycle.system.controller`."""

from collections.abc import Callable, Iterator

from hw.spec.dram import Timing
from hw.spec.memory_controller import CONTROLLER_LABELS, ControllerSpec, moved_after
from model.cycle.dram_pim.bank import CLOSED
from model.cycle.system.controller import Controller, Issued, Need
from model.cycle.system.descriptor import address_of, fields_of, needs, refusal


class AimController(Controller):
    """One controller and the timing of its channel."""

    def __init__(self, spec: ControllerSpec, timing: Timing, watch: Callable[[Issued], None] = lambda _: None) -> None:
        super().__init__(spec, timing, CONTROLLER_LABELS, moved_after(timing), watch)
        self.register_mode = False
        self._commands = {c.name: c for c in spec.pim.commands.commands}

    def read(self, word: int, pointed: Callable[[int], int]) -> tuple[int, Iterator[Need]]:
        """See `Controller`."""
        fields = fields_of(word)
        address = address_of(self.spec, fields, pointed, self.spec.pim.dram.organisation.banks)
        return refusal(self.spec, fields, address), needs(self.spec, fields, address)

    def _reached(self, name: str, bank: int | None) -> tuple[int, ...]:
        return () if bank is None else (bank,)

    def _clear(self) -> tuple[str, int | None]:
        if self.register_mode:
            return "TMOD", None
        return ("PREA" if any(row != CLOSED for row in self.banks.open_row) else "REF"), None

    def _next(self, need: Need) -> tuple[str, int | None, str]:
        rows = self.banks.open_row
        if self.register_mode and not need.register_mode:
            return "TMOD", None, "mode"
        if not self.register_mode and need.rows:
            if need.wide:
                if any(row != need.row for row in rows):
                    return ("ACT16" if all(row == CLOSED for row in rows) else "PREA"), None, "row"
            elif rows[need.bank] != need.row:
                return ("ACT" if rows[need.bank] == CLOSED else "PRE"), need.bank, "row"
        if need.register_mode and not self.register_mode:
            return "TMOD", None, "mode"
        return need.act, need.bank if self._commands[need.act].scope == "bank" else None, "column"

    def _issue(self, name: str, bank: int | None, row: int, now: int, need: Need | None) -> None:
        super()._issue(name, bank, row, now, need)
        if name == "TMOD":
            self.register_mode = not self.register_mode
