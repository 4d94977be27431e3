"""Max pooling in the stepped model: a channel beside the write channel."""

from hw.spec.command import Copy, Geometry


class PoolChannel:
    """Max pooling from the output memory into the activation memory; `words` still to be written, 0 if not open."""

    def __init__(self) -> None:
        self.words = self.other = self.order = 0
        self.read = self.written = 0
        self.address = -1
        self._needs = self._first = self._span = 0
        self._taps: list[tuple[bool, bool]] = []  # read, last of its pixel
        self._next = 0
        self._full = self._last = self._issues = self._advances = False

    def take(self, copy: Copy, g: Geometry, *, order: int, needs: int) -> None:
        """Open a copy."""
        self.words, self.other, self.order, self._needs = copy.words, copy.other_address, order, needs
        self._first, self._span = copy.address, g.plane * g.groups
        pixel = [(i, j) for i in range(g.kernel_height) for j in range(g.kernel_width)]
        self._taps = [
            (
                0 <= y * g.stride - g.pad_top + i * g.dilation < g.height
                and 0 <= x * g.stride - g.pad_left + j * g.dilation < g.width,
                (i, j) == pixel[-1],
            )
            for _ in range(g.groups * g.images)
            for y in range(g.out_height)
            for x in range(g.out_width)
            for i, j in pixel
        ]
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
