"""How much of an instance's cache a request takes: blocks that grow with its tokens and blocks that do not."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Memory of one request on the fullest device.

    Parameters
    ----------
    block : int
        Tokens of a block.
    full : float
        Bytes a token of the layers that see everything.
    windowed : float
        Bytes a token of the layers with a window.
    window : int or None
        Tokens they see.
    state : float
        Bytes of a request whatever its length.
    """

    block: int
    full: float
    windowed: float = 0.0
    window: int | None = None
    state: float = 0.0

    @property
    def grows(self) -> bool:
        """Whether a longer answer takes more."""
        return self.full > 0

    @property
    def unit(self) -> float:
        """Bytes of a block."""
        return self.block * (self.full or self.windowed or self.state or 1.0)

    def fixed(self, tokens: int) -> int:
        """Blocks that a request of `tokens` in the end takes at once: its windows, filled, and its states."""
        if not self.windowed and not self.state:
            return 0
        held = self.state + self.windowed * min(tokens, self.window or tokens)
        return -int(-held // self.unit)

    def blocks(self, memory: float) -> int:
        """Blocks in `memory` bytes."""
        return int(memory // self.unit)
