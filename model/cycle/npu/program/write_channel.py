"""The write channel in the stepped model: output rows to the external memory or into the activation memory."""

from collections import deque

from hw.spec.dma import COPY_ENTRIES
from model.cycle.npu.program.copy_channel import NEVER, Entry, Hold


class WriteChannel:
    """Output memory to the external memory or to the activation memory."""

    def __init__(self, beats: int, hold: Hold) -> None:
        self._beats, self._hold = beats, hold
        self.entries: deque[Entry] = deque()
        self.read_from = 0  # entry being read
        self.holds_word = False
        self.beat = 0
        self.running = self.ascending = False
        self.pointer = 0
        self.read = self.written = self.waits = self.moved = 0
        self.address = -1  # word of the activation memory written in this cycle
        self._reads = self._taken = self._beat_taken = self._beat_refused = False

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

    def look(self, cycle: int, ended: int, port_taken: bool) -> None:
        """What happens in this cycle."""
        self.address = -1
        self._taken = self._beat_taken = self._beat_refused = self._reads = False
        if not self.entries:
            return
        if self.holds_word:
            head = self.entries[0]
            if head.external:
                self._beat_refused = self._hold(cycle)
                self._beat_taken = not self._beat_refused
                self._taken = self._beat_taken and self.beat == self._beats - 1
            elif not port_taken:
                self.address = head.other
                self._taken = True
        if not self.holds_word or self._taken:
            self._reads = self._computed(ended) > 0

    def _computed(self, ended: int) -> int:
        """Words that may be read now."""
        if self.read_from == len(self.entries):
            return 0
        source = self.entries[self.read_from]
        if ended >= source.needs:
            return source.end - source.next
        if ended + 1 == source.needs and self.running:
            return min(self.pointer, source.end) - source.next
        return 0

    def left(self, address: int, ends_command: bool) -> None:
        """A row enters the output memory in this cycle (called after `look`)."""
        if not self.running or (self.ascending and address == self.pointer):
            self.pointer, self.ascending = address + 1, True
        else:
            self.ascending = False
        self.running = not ends_command

    def step(self) -> int:
        """The end of the cycle; copies that ended."""
        if not self.entries:
            return 0
        done = 0
        if self._beat_refused:
            self.waits += 1
        if self._beat_taken:
            self.written += 1
            self.beat = 0 if self._taken else self.beat + 1
        if not self.holds_word or self._taken:
            self.holds_word = self._reads
        if self._reads:
            self.read += 1
            source = self.entries[self.read_from]
            source.next += 1
            if source.next == source.end:
                self.read_from += 1
        self.moved += self.address >= 0
        if self._taken or self._beat_taken:
            self.entries[0].other += 1
        if self._taken:
            self.entries[0].left -= 1
            if not self.entries[0].left:
                self.entries.popleft()
                self.read_from -= 1
                done = 1
        return done

    # ---- many cycles at once, the channel never held; `rows` leave one per cycle if true

    def steady(self, ended: int, rows: bool) -> int:
        """Cycles in which it does nothing, or sends beat after beat."""
        if not self.entries:
            return NEVER
        computed = self._computed(ended)
        if not self.holds_word:
            source = self.entries[self.read_from]
            return 0 if computed > 0 or (rows and ended + 1 == source.needs) else NEVER
        head = self.entries[0]
        if not head.external:
            return 0
        if computed <= 0:
            return self._beats - 1 - self.beat
        source = self.entries[self.read_from]
        words = min(source.end - source.next - 1, head.left - 1)
        if not (rows and self.ascending and ended < source.needs):
            words = min(words, computed)
        return max(words * self._beats - self.beat, 0)

    def flow(self, cycles: int, rows: bool) -> None:
        """Move on by `cycles`, at most `steady`."""
        if rows and self.ascending:
            self.pointer += cycles
        if not self.holds_word:
            return
        words, self.beat = divmod(self.beat + cycles, self._beats)
        head = self.entries[0]
        head.other += cycles
        head.left -= words
        self.written += cycles
        self.read += words
        if words:
            self.entries[self.read_from].next += words

    def follows(self, address: int) -> bool:
        """The row for `address` goes on as the ones before it."""
        return self.running and (not self.ascending or address == self.pointer)

    def stays(self, address: int, ended: int) -> int:
        """Cycles a row for `address` is sure to be kept, 0 if it is not."""
        for position, entry in enumerate(self.entries):
            if entry.holds(address, ended):
                if position != self.read_from:
                    return 0
                return max((address - entry.next) * self._beats - self.beat, 0)
        return 0

    def clear(self, address: int, ended: int, most: int) -> int:
        """How many of `most` rows from `address` on are sure not to be kept."""
        for entry in self.entries:
            if ended >= entry.index and address < entry.end:
                most = min(most, max(entry.next - address, 0))
        return most

    def free(self, address: int, index: int, most: int) -> int:
        """How many of `most` words from `address` on are not still to be written by a copy into the activations."""
        for entry in self.entries:
            if not entry.external and index >= entry.index and address < entry.other + entry.left:
                most = min(most, max(entry.other - address, 0))
        return most
