"""Cycles of a program of GEMMs, copies and fences on a core with copy channels: stepped by events.

The rules are those of the RTL, cycle by cycle. What repeats is taken at once: stretches of equal cycles
(`model.cycle.npu.program.equal_cycles`) and whole passes that run as the ones before them
(`model.cycle.npu.program.repeated_passes`). Cycle 0 is the
one in which the first command is accepted.
"""

from collections import deque
from collections.abc import Mapping, Sequence

from hw.base.error import InputError
from hw.spec.command import (
    activation_word_bits,
    output_word_bits,
    parameter_word_bits,
    weight_word_bits,
)
from hw.spec.core import CoreSpec
from hw.spec.dma import HOLDS
from model.cycle.npu.decoder import Decoder
from model.cycle.npu.passes import PADDED
from model.cycle.npu.program.copy_channel import Hold, ReadChannel
from model.cycle.npu.program.equal_cycles import take_equal_cycles
from model.cycle.npu.program.pool_channel import PoolChannel
from model.cycle.npu.program.repeated_passes import RepeatedPasses
from model.cycle.npu.program.state import Program
from model.cycle.npu.program.timing import counted
from model.cycle.npu.program.write_channel import WriteChannel
from model.cycle.npu.timing import OUTPUT_CYCLES, Timing


