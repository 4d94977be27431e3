"""Closed form of GEMMs between external memories, bandwidth and latency included.

For programs as `model.lowering.program.streamed` makes them, on an unheld external memory: an expression in maxima and
sums per pass, without a clock. Formulas and their derivation: docs/decisions/0005-memory-side.md. It shares
no code with the stepped model.
"""

from collections.abc import Sequence

import numpy as np

from hw.spec.command import Command, activation_word_bits, output_word_bits, parameter_word_bits, weight_word_bits
from hw.spec.core import OUTPUT_ROWS, PASS_ENTRIES, CoreSpec
from hw.spec.dma import COPY_ENTRIES
from hw.spec.npu_event import LABELS
from model.cycle.npu.program import external_memory_repeats as repeats
from model.cycle.npu.program.read_times import Arrival, read_times, running_max
from model.cycle.npu.timing import OUTPUT_CYCLES
from model.lowering import lower
from model.lowering.program import Placed

SCRATCHPADS: tuple[str, ...] = ("activation", "weight", "parameter")
"""The memories that are copied into."""

WORDS = {"weight": weight_word_bits, "activation": activation_word_bits, "parameter": parameter_word_bits}
"""Read channels in the order of a program's copies, and the width of their words."""


class WeightStationaryForm:
    """Cycles of one program; times are cycles, 0 the one in which its first command is accepted."""

    def __init__(self, core: CoreSpec, placed: Sequence[Placed]) -> None:
        assert core.dma is not None
        self.core, self.array, self.dma, self.placed = core, core.array, core.dma, placed
        self.depth = core.array.rows * core.array.mac_latency + core.array.columns
        self.labels = dict.fromkeys(LABELS, 0)
        self.conflicts = dict.fromkeys(WORDS, 0)
        self.waits = 0
        self.decoded = 1  # cycle in which the last descriptor was handed on
        self.popped = 1  # cycle in which it left the queue
        self.arrivals: dict[str, list[Arrival]] = {name: [] for name in WORDS}
        self.asked = dict.fromkeys(WORDS, -1)  # last request of each channel
        self.opened: list[int] = []  # per command: its copy of outputs is open
        self.copied: list[np.ndarray] = []  # per command: cycle in which each output word is read
        self.ended: list[int] = []  # per command: its last row leaves
        self.emitted = 0  # last pass handed to the engines
        self.ends: list[int] = []  # per pass: its last row is issued
        self.released = 0  # weight registers are free from here on
        self.drained = np.zeros(0, np.int64)  # per row since the first: its accumulators are free
        self.left = np.zeros(0, np.int64)  # per row since the first: it leaves the core
        self.refused: list[tuple[int, int]] = []  # first and last cycle in which a row had to stay
        self.allocated = 0  # accumulator rows given out

    # ---- decoder and copies

    def _take(self, earliest: int = 0) -> int:
        self.popped, self.decoded = self.decoded, max(self.decoded + 1, earliest)
        return self.decoded

    def open_inputs(self, index: int) -> None:
        """The copies of command `index`'s operands: decoded one per cycle, requested when their half is free."""
        item = self.placed[index]
        counts = lower.words_of(self.core, item.command)[:3]
        words = dict(zip(SCRATCHPADS, counts, strict=True))
        for name, bits in WORDS.items():
            before = self.arrivals[name]
            room = before[index - COPY_ENTRIES].last + 1 if index >= COPY_ENTRIES else 0
            asked = max(self._take(room), self.asked[name]) + 1
            if index >= 2:
                asked = max(asked, self.ended[index - 2] + 1)
            last = before[-1].last if before else -1
            arrival = Arrival(
                base=getattr(item.command, f"{name}_address"),
                words=words[name],
                beats=self.dma.beats(bits(self.core)),
                first=max(asked + self.dma.latency_cycles, last + 1),
            )
            self.waits += arrival.first - 1 - max(asked, last)
            self.asked[name] = asked
            before.append(arrival)

    def open_gemm(self, index: int) -> None:
        """The GEMM itself, behind the last pass of the one before, then the copy of its outputs."""
        self.emitted = max(self._take(self.emitted), self.emitted)
        room = int(self.copied[index - COPY_ENTRIES][-1]) + self.output_beats + 1 if index >= COPY_ENTRIES else 0
        self.opened.append(self._take(room) + 1)

    @property
    def beats(self) -> dict[str, int]:
        """Read channel -> beats of one word."""
        return {name: self.dma.beats(bits(self.core)) for name, bits in WORDS.items()}

    @property
    def output_beats(self) -> int:
        """Beats of one output word."""
        return self.dma.beats(output_word_bits(self.core))

    # ---- passes

    def run(self) -> int:
        """All commands; the cycle in which the last beat is outside."""
        self.open_inputs(0)
        for index, item in enumerate(self.placed):
            self.open_gemm(index)
            if index + 1 < len(self.placed):
                self.open_inputs(index + 1)
            self._command(index, item)
        end = int(self.copied[-1][-1]) + self.output_beats
        self._in_flight(self.ends[-1] + 1, self.ended[-1])
        self.labels["copy"] += end - self.ended[-1]
        return end

    def _command(self, index: int, item: Placed) -> None:
        command, block = item.command, self.core.block_rows
        leaving = np.zeros((command.n_blocks, command.m), np.int64)
        issued = leaving[0]
        for start in range(0, command.m, block):
            rows = min(block, command.m - start)
            n, before = 0, None
            while n < command.n_blocks:
                quiet = self._quiet(index, self.ends[-1] if self.ends else 0)
                issued = self._block(index, command, n, start, rows)
                leaving[n, start : start + rows] = self._leave(
                    index, issued + self.depth + 1, n, n * command.m + start + np.arange(rows)
                )
                n += 1
                if quiet and n < command.n_blocks:
                    mark = repeats.after_block(self)
                    if before is not None and before.state == mark.state:
                        leaving[n:, start : start + rows] = repeats.repeat_blocks(
                            self, before, mark, command.n_blocks - n, rows=rows, passes=command.k_blocks
                        )
                        break
                    before = mark
        self.ended.append(int(self.left[-1]))
        self._copy_out(index, leaving.ravel())

    def _block(self, index: int, command: Command, n: int, start: int, rows: int) -> np.ndarray:
        """The passes of `rows` rows from `start` on for one block of columns; when the rows of the last are issued."""
        k, before, issued = 0, None, np.zeros(rows, np.int64)
        while k < command.k_blocks:
            self._hand_on()
            weight = command.weight_address + (n * command.k_blocks + k) * self.array.rows
            loaded = self._load(index, weight)
            activation = command.activation_address + k * command.m + start
            issued = self._stream(index, loaded, activation, rows, first=k == 0)
            left = command.k_blocks - 2 - k
            if k and left > 0 and self.emitted < issued[0] and self._quiet(index, int(issued[0])):
                mark = repeats.after_pass(self)
                if before is not None and before.state == mark.state:
                    k += repeats.repeat_passes(self, before, mark, left)
                    mark = None
                before = mark
            k += 1
        return issued

    def _quiet(self, index: int, begin: int) -> bool:
        """From `begin` on no word is written into a scratchpad, and no row waits for outputs to be copied."""
        copied = index < 2 or int(self.copied[index - 2][-1]) < begin
        return copied and all(a.last < begin for arrivals in self.arrivals.values() for a in arrivals[index:])

    def _load(self, index: int, weight: int) -> int:
        """Load one tile, bottom row first; the cycle in which its last word is read. Labels the wait for it."""
        rows = self.array.rows
        begin = max(self.emitted + 1, self.released)
        present = max(begin, self.arrivals["weight"][index].written(weight + rows - 1) + 1)
        last, idle, blocked = present + rows - 1, self._known(), 0
        arrivals = self._during("weight", index, present, last)
        if arrivals:
            low = np.full(rows, present)
            at = read_times(low, [(weight + rows - 1 - np.arange(rows), arrivals)], self.dma.banks)
            last = int(at[-1])
            self.conflicts["weight"] += last + 1 - present - rows
            seen = max(present, idle)  # cycles from here on in which no word is read are labelled
            blocked = max(0, last + 1 - seen - int(np.count_nonzero(at >= seen)))
        missing = max(0, present - max(begin, idle))
        self.labels["weight_missing"] += missing
        self.labels["weight_blocked"] += blocked
        self.labels["wait_weight"] += max(0, last + 1 - idle) - missing - blocked
        return last

    def _hand_on(self) -> None:
        """The sequencer's next pass: one per cycle, at most PASS_ENTRIES ahead of the last row issued."""
        self.emitted += 1
        if len(self.ends) >= PASS_ENTRIES:
            self.emitted = max(self.emitted, self.ends[-PASS_ENTRIES] + 1)

    def _known(self) -> int:
        """First cycle after the pass before in which the next is at the engines; labels those until then."""
        idle = self.ends[-1] + 1 if self.ends else 3
        seen = self.emitted + 1
        if seen <= idle:
            return idle
        left = max(idle - 1, min(seen - 1, int(self.left[-1]))) if self.ends else idle - 1
        self._in_flight(idle, left)
        self.labels["copy"] += seen - 1 - left
        return seen

    def _during(self, name: str, index: int, begin: int, end: int) -> list[Arrival]:
        """Copies, of this command and the next, that may meet reads from `begin` on, `end` if they meet none."""
        arrivals = [a for a in self.arrivals[name][index : index + 2] if a.last >= begin]
        return arrivals if any(a.first <= end for a in arrivals) else []

    def _stream(self, index: int, loaded: int, activation: int, rows: int, *, first: bool) -> np.ndarray:
        """Issue the rows of a pass; their cycles."""
        begin = max(loaded, self.ends[-1] if self.ends else 0, self.emitted) + 1
        mine = self.arrivals["activation"][index]
        if not first and mine.last < begin and not self._during("activation", index, begin, begin + rows - 1):
            return self._issued(begin + np.arange(rows))
        space = np.zeros(rows, np.int64)
        if first:
            self.allocated = self.allocated + rows
            over = self.allocated - self.core.accumulator_rows
            if over > 0:
                wanted = np.arange(over - rows, over)
                space = np.where(wanted >= 0, self.drained[np.maximum(wanted, 0)], 0)
        arrives = mine.first + (activation - mine.base + 1 + np.arange(rows)) * mine.beats
        at = running_max(np.maximum(np.maximum(space, arrives), begin))
        arrivals = self._during("activation", index, begin, int(at[-1]))
        if arrivals:
            at = read_times(
                np.maximum(np.maximum(space, arrives), begin),
                [(activation + np.arange(rows), arrivals)],
                self.dma.banks,
            )
        if at[-1] - begin >= rows:
            base = np.concatenate(([begin], at[:-1] + 1))
            full = np.maximum(space - base, 0)
            missing = np.maximum(arrives - base - full, 0)
            met = int((at - base - full - missing).sum())
            self.labels["wait_accumulator"] += int(full.sum())
            self.labels["activation_missing"] += int(missing.sum())
            self.labels["activation_blocked"] += met
            self.conflicts["activation"] += met
        return self._issued(at)

    def _issued(self, at: np.ndarray) -> np.ndarray:
        """Take note that the rows of a pass are issued in these cycles; the same."""
        self.labels["stream"] += len(at)
        self.ends.append(int(at[-1]))
        release = int(at[0] if self.array.swap_releases_weights else at[-1])
        self.released = release + self.array.load_delay
        return at

    # ---- finished rows

    def _leave(self, index: int, ready: np.ndarray, n: int, places: np.ndarray) -> np.ndarray:
        """Rows of one block that may drain from `ready` on, through drain and output stage, to words `places` of the
        command's outputs; the cycle in which each leaves the core."""
        command = self.placed[index].command
        parameter = self.arrivals["parameter"][index].written(command.parameter_address + n) + 1
        ready[0] = max(ready[0], parameter, int(self.drained[-1]) if len(self.drained) else 0)
        drained = running_max(ready)
        left = drained + OUTPUT_CYCLES - 1
        if index >= 2:
            # the word a row overwrites must have been copied
            copied = self.copied[index - 2]
            before = np.where(places < len(copied), copied[np.minimum(places, len(copied) - 1)] + 1, 0)
            late = self.left[-1] - self.drained[-1] >= OUTPUT_CYCLES - 1  # the row before had to stay
            if late or (before > left).any():
                drained, left = self._refuse(ready, before)
        self.drained = np.concatenate((self.drained, drained + 1))
        self.left = np.concatenate((self.left, left))
        return left

    def _refuse(self, ready: np.ndarray, copied: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Drain and leaving of rows that may overwrite outputs only when these are copied; OUTPUT_ROWS in between."""
        drained, left = self.drained.tolist(), self.left.tolist()
        count = len(left)
        for row, asked in enumerate(ready.tolist()):
            drain = max(asked, drained[-1], left[-OUTPUT_ROWS] + 1 if len(left) >= OUTPUT_ROWS else 0)
            offered = max(drain + OUTPUT_CYCLES - 1, left[-1] + 1)
            leaves = max(offered, int(copied[row]))
            if leaves > offered:
                self.refused.append((offered, leaves - 1))
            drained.append(drain + 1)
            left.append(leaves)
        return np.array(drained[count:]) - 1, np.array(left[count:])

    def _in_flight(self, begin: int, end: int) -> None:
        """Label `begin` ... `end`, in which finished rows are under way and no pass is."""
        if end < begin:
            return
        refused = sum(max(0, min(end, to) - max(begin, since) + 1) for since, to in self.refused)
        self.labels["output_blocked"] += refused
        self.labels["drain"] += end - begin + 1 - refused

    def _copy_out(self, index: int, leaving: np.ndarray) -> None:
        """The copy of outputs: follows rows that leave at ascending addresses, takes the rest at the end."""
        command = self.placed[index].command
        block = self.core.block_rows
        followed = command.m if command.m <= block or command.n_blocks == 1 else block
        if command.m <= block:
            followed *= command.n_blocks
        available = np.full(len(leaving), self.ended[-1] + 1)
        if self.array.rows_ascend:
            available[:followed] = leaving[:followed] + 1
        available[0] = max(
            available[0], self.opened[index], self.copied[-1][-1] + self.output_beats if self.copied else 0
        )
        self.copied.append(running_max(available, self.output_beats))
