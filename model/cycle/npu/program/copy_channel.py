"""A read channel in the stepped model: the rules of the RTL's, one method call per cycle, or many cycles at once."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from hw.spec.dma import COPY_ENTRIES

NEVER = 1 << 62


class Hold:
    """A truth value per cycle; false after its end."""

    def __init__(self, pattern: Sequence[bool] = ()) -> None:
        self._pattern = [bool(value) for value in pattern]
        self.until = len(self._pattern)

    def __call__(self, cycle: int) -> bool:
        return 0 <= cycle < self.until and self._pattern[cycle]


@dataclass(slots=True)
class Entry:
    """One open copy; `index` compute commands were decoded before it, `needs` must have ended.

    Parameters
    ----------
    next : int
        Into the core: word of the scratchpad to be written next. Out of it: word of the output memory to be read next.
    end : int
        The word behind the last.
    other : int
        Beat of the external memory, or word of the activation memory, at the other side: of a copy out of the core the
        one to be written next, of a copy into it the first.
    left : int
        Of a copy out of the core: words whose writing has not ended. Of a copy into it: all its words, never changed.
    external : bool
        False: output memory to activation memory; True: the other side is the external memory.
    due : int
        Of a copy into the core: cycle from which on its first beat may come; NEVER until it has been asked for. Of a
        copy out of it: always NEVER.
    arrived : int
        Of a copy into the core: beats of the word `next` that have come; otherwise 0.
    """

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

    def __init__(self, beats: int, latency: int, hold: Hold, banks: int) -> None:
        self.beats, self._latency, self._hold, self.banks = beats, latency, hold, banks
        self.entries: deque[Entry] = deque()
        self.asked = 0
        self.read = self.waits = self.written = 0
        self.address = -1  # word written in this cycle, -1 if none
        self.asks = False
        self._arrives = False

    def missing(self, address: int, index: int) -> bool:
        """A reader of command `index` has to wait for `address`."""
        return any(entry.next <= address < entry.end and index >= entry.index for entry in self.entries)

    @property
    def full(self) -> bool:
        """No place for another copy."""
        return len(self.entries) == COPY_ENTRIES

    def look(self, cycle: int, ended: int) -> None:
        """What happens in this cycle, before anything changes."""
        entries = self.entries
        self.address = -1
        self.asks = self.asked < len(entries) and ended >= entries[self.asked].needs
        if self.asked:
            head = entries[0]
            self._arrives = cycle >= head.due and not self._hold(cycle)
            if self._arrives and head.arrived == self.beats - 1:
                self.address = head.next

    def step(self, cycle: int) -> int:
        """The end of the cycle; copies that ended."""
        done = 0
        if self.asked:
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
                        self.asked -= 1
                        done = 1
            else:
                self.waits += 1
        if self.asks:
            self.entries[self.asked].due = cycle + self._latency
            self.asked += 1
        return done

    # ---- many cycles at once, from the start of `cycle` on, the channel never held

    def steady(self, cycle: int) -> int:
        """Cycles until the next beat may come if none does, or until the last beat of the copy."""
        if not self.asked:
            return NEVER
        head = self.entries[0]
        return max(head.due - cycle, 0) or self._until(head.end - 1)

    def flow(self, cycle: int, cycles: int) -> None:
        """Move on by `cycles`, at most `steady`."""
        if not self.asked:
            return
        head = self.entries[0]
        if head.due > cycle:
            self.waits += cycles
            return
        words, head.arrived = divmod(head.arrived + cycles, self.beats)
        self.read += cycles
        self.written += words
        head.next += words

    def _until(self, address: int) -> int:
        """Cycles before the one in which the word at `address` of the copy under way is written."""
        head = self.entries[0]
        return (address - head.next + 1) * self.beats - head.arrived - 1

    def arrival(self, cycle: int, address: int) -> int:
        """Cycles before the one that writes a missing word, or fewer; 0 if it is there."""
        if not self.asked:
            return NEVER
        head = self.entries[0]
        if address < head.next:
            return 0
        return self._until(min(address, head.end - 1)) + max(head.due - cycle, 0)

    def leads(self, cycle: int, address: int, index: int) -> bool:
        """The word at `address` is the one under way, or was written in the cycle before."""
        if not self.asked:
            return False
        head = self.entries[0]
        if head.due > cycle or index < head.index:
            return False
        return head.next == address + (not head.arrived)

    def clear(self, cycle: int, address: int, step: int, index: int, most: int) -> int:
        """How many of the next `most` reads of command `index`, one per cycle from `address` on by `step`, are free.

        Free of missing words and of writes to their bank. At least as many as said.
        """
        for position, entry in enumerate(self.entries):
            flows = position == 0 and self.asked > 0 and entry.due <= cycle
            if index >= entry.index:
                if entry.next <= address < entry.end:
                    return 0
                if step > 0 and address < entry.next and not (flows and self.beats == 1):
                    most = min(most, entry.next - address)
                if step < 0 and address >= entry.end:
                    most = min(most, address - entry.end + 1)
            if flows:
                most = min(most, self._apart(entry, address, step, most))
        return most

    def _apart(self, head: Entry, address: int, step: int, most: int) -> int:
        """Cycles before the first in which a read meets a write of its bank; `most` if none does."""
        cycle = self.beats - 1 - head.arrived
        distance, change = head.next - address - step * cycle, 1 - step * self.beats
        for _ in range(self.banks):
            if cycle >= most:
                return most
            if distance % self.banks == 0:
                return cycle
            distance += change
            cycle += self.beats
        return most
