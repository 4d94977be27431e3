"""Closed form of GEMMs between external memories on an output-stationary core; the rest as
`model.cycle.npu.program.external_memory_weight_stationary`.

Word j of fold p, K words in it, R rows and v rows of results, is issued in

    t_j = max(t_(j-1) + 1, activation word + 1, weight word + 1) + conflicts in either memory

where t_0 is also at least E_(p-1) + fold_delay, and t_(K-1) = E_p at least E_(p-1) + R and late enough for R
accumulators to be free. Result i of the fold may drain from E_p + fold_tail + (R - v through the columns) + i + 1 on.
"""

import numpy as np

from hw.base.integer import ceil_div
from model.cycle.npu.program.external_memory_weight_stationary import WeightStationaryForm
from model.cycle.npu.program.read_times import Arrival, meets, read_times
from model.lowering.program import Placed


class OutputStationaryForm(WeightStationaryForm):
    """Cycles of one program; see `WeightStationaryForm`."""

    def _command(self, index: int, item: Placed) -> None:
        command, rows = item.command, self.array.rows
        leaving = np.zeros((command.n_blocks, command.m), np.int64)
        for block in range(ceil_div(command.m, rows)):
            start = block * rows
            height = min(rows, command.m - start)
            for n in range(command.n_blocks):
                self._hand_on()
                end = self._fold(
                    index,
                    command.activation_address + block * command.k_blocks,
                    command.weight_address + n * command.k_blocks,
                    command.k_blocks,
                )
                self.allocated += height
                down = self.array.drain == "columns"
                ready = end + self.array.fold_tail + (rows - height if down else 0) + 1 + np.arange(height)
                order = np.arange(height)[::-1] if down else np.arange(height)
                leaving[n, start + order] = self._leave(index, ready, n, n * command.m + start + order)
        self.ended.append(int(self.left[-1]))
        self._copy_out(index, leaving.ravel())

    def _fold(self, index: int, activation: int, weight: int, words: int) -> int:
        """Issue the words of a fold; the cycle of the last."""
        begin = self._known()
        space = np.full(words, begin)
        if self.ends:
            space[0] = max(begin, self.ends[-1] + self.array.fold_delay)
            space[-1] = max(space[-1], self.ends[-1] + self.array.rows)
        over = self.allocated + self.array.rows - self.core.accumulator_rows
        if over > 0:
            space[-1] = max(space[-1], int(self.drained[over - 1]))
        steps = np.arange(words)
        addresses = {"weight": weight + steps, "activation": activation + steps}
        arrives = {}
        for name, places in addresses.items():
            mine = self.arrivals[name][index]
            arrives[name] = mine.first + (places - mine.base + 1) * mine.beats
        lower = np.maximum(space, np.maximum(arrives["weight"], arrives["activation"]))
        copies = {name: [a for a in self.arrivals[name][index : index + 2] if a.last >= begin] for name in addresses}
        at = read_times(lower, [(addresses[name], copies[name]) for name in addresses], self.dma.banks)
        self._waits(begin, at, space, addresses, arrives, copies)
        self.labels["stream"] += words
        self.ends.append(int(at[-1]))
        return int(at[-1])

    def _waits(
        self,
        begin: int,
        at: np.ndarray,
        space: np.ndarray,
        addresses: dict[str, np.ndarray],
        arrives: dict[str, np.ndarray],
        copies: dict[str, list[Arrival]],
    ) -> None:
        """Label the cycles between words, `begin` the first in which the fold may issue."""
        base = np.concatenate(([begin], at[:-1] + 1))
        gaps = at - base
        word = np.repeat(np.arange(len(at)), gaps)
        if not len(word):
            return
        cycle = np.arange(len(word)) - np.repeat(np.cumsum(gaps) - gaps, gaps) + base[word]
        left = cycle >= space[word]
        self.labels["wait_accumulator"] += int(len(word) - left.sum())
        for name in ("weight", "activation"):
            missing = left & (cycle < arrives[name][word])
            self.labels[f"{name}_missing"] += int(missing.sum())
            left &= ~missing
            met = np.zeros(len(word), bool)
            for arrival in copies[name]:
                met |= meets(cycle, addresses[name][word], arrival, self.dma.banks)
            met &= left
            self.labels[f"{name}_blocked"] += int(met.sum())
            self.conflicts[name] += int(met.sum())
            left &= ~met
