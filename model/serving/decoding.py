"""The sequences that decode together on an instance: what they read, which blocks they begin, when one ends.

All advance with every step, so sums and a heap of ends stand for them: n steps add n to each context at once, and a
sequence of phase p begins a block at every step that leaves p when divided by the size of a block.
"""

from heapq import heappop, heappush

from model.serving.layout import Layout
from model.serving.request import Request


class Decoding:
    """Sequences that decode.

    Parameters
    ----------
    layout : Layout
    grows : bool
        A step may begin blocks.

    Attributes
    ----------
    step : int
        Steps so far.
    count : int
        Sequences.
    keys, window_keys : int
        Tokens that the next step reads, of layers that see all and of those with a window.
    growing : int
        Sequences that do not fill their window.
    """

    __slots__ = ("_ends", "_fills", "_phases", "count", "growing", "grows", "keys", "layout", "step", "window_keys")

    def __init__(self, layout: Layout, *, grows: bool) -> None:
        self.layout = layout
        self.grows = grows
        self.step = 0
        self.count = self.keys = self.window_keys = self.growing = 0
        self._ends: list[tuple[int, int, Request]] = []
        self._fills: list[tuple[int, int, Request]] = []
        self._phases = [0] * layout.block

    def join(self, request: Request) -> None:
        """A sequence whose prompt, and what it had produced, is in the cache; its last token is not yet."""
        request.end_step = self.step + request.answer - request.produced
        key = request.prompt + request.produced
        self.keys += key
        window = self.layout.window
        if window is not None:
            if key < window:
                self.growing += 1
                request.window_step = self.step + window - key
                heappush(self._fills, (request.window_step, request.number, request))
            self.window_keys += min(key, window)
        request.phase = (self.step - key + 1) % self.layout.block
        self._phases[request.phase] += 1
        self.count += 1
        heappush(self._ends, (request.end_step, request.number, request))

    def leave(self, request: Request) -> None:
        """A sequence leaves; what it produced and has in the cache is written down."""
        request.produced = request.answer - (request.end_step - self.step)
        request.cached = request.prompt + request.produced - 1
        key = request.prompt + request.produced
        self.keys -= key
        window = self.layout.window
        if window is not None:
            if key < window:
                self.growing -= 1
            self.window_keys -= min(key, window)
        self._phases[request.phase] -= 1
        self.count -= 1
        request.end_step = 0

    def horizon(self) -> int:
        """Steps until a sequence ends or fills its window; there must be one."""
        ends, fills = self._ends, self._fills
        while ends[0][2].end_step != ends[0][0]:  # it left before
            heappop(ends)
        steps = ends[0][0] - self.step
        while fills and not (fills[0][2].end_step and fills[0][2].window_step == fills[0][0]):
            heappop(fills)
        return min(steps, fills[0][0] - self.step) if fills else steps

    def passed(self, steps: int) -> None:
        """So many steps were made."""
        self.step += steps
        self.keys += self.count * steps
        self.window_keys += self.growing * steps
        fills = self._fills
        while fills and fills[0][0] <= self.step:
            at, _, request = heappop(fills)
            if request.end_step and request.window_step == at:
                self.growing -= 1

    def ended(self) -> list[Request]:
        """Sequences whose last token the last step wrote; they leave."""
        ends, found = self._ends, []
        while ends and ends[0][0] <= self.step:
            at, _, request = heappop(ends)
            if request.end_step == at:
                self.leave(request)
                found.append(request)
        return found

    @property
    def next_blocks(self) -> int:
        """Blocks that the next step begins."""
        return self._phases[self.step % self.layout.block] if self.grows else 0

    def growth(self, steps: int) -> int:
        """Blocks that the next `steps` steps begin."""
        if not self.grows:
            return 0
        block = self.layout.block
        rounds, rest = divmod(steps, block)
        phases, start = self._phases, self.step % block
        end = start + rest
        if end <= block:
            return rounds * self.count + sum(phases[start:end])
        return rounds * self.count + sum(phases[start:]) + sum(phases[: end - block])

    def affordable(self, most: int, room: int) -> int:
        """The most steps, up to `most`, that begin no more than `room` blocks; at least 1."""
        if self.growth(most) <= room:
            return most
        block = self.layout.block
        rounds = room // self.count
        steps, total = rounds * block, rounds * self.count
        while steps < most:
            total += self._phases[(self.step + steps) % block]
            if total > room:
                break
            steps += 1
        return max(1, steps)
