"""Command queue, decoder and sequencer of the stepped model: descriptors in, passes and copies out."""

from hw.spec.command import COPY_TARGETS, Command, Copy, Geometry
from hw.spec.core import PASS_ENTRIES
from model.cycle.npu.passes import Passes
from model.cycle.npu.program.copy_channel import Entry, ReadChannel
from model.cycle.npu.program.state import RunState
from model.cycle.npu.program.write_channel import WriteChannel
from model.functional.verdict import NO_GEOMETRY, verdict

GEOMETRY_CYCLES = 4
"""Cycles a CONFIG stays in the decoder."""


class Decoder(RunState):
    """One command offered per cycle from cycle 0 on; what the core does not understand is refused."""

    __slots__ = ()

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
