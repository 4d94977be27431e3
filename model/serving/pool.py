"""The paged key-value cache of an instance: blocks of tokens and kept beginnings.

A block belongs to one request, or to a kept beginning that any number of requests use; a beginning may go on from
another. Beginnings that nobody uses are given up, longest unused first, when blocks run out. Windows and states take a
part of each request's memory that does not grow, in whole blocks.
"""

from collections import OrderedDict
from typing import Any


class Kept:
    """A beginning: its own `blocks`, those of its `parent` before them, `depth` of both; in use by `users`."""

    __slots__ = ("blocks", "depth", "key", "parent", "users")

    def __init__(self, key: Any, blocks: int, parent: "Kept | None") -> None:
        self.key = key
        self.blocks = blocks
        self.parent = parent
        self.depth = blocks + (parent.depth if parent is not None else 0)
        self.users = 0


class Pool:
    """`total` blocks of `block` tokens.

    Parameters
    ----------
    total : int
    block : int
    keeps : bool
        Beginnings are kept for later requests.

    Attributes
    ----------
    free : int
        Blocks of nobody.
    idle : int
        Blocks of kept beginnings that no request uses.
    peak : int
        Most blocks in use at one time.
    """

    __slots__ = ("_renamed", "block", "free", "idle", "keeps", "known", "peak", "total", "unused")

    def __init__(self, total: int, block: int, *, keeps: bool) -> None:
        self.total = self.free = total
        self.block = block
        self.keeps = keeps
        self.idle = 0
        self.peak = 0
        self._renamed = 0
        self.known: dict[Any, Kept] = {}
        self.unused: OrderedDict[Any, Kept] = OrderedDict()

    @property
    def available(self) -> int:
        """Blocks that a request may get."""
        return self.free + self.idle

    @property
    def used(self) -> int:
        """Blocks of requests and of beginnings in use."""
        return self.total - self.free - self.idle

    def take(self, blocks: int) -> None:
        """Give `blocks` to a request; there must be so many `available`."""
        while self.free < blocks:
            self._drop(next(iter(self.unused.values())))
        self.free -= blocks
        used = self.total - self.free - self.idle
        if used > self.peak:
            self.peak = used

    def give(self, blocks: int) -> None:
        """Take `blocks` back."""
        self.free += blocks

    def use(self, kept: Kept) -> None:
        """One more request uses it, and what it goes on from."""
        step: Kept | None = kept
        while step is not None:
            if not step.users:
                del self.unused[step.key]
                self.idle -= step.blocks
            step.users += 1
            step = step.parent

    def leave(self, kept: Kept) -> None:
        """One request fewer uses it. What it goes on from is left after it, so it is given up later."""
        step: Kept | None = kept
        while step is not None:
            step.users -= 1
            if not step.users:
                self.unused[step.key] = step
                self.idle += step.blocks
            step = step.parent

    def keep(self, key: Any, blocks: int, parent: Kept | None) -> Kept:
        """Turn `blocks` of a request into a beginning, behind the `parent` that the request used; the request uses it
        now instead. Whatever was kept under `key` unused is given up."""
        old = self.known.get(key)
        if old is not None and not old.users:
            self._drop(old)
        elif old is not None:  # in use: it stays under a name that nobody asks for
            self._renamed += 1
            del self.known[key]
            old.key = ("older", self._renamed)
            self.known[old.key] = old
        kept = Kept(key, blocks, parent)
        kept.users = 1
        self.known[key] = kept
        return kept

    def _drop(self, kept: Kept) -> None:
        del self.known[kept.key]
        del self.unused[kept.key]
        self.idle -= kept.blocks
        self.free += kept.blocks
