"""Cycles of a program of GEMMs, copies and fences on a core with copy channels: stepped by events.

The rules are those of the RTL, cycle by cycle; stretches in which nothing but one row per cycle happens, or
nothing at all, are taken in one step. Cycle 0 is the one in which the first command is accepted.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hw.spec.command import (
    COPY_TARGETS,
    OPCODE_CONV,
    Command,
    Copy,
    Descriptor,
    Fence,
    Geometry,
    activation_word_bits,
    output_word_bits,
    parameter_word_bits,
    weight_word_bits,
)
from hw.spec.core import OUTPUT_ROWS, PASS_ENTRIES, CoreSpec
from hw.spec.dma import HOLDS
from hw.spec.error import InputError
from hw.spec.event import LABELS
from model.count import Counts
from model.cycle.copy_channel import NEVER, Entry, Hold, PoolChannel, ReadChannel, WriteChannel
from model.cycle.timing import OUTPUT_CYCLES, TIMED_EVENTS, Timing
from model.verdict import NO_GEOMETRY, verdict

Program = Sequence[Command | Copy | Fence | Geometry | Descriptor]

GEOMETRY_CYCLES = 4
"""Cycles a CONFIG stays in the decoder."""

PADDED = -1
"""Address of a row in the padding."""

@dataclass(slots=True)
class _Pass:
    """One pass: `rows` activation rows, words `activation` or PADDED; ascending by one if `regular`."""

    activation: Sequence[int]
    regular: bool
    rows: int
    first: bool
    last: bool
    ends_command: bool
    weight: int
    output: int
    parameter: int


def _taps(g: Geometry) -> list[np.ndarray]:
    """For each kernel tap the word of every output pixel, from the plane's first on; PADDED outside."""
    image, row, column = np.meshgrid(
        np.arange(g.images), np.arange(g.out_height), np.arange(g.out_width), indexing="ij")
    taps = []
    for i in range(g.kernel_height):
        for j in range(g.kernel_width):
            y, x = row * g.stride - g.pad_top + i * g.dilation, column * g.stride - g.pad_left + j * g.dilation
            within = (y >= 0) & (y < g.height) & (x >= 0) & (x < g.width)
            taps.append(np.where(within, (image * g.height + y) * g.width + x, PADDED).ravel())
    return taps


def passes(core: CoreSpec, command: Command, geometry: Geometry | None) -> Iterator[_Pass]:
    """The passes of one command: blocks of rows, then of columns, then of K (channel block, then kernel tap)."""
    block = core.block_rows
    conv = command.opcode == OPCODE_CONV
    assert geometry is not None or not conv
    taps = _taps(geometry) if conv and geometry else []
    k_blocks = command.k_blocks * max(len(taps), 1)
    for start in range(0, command.m, block):
        rows = min(block, command.m - start)
        for n in range(command.n_blocks):
            for k in range(k_blocks):
                last = k == k_blocks - 1
                if conv and geometry:
                    channel, tap = divmod(k, len(taps))
                    channel += n // geometry.group_blocks * command.k_blocks
                    words = taps[tap][start:start + rows]
                    base = command.activation_address + channel * geometry.plane
                    activation: Sequence[int] = np.where(words == PADDED, PADDED, words + base).tolist()
                else:
                    base = command.activation_address + k * command.m + start
                    activation = range(base, base + rows)
                yield _Pass(
                    activation=activation, regular=not conv, rows=rows, first=k == 0, last=last,
                    ends_command=last and n == command.n_blocks - 1 and start + rows == command.m,
                    weight=command.weight_address + (n * k_blocks + k) * core.array.rows,
                    output=command.output_address + n * command.m + start, parameter=command.parameter_address + n)