class WeightStationaryRun(Decoder):
    """One run; `look` says what happens in the present cycle, then `move` lets it happen."""

    __slots__ = ("array", "banks", "bytes_per_cycle", "delay", "released_by_swap", "rows")

    def __init__(self, core: CoreSpec, program: Program, holds: Mapping[str, Sequence[bool]]) -> None:
        dma = core.dma
        if dma is None:
            raise InputError("a program with copies needs a core with copy channels; set dma of the core")
        hold = {name: Hold(holds.get(name, ())) for name in HOLDS}
        activation, weight, parameter = (
            ReadChannel(dma.beats(bits(core)), dma.latency_cycles, hold[name], dma.banks)
            for name, bits in (
                ("activation", activation_word_bits),
                ("weight", weight_word_bits),
                ("parameter", parameter_word_bits),
            )
        )
        super().__init__(
            core=core,
            activation=activation,
            weight=weight,
            parameter=parameter,
            output=WriteChannel(dma.beats(output_word_bits(core)), hold["output"]),
            pool=PoolChannel(),
            row_hold=hold["row"],
            held_until=max(pattern.until for pattern in hold.values()),
            depth=core.array.rows * core.array.mac_latency + core.array.columns,
            free_rows=core.accumulator_rows,
            given=deque(program),
        )
        self.array, self.banks, self.bytes_per_cycle = core.array, dma.banks, dma.bytes_per_cycle
        self.rows, self.delay = self.array.rows, self.array.load_delay
        self.released_by_swap = self.array.swap_releases_weights

    def run(self) -> Timing:
        """To the end."""
        repeated = RepeatedPasses(self)
        while self.look():
            if self.swap and self.cycle >= self.held_until:
                repeated.skip()
            if self.move() and self.cycle >= self.held_until:
                take_equal_cycles(self)
        return counted(self)

    def look(self) -> bool:
        """What happens in this cycle, and its label; False if everything is done."""
        cycle, ended = self.cycle, self.ended
        activation, output, pool = self.activation, self.output, self.pool
        activation.look(cycle, ended)
        self.weight.look(cycle, ended)
        self.parameter.look(cycle, ended)
        output.look(cycle, ended, activation.address >= 0)
        pool.look(ended, activation.address >= 0)
        port = activation.address if activation.address >= 0 else max(output.address, pool.address)

        wait = self.look_engines(port)

        # drain and output queue
        first = self.finishing.runs[0] if self.finishing.runs else None
        self.drain = (
            first is not None
            and first.due <= cycle
            and self.places > 0
            and not (first.starts and self.parameter.missing(first.parameter, self.drained))
        )
        first = self.leaving.runs[0] if self.leaving.runs else None
        self.offered = first is not None and first.due <= cycle
        self.left = (
            first is not None
            and self.offered
            and not self.row_hold(cycle)
            and not (output.keeps(first.output, ended) or pool.keeps(first.output, ended))
        )

        self.look_decoder()

        self.label = "prepare"
        if self.unfinished:
            if self.read:
                self.label = "stream"
            elif wait:
                self.label = wait
            elif self.in_flight:
                self.label = "output_blocked" if self.offered and not self.left else "drain"
            elif output.entries or pool.words or any(channel.entries for channel in self.inputs):
                self.label = "copy"
            self.count(1)
        elif not self.given and not self.queue and self.head is None and cycle:
            return False
        return True

    def look_engines(self, port: int) -> str:
        """Load and stream engine; `port` is the activation word that is written. The label of a waiting pass, or ""."""
        activation, weight, output, pool = self.activation, self.weight, self.output, self.pool
        self.read = self.swap = self.release = self.missing = False
        wait_weight = wait_activation = False
        wait = ""
        now = self.queued[0] if self.queued else None
        if now is not None:
            if not (self.loaded or self.row):
                wait_weight = True
            elif now.first and not self.free_rows:
                wait = "wait_accumulator"
            else:
                address = now.activation[self.row]
                if address != PADDED:
                    self.missing = (
                        activation.missing(address, self.streamed)
                        or output.missing(address, self.streamed)
                        or pool.missing(address, self.streamed)
                    )
                    wait_activation = self.missing or (port >= 0 and (port - address) % self.banks == 0)
                self.read = not wait_activation
                self.swap = self.read and self.row == 0
                self.release = self.swap if self.released_by_swap else self.read and self.row == now.rows - 1
                if wait_activation:
                    wait = "activation_missing" if self.missing else "activation_blocked"
        self.load = self.weight_missing = weight_conflict = False
        if self.tiles and (
            (not self.loaded or self.release) if not self.delay else (not self.loaded and self.hold == 0)
        ):
            address = self.tiles[0].weight + self.rows - 1 - self.step
            self.weight_missing = weight.missing(address, self.loaded_commands)
            taken = weight.address >= 0 and (weight.address - address) % self.banks == 0
            weight_conflict = taken and not self.weight_missing
            self.load = not (taken or self.weight_missing)
        if wait_weight:
            wait = "weight_missing" if self.weight_missing else "weight_blocked" if weight_conflict else "wait_weight"
        self.conflict = weight_conflict or (wait_activation and not self.missing)
        self.weight_conflicts += weight_conflict
        self.activation_conflicts += wait_activation and not self.missing
        return wait

    def move(self) -> bool:
        """Let it happen; true if only what may go on in the same way happened."""
        cycle = self.cycle
        asks = self.activation.asks or self.weight.asks or self.parameter.asks
        done = self.activation.step(cycle) + self.weight.step(cycle) + self.parameter.step(cycle)
        done += self.output.step() + self.pool.step()
        ends = False
        if self.left:
            address, _, output_ends = self.leaving.pop()
            if self.array.rows_ascend:
                self.output.left(address, output_ends)
            self.places += 1
            self.in_flight -= 1
            self.out_rows += 1
            self.ended += output_ends
            done += output_ends
        if self.drain:
            address, starts, ends = self.finishing.pop()
            self.leaving.push(cycle + OUTPUT_CYCLES - 1, address, 0, starts=False, ends=ends)
            self.places -= 1
            self.free_rows += 1
            self.drained += ends
            self.parameter_reads += starts
            ends |= starts
        if self.hold:
            self.hold -= 1
        self.swaps += self.swap
        if self.release:
            self.loaded = False
            if self.delay:
                self.hold = self.delay - 1
        if self.load:
            ends |= self._load()
        if self.read:
            ends |= self._issue()
        decoder = self.emit or self.gone or self.popped or self.accept or self.configuring
        if decoder:
            done += self.decode()
        self.opened -= done
        self.unfinished -= done
        self.cycle += 1
        return not (ends or done or decoder or asks or self.release or self.conflict)

    def _load(self) -> bool:
        """One word of a tile; true if it is the last."""
        self.step += 1
        self.tile_reads += 1
        self.cells += self.step
        if self.step < self.rows:
            return False
        self.step, self.loaded = 0, True
        self.loaded_commands += self.tiles.popleft().ends_command
        return True

    def _issue(self) -> bool:
        """One row of a pass; true if it is the last, or the first."""
        now, row = self.queued[0], self.row
        self.macs += 1
        self.reads += now.activation[row] != PADDED
        if now.first:
            self.free_rows -= 1
            self.in_flight += 1
        else:
            self.accumulator_reads += 1
        if now.last:
            self.finishing.push(
                self.cycle + self.depth + 1,
                now.output + row,
                now.parameter,
                starts=row == 0,
                ends=now.ends_command and row == now.rows - 1,
            )
        self.row += 1
        if self.row < now.rows:
            return row == 0
        self.row = 0
        self.streamed += now.ends_command
        self.queued.popleft()
        return True
