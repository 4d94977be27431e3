"""Cycles of a program of GEMMs, copies and fences on an output-stationary core with copy channels: stepped.

What differs from `model.cycle.npu.program.weight_stationary_program` is what happens in a fold; rules as in
`model.cycle.npu.output_stationary_core`, words missing and
banks met in either operand memory as in the weight-stationary core.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hw.base.integer import ceil_div
from hw.spec.command import Command
from hw.spec.core import CoreSpec
from model.cycle.npu.passes import Pass, Passes
from model.cycle.npu.program.equal_cycles import take_equal_words
from model.cycle.npu.program.state import Program
from model.cycle.npu.program.timing import counted
from model.cycle.npu.program.weight_stationary_program import WeightStationaryRun
from model.cycle.npu.timing import Timing


@dataclass(slots=True)
class Fold(Pass):
    """One fold: `words` words of either operand, results for `rows` rows."""

    words: int = 0


class Folds(Passes):
    """The folds of one command, by number: blocks of rows, then of columns."""

    def __init__(self, core: CoreSpec, command: Command) -> None:
        self._command, self._rows = command, core.array.rows
        self.n_blocks = command.n_blocks
        self.count = ceil_div(command.m, self._rows) * command.n_blocks

    def __getitem__(self, index: int) -> Fold:
        c = self._command
        block, n = divmod(index, c.n_blocks)
        start = block * self._rows
        first = c.activation_address + block * c.k_blocks
        return Fold(
            source=self,
            index=index,
            activation=range(first, first + c.k_blocks),
            regular=True,
            rows=min(self._rows, c.m - start),
            first=False,
            last=False,
            ends_command=index == self.count - 1,
            weight=c.weight_address + n * c.k_blocks,
            output=c.output_address + n * c.m + start,
            parameter=c.parameter_address + n,
            words=c.k_blocks,
        )


class OutputStationaryRun(WeightStationaryRun):
    """State of one run; equal cycles are taken at once (`model.cycle.npu.program.equal_cycles`).

    A fold's words are issued when both are there and both banks are free.
    """

    __slots__ = ("bottom_first",)

    def __init__(self, core: CoreSpec, program: Program, holds: Mapping[str, Sequence[bool]]) -> None:
        super().__init__(core, program, holds)
        self.bottom_first = core.array.drain == "columns"
        self.last_word = -self.rows - self.array.fold_delay

    def passes(self, command: Command) -> Passes:
        return Folds(self.core, command)

    def run(self) -> Timing:
        while self.look():
            if self.move() and self.cycle >= self.held_until:
                take_equal_words(self)
        return counted(self)

    def look_engines(self, port: int) -> str:
        self.read = self.swap = self.release = self.load = self.missing = self.weight_missing = False
        self.conflict = False
        if not self.queued:
            return ""
        now, since = self.queued[0], self.cycle - self.last_word
        assert isinstance(now, Fold)
        if (self.row == 0 and since < self.array.fold_delay) or (
            self.row == now.words - 1 and (since < self.rows or self.free_rows < self.rows)
        ):
            return "wait_accumulator"
        weight, address = now.weight + self.row, now.activation[self.row]
        if self.weight.missing(weight, self.streamed):
            return "weight_missing"
        if self.weight.address >= 0 and (self.weight.address - weight) % self.banks == 0:
            self.weight_conflicts += 1
            self.conflict = True
            return "weight_blocked"
        if self.activation.missing(address, self.streamed) or self.output.missing(address, self.streamed):
            return "activation_missing"
        if port >= 0 and (port - address) % self.banks == 0:
            self.activation_conflicts += 1
            self.conflict = True
            return "activation_blocked"
        self.read = True
        return ""

    def _issue(self) -> bool:
        now, cycle = self.queued[0], self.cycle
        assert isinstance(now, Fold)
        self.macs += 1
        self.reads += 1
        self.tile_reads += 1
        self.row += 1
        if self.row < now.words:
            return False
        self.row = 0
        self.swaps += 1
        self.last_word = cycle
        self.streamed += now.ends_command
        self.loaded_commands += now.ends_command
        self.free_rows -= now.rows
        self.in_flight += now.rows
        first = cycle + self.array.fold_tail + (self.rows - now.rows if self.bottom_first else 0) + 1
        for i in range(now.rows):
            row = now.rows - 1 - i if self.bottom_first else i
            self.finishing.push(
                first + i, now.output + row, now.parameter, starts=i == 0, ends=now.ends_command and i == now.rows - 1
            )
        self.queued.popleft()
        self.tiles.popleft()
        return True