class _Run:
    """State of one run; each `_..._look` says what happens in the present cycle, then everything moves on."""

    def __init__(self, core: CoreSpec, holds: Mapping[str, Sequence[bool]]) -> None:
        dma = core.dma
        if dma is None:
            raise InputError("a program with copies needs a core with copy channels; set dma of the core")
        self.core, self.array, self.banks, self.bytes_per_cycle = core, core.array, dma.banks, dma.bytes_per_cycle
        hold = {name: Hold(holds.get(name, ())) for name in HOLDS}
        widths = {
            "activation": activation_word_bits(core), "weight": weight_word_bits(core),
            "parameter": parameter_word_bits(core)}
        self.channels = {
            name: ReadChannel(dma.beats(bits), dma.latency_cycles, hold[name]) for name, bits in widths.items()}
        self.output = WriteChannel(dma.beats(output_word_bits(core)), hold["output"])
        self.pool = PoolChannel()
        self.row_hold = hold["row"]
        self.labels = dict.fromkeys(LABELS, 0)
        self.events = dict.fromkeys(TIMED_EVENTS, 0)
        self.delay = self.array.load_delay
        self.released_by_swap = self.array.swap_releases_weights
        self.depth = self.array.rows * self.array.mac_latency + self.array.columns

    def run(self, program: Program) -> Timing:
        core, array, banks = self.core, self.array, self.banks
        labels, events = self.labels, self.events
        activation, weight, parameter = self.channels.values()
        inputs = (activation, weight, parameter)
        output, pool = self.output, self.pool
        geometry: Geometry | None = None
        configuring = 0
        given = deque(program)
        queue: deque[Command | Copy | Fence | Geometry | Descriptor] = deque()
        head: Command | Copy | Fence | Geometry | Descriptor | None = None
        refused = False
        opened = unfinished = 0
        decoded = loaded_commands = streamed = drained = ended = 0
        # sequencer
        coming: Iterator[_Pass] | None = None
        following: _Pass | None = None
        tiles: deque[_Pass] = deque()
        queued: deque[_Pass] = deque()
        # load and stream engines
        step, loaded, hold = 0, False, 0
        row, free_rows = 0, core.accumulator_rows
        # finished rows: (ready, output, parameter, starts block, ends command); rows in the output queue
        finishing: deque[tuple[int, int, int, bool, bool]] = deque()
        leaving: deque[tuple[int, int, bool]] = deque()
        places, in_flight = OUTPUT_ROWS, 0
        swaps = busy = cycle = 0
        macs = reads = tile_reads = accumulator_reads = out_rows = parameter_reads = cells = 0

        while True:
            # ---- look
            moving = activation.look(cycle, ended) | weight.look(cycle, ended) | parameter.look(cycle, ended)
            moving |= output.look(cycle, ended, activation.address >= 0)
            moving |= pool.look(ended, activation.address >= 0)
            port = activation.address if activation.address >= 0 else max(output.address, pool.address)
            # stream engine
            read = swap = release = wait_weight = wait_accumulator = wait_activation = missing = False
            now = queued[0] if queued else None
            if now is not None:
                if not (loaded or row):
                    wait_weight = True
                elif now.first and not free_rows:
                    wait_accumulator = True
                else:
                    address = now.activation[row]
                    if address != PADDED:
                        missing = (
                            activation.missing(address, streamed) or output.missing(address, streamed)
                            or pool.missing(address, streamed))
                        wait_activation = missing or (port >= 0 and (port - address) % banks == 0)
                    read = not wait_activation
                    swap = read and row == 0
                    release = swap if self.released_by_swap else read and row == now.rows - 1
            # load engine
            load = weight_missing = weight_conflict = False
            waiting = bool(tiles) and (
                (not loaded or release) if not self.delay else (not loaded and hold == 0))
            if waiting:
                address = tiles[0].weight + array.rows - 1 - step
                weight_missing = weight.missing(address, loaded_commands)
                taken = weight.address >= 0 and (weight.address - address) % banks == 0
                weight_conflict = taken and not weight_missing
                load = not (taken or weight_missing)
            # drain and output queue
            drain = bool(finishing) and finishing[0][0] <= cycle and places > 0 and not (
                finishing[0][3] and parameter.missing(finishing[0][2], drained))
            offered = bool(leaving) and leaving[0][0] <= cycle
            left = offered and not self.row_hold(cycle) and not (
                output.keeps(leaving[0][1], ended) or pool.keeps(leaving[0][1], ended))
            # sequencer and decoder
            emit = following is not None and len(tiles) < PASS_ENTRIES and len(queued) < PASS_ENTRIES
            free = following is None or (emit and following.ends_command)
            gone = refused
            if head is not None and not refused:
                if isinstance(head, Command):
                    gone = free
                elif isinstance(head, Copy):
                    gone = self._room(head)
                elif isinstance(head, Geometry):
                    configuring += 1
                    gone = configuring == GEOMETRY_CYCLES
                else:
                    gone = opened == 0
            popped = bool(queue) and (head is None or gone)
            accept = bool(given) and len(queue) < core.command_entries

            # ---- label
            is_busy, label = unfinished > 0, "prepare"
            if is_busy:
                if read:
                    label = "stream"
                elif wait_weight:
                    label = "weight_missing" if weight_missing else (
                        "weight_blocked" if weight_conflict else "wait_weight")
                elif wait_accumulator:
                    label = "wait_accumulator"
                elif wait_activation:
                    label = "activation_missing" if missing else "activation_blocked"
                elif in_flight:
                    label = "output_blocked" if offered and not left else "drain"
                elif output.entries or pool.words or any(channel.entries for channel in inputs):
                    label = "copy"
                labels[label] += 1
                busy += 1
            elif not given and not queue and head is None and cycle:
                break
            events["command.queue_empty"] += is_busy and not queue
            events["output_stage.drain_block"] += offered and not left
            if wait_activation and not missing:
                events["activation_memory.conflict"] += 1
            if weight_conflict:
                events["weight_memory.conflict"] += 1

            # ---- a stretch of the same
            plain = not read or (now is not None and not (now.first or now.last or row == now.rows - 1))
            if plain and not any((
                    moving, swap, load, drain, left, emit, gone, popped, accept, weight_conflict, hold, configuring)):
                until = min((channel.due() for channel in inputs), default=NEVER)
                if finishing:
                    until = min(until, finishing[0][0]) if finishing[0][0] > cycle else cycle
                if leaving:
                    until = min(until, leaving[0][0]) if leaving[0][0] > cycle else cycle
                if read:
                    assert now is not None
                    last = min(cycle + now.rows - 1 - row, until)
                    row_steps = self._free_run(now, row, last - cycle, streamed) if now.regular else 1
                    last = cycle + row_steps
                else:
                    last = until if until < NEVER else cycle
                extra = last - cycle - 1
                if extra > 0:
                    if is_busy:
                        labels[label] += extra
                        busy += extra
                        events["command.queue_empty"] += extra * (not queue)
                    if read:
                        row += extra
                        macs += extra
                        reads += extra
                        accumulator_reads += extra
                    for channel in inputs:
                        channel.skip(extra)
                    cycle += extra

            # ---- move on
            done = activation.step(cycle) + weight.step(cycle) + parameter.step(cycle)
            done += output.step() + pool.step()
            if left:
                _, address, output_ends = leaving.popleft()
                output.left(address, output_ends)
                places += 1
                in_flight -= 1
                out_rows += 1
                ended += output_ends
                done += output_ends
            if drain:
                _, address, _, starts, ends = finishing.popleft()
                head_at = cycle + OUTPUT_CYCLES - 1
                leaving.append((head_at, address, ends))
                places -= 1
                free_rows += 1
                drained += ends
                parameter_reads += starts
            if hold:
                hold -= 1
            swaps += swap
            if release:
                loaded = False
                if self.delay:
                    hold = self.delay - 1
            if load:
                step += 1
                tile_reads += 1
                cells += step
                if step == array.rows:
                    step, loaded = 0, True
                    loaded_commands += tiles.popleft().ends_command
            if read:
                assert now is not None
                macs += 1
                reads += now.activation[row] != PADDED
                if now.first:
                    free_rows -= 1
                    in_flight += 1
                else:
                    accumulator_reads += 1
                if now.last:
                    finishing.append((
                        cycle + self.depth + 1, now.output + row, now.parameter, row == 0,
                        now.ends_command and row == now.rows - 1))
                row += 1
                if row == now.rows:
                    row = 0
                    streamed += now.ends_command
                    queued.popleft()
            if emit:
                assert following is not None
                assert coming is not None
                tiles.append(following)
                queued.append(following)
                following = next(coming, None)
            if refused:
                events["command.refuse"] += 1
                unfinished -= 1
                head = None
            elif gone:
                if isinstance(head, Command):
                    coming = passes(core, head, geometry)
                    following = next(coming)
                    opened += 1
                    decoded += 1
                elif isinstance(head, Copy) and head.target == "output_to_activation_max":
                    assert geometry is not None
                    pool.take(head, geometry, order=decoded, needs=decoded - head.overlap)
                    opened += 1
                elif isinstance(head, Copy):
                    needs = decoded - head.overlap
                    self._channel(head).entries.append(Entry(
                        next=head.address, end=head.address + head.words, index=decoded, needs=needs,
                        other=head.other_address, left=head.words, external=head.target != "output_to_activation"))
                    opened += 1
                else:
                    if isinstance(head, Geometry):
                        geometry, configuring = head, 0
                    done += 1
                    opened += 1
                head = None
            refused = False
            if popped:
                head = queue.popleft()
                refused = verdict(core, head.pack(), geometry or NO_GEOMETRY) != 0
            if accept:
                queue.append(given.popleft())
                unfinished += 1
                events["command.accept"] += 1
            opened -= done
            unfinished -= done
            cycle += 1

        written = activation.written + output.moved + pool.written
        beats, bytes_per_cycle = sum(channel.read for channel in inputs), self.bytes_per_cycle
        events |= {
            "mac_array.mac": macs * array.cells, "mac_array.weight_load": cells * array.columns,
            "mac_array.pass": swaps, "activation_memory.read": reads, "activation_memory.write": written,
            "weight_memory.read": tile_reads, "weight_memory.write": weight.written,
            "accumulator.read": accumulator_reads, "accumulator.write": macs, "accumulator.drain_read": out_rows,
            "parameter_memory.read": parameter_reads, "parameter_memory.write": parameter.written,
            "output_stage.requantise": out_rows * array.columns, "output_memory.write": out_rows,
            "output_memory.read": output.read + pool.read,
            "external_memory.read": beats, "external_memory.write": output.written,
            "external_memory.read_byte": beats * bytes_per_cycle,
            "external_memory.write_byte": output.written * bytes_per_cycle,
            "external_memory.read_wait": sum(channel.waits for channel in inputs),
            "external_memory.write_wait": output.waits,
        }
        return Timing(
            cycles=busy, budget=labels, counts=Counts(events), utilisation=macs / busy if busy else 0.0)

    def _channel(self, copy: Copy) -> ReadChannel | WriteChannel:
        name = {0: "activation", 1: "weight", 2: "parameter"}.get(COPY_TARGETS[copy.target])
        return self.output if name is None else self.channels[name]

    def _room(self, copy: Copy) -> bool:
        """The channel takes the copy; of the two that read the output memory only one is open."""
        if copy.target == "output_to_activation_max":
            return not self.pool.words and not self.output.entries
        channel = self._channel(copy)
        return not channel.full and not (channel is self.output and self.pool.words)

    def _free_run(self, now: _Pass, row: int, most: int, index: int) -> int:
        """How many of the next `most` rows are not missing, no channel moving meanwhile."""
        ranges = [(e.next, e.end, e.index) for e in self.channels["activation"].entries]
        ranges += [(e.other, e.other + e.left, e.index) for e in self.output.entries if not e.external]
        ranges += [(self.pool.other, self.pool.other + self.pool.words, self.pool.order)]
        start = now.activation[row]
        for begin, end, command in ranges:
            if index >= command and max(begin, start) < min(end, start + most):
                most = max(begin, start) - start
        return most


def step_program(core: CoreSpec, program: Program, holds: Mapping[str, Sequence[bool]] | None = None) -> Timing:
    """Cycles of `program`, one command offered per cycle from cycle 0 on.

    Parameters
    ----------
    core : CoreSpec
        With `dma`.
    program : sequence of Command, Copy, Fence, Geometry, Descriptor
        What the core does not understand is refused.
    holds : mapping or None
        Name of `HOLDS` -> one truth value per cycle: the channel moves nothing, or finished rows are refused.

    Raises
    ------
    InputError
        If the core has no copy channels, the program is empty or a pattern has an unknown name.
    """
    if not program:
        raise InputError("a program must have at least one command, it is empty")
    for name in holds or ():
        if name not in HOLDS:
            raise InputError(f"a pattern must be one of {', '.join(HOLDS)}, not {name!r}")
    return _Run(core, holds or {}).run(program)
