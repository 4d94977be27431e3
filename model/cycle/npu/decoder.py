"""Command queue, decoder and sequencer of the stepped model: descriptors in, passes and copies out."""

from collections import deque
from collections.abc import Sequence

from hw.spec.command import COPY_TARGETS, Command, Copy, Descriptor, Fence, Geometry
from hw.spec.core import PASS_ENTRIES, CoreSpec
from model.cycle.npu.passes import Pass, Passes
from model.cycle.npu.program.copy_channel import Entry, ReadChannel
from model.cycle.npu.program.pool_channel import PoolChannel
from model.cycle.npu.program.write_channel import WriteChannel
from model.functional.verdict import NO_GEOMETRY, verdict

Item = Command | Copy | Fence | Geometry | Descriptor
Program = Sequence[Item]

GEOMETRY_CYCLES = 4
"""Cycles a CONFIG stays in the decoder."""


class Decoder:
    """One command offered per cycle from cycle 0 on; what the core does not understand is refused."""

    inputs: tuple[ReadChannel, ...]
    output: WriteChannel
    pool: PoolChannel

    def __init__(self, core: CoreSpec, program: Program) -> None:
        self.core = core
        self.accepted = self.refusals = 0
        # queue and decoder
        self.given: deque[Item] = deque(program)
        self.queue: deque[Item] = deque()
        self.head: Item | None = None
        self.refused = False
        self.geometry: Geometry | None = None
        self.configuring = 0
        # commands: handed on and not ended, accepted and not ended, and done with by each engine
        self.opened = self.unfinished = 0
        self.decoded = self.loaded_commands = self.streamed = self.drained = self.ended = 0
        # sequencer
        self.coming: Passes | None = None
        self.following: Pass | None = None
        self.tiles: deque[Pass] = deque()
        self.queued: deque[Pass] = deque()

    def look_decoder(self) -> None:
        """What happens in this cycle."""
        following, head = self.following, self.head
        self.emit = following is not None and len(self.tiles) < PASS_ENTRIES and len(self.queued) < PASS_ENTRIES
        self.gone = self.refused
        if head is not None and not self.refused:
            if isinstance(head, Command):
                self.gone = following is None or (self.emit and following.ends_command)
            elif isinstance(head, Copy):
                self.gone = self._room(head)
            elif isinstance(head, Geometry):
                self.configuring += 1
                self.gone = self.configuring == GEOMETRY_CYCLES
            else:
                self.gone = self.opened == 0
        self.popped = bool(self.queue) and (head is None or self.gone)
        self.accept = bool(self.given) and len(self.queue) < self.core.command_entries

    def decode(self) -> int:
        """Queue and decoder at the end of the cycle; descriptors that ended in it."""
        head, done = self.head, 0
        if self.emit:
            following, coming = self.following, self.coming
            assert following is not None
            assert coming is not None
            self.tiles.append(following)
            self.queued.append(following)
            self.following = coming[following.index + 1] if following.index + 1 < coming.count else None
        if self.refused:
            self.refusals += 1
            self.unfinished -= 1
            self.head = None
        elif self.gone:
            if isinstance(head, Command):
                self.coming = self.passes(head)
                self.following = self.coming[0]
                self.decoded += 1
            elif isinstance(head, Copy):
                self._open(head)
            else:
                if isinstance(head, Geometry):
                    self.geometry, self.configuring = head, 0
                done = 1
            self.opened += 1
            self.head = None
        self.refused = False
        if self.popped:
            self.head = self.queue.popleft()
            self.refused = verdict(self.core, self.head.pack(), self.geometry or NO_GEOMETRY) != 0
        if self.accept:
            self.queue.append(self.given.popleft())
            self.unfinished += 1
            self.accepted += 1
        return done

    def passes(self, command: Command) -> Passes:
        """What the sequencer makes of `command`."""
        return Passes(self.core, command, self.geometry)

    def _open(self, copy: Copy) -> None:
        """Hand a copy to its channel."""
        needs = self.decoded - copy.overlap
        if copy.target == "output_to_activation_max":
            assert self.geometry is not None
            self.pool.take(copy, self.geometry, order=self.decoded, needs=needs)
            return
        self._channel(copy).entries.append(
            Entry(
                next=copy.address,
                end=copy.address + copy.words,
                index=self.decoded,
                needs=needs,
                other=copy.other_address,
                left=copy.words,
                external=copy.target != "output_to_activation",
            )
        )

    def _channel(self, copy: Copy) -> ReadChannel | WriteChannel:
        code = COPY_TARGETS[copy.target]
        return self.inputs[code] if code < len(self.inputs) else self.output

    def _room(self, copy: Copy) -> bool:
        """The channel takes the copy; of the two that read the output memory only one is open."""
        if copy.target == "output_to_activation_max":
            return not self.pool.words and not self.output.entries
        channel = self._channel(copy)
        return not channel.full and not (channel is self.output and self.pool.words)
