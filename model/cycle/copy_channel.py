"""The copy channels in the stepped model: the rules of the RTL's channels, one method call per cycle."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from hw.spec.command import Copy, Geometry
from hw.spec.dma import COPY_ENTRIES

NEVER = 1 << 62


class Hold:
    """A truth value per cycle; false after its end."""

    def __init__(self, pattern: Sequence[bool] = ()) -> None:
        self._pattern = [bool(value) for value in pattern]

    def __call__(self, cycle: int) -> bool:
        return 0 <= cycle < len(self._pattern) and self._pattern[cycle]


@dataclass(slots=True)
class Entry:
    """One open copy; `index` compute commands were decoded before it, `needs` must have ended."""

    next: int
    end: int
    index: int
    needs: int
    other: int
    left: int
    external: bool = True
    due: int = NEVER
    arrived: int = 0

    def holds(self, address: int, index: int) -> bool:
        """The word is still to come, or still to be read, and the copy is older than command `index`."""
        return self.next <= address < self.end and index >= self.index

    def brings(self, address: int, index: int) -> bool:
        """A word of the activation memory this output copy is still to write."""
        return not self.external and self.other <= address < self.other + self.left and index >= self.index


class ReadChannel:
    """External memory to one scratchpad; `beats` per word."""

    def __init__(self, beats: int, latency: int, hold: Hold) -> None:
        self._beats, self._latency, self._hold = beats, latency, hold
        self.entries: deque[Entry] = deque()
        self._asked = 0
        self.read = self.waits = self.written = 0
        self.address = -1           # word written in this cycle, -1 if none
        self._ask = False

    def missing(self, address: int, index: int) -> bool:
        """A reader of command `index` has to wait for `address`."""
        return any(entry.holds(address, index) for entry in self.entries)

    @property
    def full(self) -> bool:
        """No place for another copy."""
        return len(self.entries) == COPY_ENTRIES

    def look(self, cycle: int, ended: int) -> bool:
        """What happens in this cycle, before anything changes; False if nothing does."""
        entries = self.entries
        self.address = -1
        self._ask = self._asked < len(entries) and ended >= entries[self._asked].needs
        if not entries:
            return False
        head = entries[0]
        self._arrives = self._asked > 0 and cycle >= head.due and not self._hold(cycle)
        if self._arrives and head.arrived == self._beats - 1:
            self.address = head.next
        return self._ask or self._arrives or (self._asked > 0 and cycle >= head.due)

    def due(self) -> int:
        """When the first requested beat may come."""
        return self.entries[0].due if self._asked else NEVER

    def skip(self, cycles: int) -> None:
        """`cycles` in which nothing happens."""
        if self._asked:
            self.waits += cycles

    def step(self, cycle: int) -> int:
        """The end of the cycle; copies that ended."""
        if not self.entries:
            return 0
        done = 0
        if self._asked:
            if self._arrives:
                self.read += 1
                head = self.entries[0]
                head.arrived += 1
                if self.address >= 0:
                    self.written += 1
                    head.arrived = 0
                    head.next += 1
                    if head.next == head.end:
                        self.entries.popleft()
                        self._asked -= 1
                        done = 1
            else:
                self.waits += 1
        if self._ask:
            self.entries[self._asked].due = cycle + self._latency
            self._asked += 1
        return done


class WriteChannel:
    """Output memory to the external memory or to the activation memory."""

    def __init__(self, beats: int, hold: Hold) -> None:
        self._beats, self._hold = beats, hold
        self.entries: deque[Entry] = deque()
        self._read_from = 0         # entry being read
        self._full = False
        self._beat = 0
        self._running = self._ascending = False
        self._pointer = 0
        self.read = self.written = self.waits = self.moved = 0
        self.address = -1           # word of the activation memory written in this cycle
        self._reads = self._taken = False

    @property
    def full(self) -> bool:
        """No place for another copy."""
        return len(self.entries) == COPY_ENTRIES

    def missing(self, address: int, index: int) -> bool:
        """A reader of the activation memory has to wait for `address`."""
        return any(entry.brings(address, index) for entry in self.entries)

    def keeps(self, address: int, ended: int) -> bool:
        """A row must not yet overwrite `address` of the output memory."""
        return any(entry.holds(address, ended) for entry in self.entries)

    def look(self, cycle: int, ended: int, port_taken: bool) -> bool:
        """What happens in this cycle; False if nothing does."""
        self.address = -1
        self._taken = self._beat_taken = self._beat_refused = False
        if not self.entries:
            return False
        if self._full:
            head = self.entries[0]
            if head.external:
                self._beat_refused = self._hold(cycle)
                self._beat_taken = not self._beat_refused
                self._taken = self._beat_taken and self._beat == self._beats - 1
            elif not port_taken:
                self.address = head.other
                self._taken = True
        self._reads = False
        if (not self._full or self._taken) and self._read_from < len(self.entries):
            source = self.entries[self._read_from]
            self._reads = ended >= source.needs or (
                ended + 1 == source.needs and self._running and source.next < self._pointer)
        return self._full or self._reads

    def left(self, address: int, ends_command: bool) -> None:
        """A row enters the output memory in this cycle (called after `look`)."""
        if not self._running or (self._ascending and address == self._pointer):
            self._pointer, self._ascending = address + 1, True
        else:
            self._ascending = False
        self._running = not ends_command

    def step(self) -> int:
        """The end of the cycle; copies that ended."""
        if not self.entries:
            return 0
        done = 0
        if self._beat_refused:
            self.waits += 1
        if self._beat_taken:
            self.written += 1
            self._beat = 0 if self._taken else self._beat + 1
        was_full = self._full
        if not was_full or self._taken:
            self._full = self._reads
        if self._reads:
            self.read += 1
            source = self.entries[self._read_from]
            source.next += 1
            if source.next == source.end:
                self._read_from += 1
        self.moved += self.address >= 0
        if self._taken or self._beat_taken:
            self.entries[0].other += 1
        if self._taken:
            self.entries[0].left -= 1
            if not self.entries[0].left:
                self.entries.popleft()
                self._read_from -= 1
                done = 1
        return done


class PoolChannel:
    """Max pooling from the output memory into the activation memory; `words` still to be written, 0 if not open."""

    def __init__(self) -> None:
        self.words = self.other = self.order = 0
        self.read = self.written = 0
        self.address = -1
        self._needs = self._first = self._span = 0
        self._taps: list[tuple[bool, bool]] = []    # read, last of its pixel
        self._next = 0
        self._full = self._last = self._issues = self._advances = False

    def take(self, copy: Copy, g: Geometry, *, order: int, needs: int) -> None:
        """Open a copy."""
        self.words, self.other, self.order, self._needs = copy.words, copy.other_address, order, needs
        self._first, self._span = copy.address, g.plane * g.groups
        pixel = [
            (i, j) for i in range(g.kernel_height) for j in range(g.kernel_width)]
        self._taps = [
            (0 <= y * g.stride - g.pad_top + i * g.dilation < g.height
             and 0 <= x * g.stride - g.pad_left + j * g.dilation < g.width, (i, j) == pixel[-1])
            for _ in range(g.groups * g.images) for y in range(g.out_height) for x in range(g.out_width)
            for i, j in pixel]
        self._next, self._full = 0, False

    def missing(self, address: int, index: int) -> bool:
        """A reader of the activation memory has to wait for `address`."""
        return self.other <= address < self.other + self.words and index >= self.order

    def keeps(self, address: int, ended: int) -> bool:
        """A row must not yet overwrite `address` of the output memory."""
        return self.words > 0 and self._first <= address < self._first + self._span and ended >= self.order

    def look(self, ended: int, port_taken: bool) -> bool:
        """What happens in this cycle; False if nothing does."""
        self.address = -1
        if not self.words:
            return False
        writes = self._full and self._last
        if writes and not port_taken:
            self.address = self.other
        self._advances = not (writes and port_taken)
        self._issues = self._advances and self._next < len(self._taps) and ended >= self._needs
        return self._full or self._issues

    def step(self) -> int:
        """The end of the cycle; copies that ended."""
        if not self.words:
            return 0
        if self._advances:
            self._full = self._issues
        if self._issues:
            read, self._last = self._taps[self._next]
            self.read += read
            self._next += 1
        if self.address >= 0:
            self.written += 1
            self.other += 1
            self.words -= 1
            return int(self.words == 0)
        return 0
