"""What requests hold of an instance's cache: blocks of their own, beginnings they share, room for what is to come."""

from hw.base.error import InputError
from hw.base.integer import ceil_div
from model.serving.layout import Layout
from model.serving.pool import Kept, Pool
from model.serving.request import Request


class Holdings:
    """The cache of an instance by requests.

    Parameters
    ----------
    layout : Layout
    pool : Pool
    reserves : bool
        A request holds room for its whole answer from the start.
    """

    __slots__ = ("found", "layout", "pool", "reserves")

    def __init__(self, layout: Layout, pool: Pool, *, reserves: bool) -> None:
        self.layout = layout
        self.pool = pool
        self.reserves = reserves
        self.found = 0

    def needs(self, request: Request) -> int:
        """Blocks that `request` takes when its answer is complete."""
        total = request.prompt + request.answer
        return self._growing(total) + self.layout.fixed(total)

    def check(self, request: Request) -> None:
        """Raise `InputError` if the whole cache does not hold `request`."""
        if self.needs(request) > self.pool.total:
            most = self.pool.total * self.layout.block
            raise InputError(
                f"a request must fit the cache: no. {request.number} has {request.prompt} + {request.answer} tokens; "
                f"the cache holds {most:,}; use more cards, a narrower cache or a shorter request"
            )

    def own(self, request: Request, tokens: int) -> int:
        """Blocks that the request holds besides a kept beginning, with `tokens` in the cache."""
        total = request.prompt + request.answer
        growing = self._growing(total if self.reserves else tokens)
        return growing + self.layout.fixed(total) - (request.kept.depth if request.kept is not None else 0)

    def find(self, request: Request) -> Kept | None:
        """The longest kept beginning of a request's prompt."""
        if not self.pool.keeps or request.produced or request.cached:
            return None
        if request.session is None and request.prefix is None:
            return None
        block, most = self.layout.block, (request.prompt - 1) // self.layout.block
        for key in (("session", request.session), ("prefix", request.prefix)):
            kept = self.pool.known.get(key) if key[1] is not None else None
            if kept is None or kept.depth > most:
                continue
            if key[0] == "session" or kept.depth * block <= request.prefix_tokens:
                return kept
        return None

    def room(self, request: Request, more: int) -> bool:
        """Whether `request` can start and `more` blocks are left for those that run."""
        kept = self.find(request)
        shared = kept.depth if kept is not None else 0
        room = self.pool.available
        while kept is not None:  # unused beginnings that it would use cannot be given up for it
            room -= 0 if kept.users else kept.blocks
            kept = kept.parent
        total = request.prompt + request.answer
        need = self._growing(total if self.reserves else request.context) - shared
        return need + self.layout.fixed(total) + more <= room

    def take(self, request: Request) -> None:
        """A request starts; with a kept beginning, that much of its prompt is in the cache."""
        if request.cached:  # its cache comes from the host or from another instance
            self.pool.take(self.own(request, request.cached))
            return
        kept = self.find(request)
        if kept is not None:
            self.pool.use(kept)
            request.kept = kept
            request.cached = request.found = kept.depth * self.layout.block
            self.found += request.found
        self.pool.take(self.own(request, request.context))

    def keep_prefix(self, request: Request) -> None:
        """The prompt is in the cache: the beginning it shares is kept for others."""
        if not self.pool.keeps or request.prefix is None or request.kept is not None or not self.layout.grows:
            return
        whole = min(request.prefix_tokens, request.prompt) // self.layout.block
        if whole and ("prefix", request.prefix) not in self.pool.known:
            request.kept = self.pool.keep(("prefix", request.prefix), whole, None)

    def give(self, request: Request, tokens: int, *, ended: bool = False) -> None:
        """A request with blocks for `tokens` tokens gives back what it holds; a session keeps its whole blocks."""
        own = self.own(request, tokens)
        kept = request.kept
        if ended and self.pool.keeps and request.session is not None and self.layout.grows:
            whole = request.cached // self.layout.block - (kept.depth if kept is not None else 0)
            if whole > 0:
                kept = self.pool.keep(("session", request.session), whole, kept)
                own -= whole
        if kept is not None:
            self.pool.leave(kept)
        self.pool.give(own)
        request.kept = None

    def _growing(self, tokens: int) -> int:
        return ceil_div(tokens, self.layout.block) if self.layout.grows else 0
