"""A projection: named figures with ranges, samples, a ranking of what drives them, and their origin as a tree."""

import difflib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from hw.base.error import InputError
from model.energy.price import Interval
from model.projection.figure import Figure, evaluate


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """What one input does to one figure: its value with that input low, and high, the others nominal.

    Parameters
    ----------
    leaf : Figure
        The input, a fact with a range.
    at_low : float
        Value of the driven figure, in its unit, with the input at its low end.
    at_high : float
        The same with the input at its high end.
    """

    leaf: Figure
    at_low: float
    at_high: float

    @property
    def swing(self) -> float:
        """Distance between the two."""
        return abs(self.at_high - self.at_low)


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """Named figures that may share inputs.

    Parameters
    ----------
    title : str
        What is projected, in a few words.
    figures : tuple of Figure
        The named figures, each name once; facts below them that have one name must be equal.

    Raises
    ------
    InputError
        If two figures have one name, or a figure has no origin.
    """

    title: str
    figures: tuple[Figure, ...]
    _by_name: dict[str, Figure] = field(init=False, default_factory=dict, repr=False)
    _leaves: tuple[Figure, ...] = field(init=False, default=(), repr=False)

    def __post_init__(self) -> None:
        leaves: dict[str, Figure] = {}
        for figure in self.figures:
            if self._by_name.setdefault(figure.name, figure) is not figure:
                raise InputError(f"a figure's name must be its own, not {figure.name!r} twice; rename one")
            found = list(figure.leaves())
            if not found:
                raise InputError(f"figure {figure.name} must rest on a fact or a record, not on constants alone")
            for leaf in found:
                if leaf.fact is not None and leaves.setdefault(leaf.name, leaf).fact != leaf.fact:
                    raise InputError(f"input {leaf.name!r} must mean one fact, not two; rename one")
        evaluate(self.figures, {})
        object.__setattr__(self, "_leaves", tuple(leaf for leaf in leaves.values() if leaf.varies))

    def __getitem__(self, name: str) -> Figure:
        """The figure called `name`, an input of one included; `InputError` naming the nearest if unknown."""
        if name in self._by_name:
            return self._by_name[name]
        inner = {f.name: f for f in walk(self.figures) if f.name}
        if name in inner:
            return inner[name]
        near = difflib.get_close_matches(name, inner, n=3, cutoff=0.3)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise InputError(f"there is no figure {name!r}; {hint}list them with --list")

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    @property
    def varying(self) -> tuple[Figure, ...]:
        """The facts with a range, each once."""
        return self._leaves

    def interval(self, figure: Figure | str) -> Interval:
        """Low / nominal / high of a figure: every input at the end that lowers it, nominal, raises it."""
        return self.intervals([self[figure] if isinstance(figure, str) else figure])[0]

    def intervals(self, figures: Iterable[Figure] | None = None) -> list[Interval]:
        """`interval` of each figure, in a few evaluations for all of them.

        The direction of each input is found with the others at nominal, then again at the corner reached, one input
        after the other, until turning none of them leads further: a formula need not be monotone in an input.
        """
        figures = list(self.figures if figures is None else figures)
        low_high = self._one_at_a_time(figures)
        result = []
        for figure, (at_low, at_high), value in zip(figures, low_high, evaluate(figures, {}), strict=True):
            nominal = float(value)
            rising = [bool(a <= b) for a, b in zip(at_low, at_high, strict=True)]
            low, high = (self._corner(figure, rising, up) for up in (False, True))
            result.append(Interval(low=min(low, nominal), nominal=nominal, high=max(high, nominal)))
        return result

    def _corner(self, figure: Figure, rising: list[bool], up: bool) -> float:
        """The highest (`up`) or lowest value from the corner that all directions lead to, by turning inputs.

        Inputs that move nothing at nominal are turned too where the corner lets them (a minimum, a maximum).
        """
        leaves = [leaf for leaf in figure.leaves() if leaf.varies]
        known = {leaf.name: number for number, leaf in enumerate(self._leaves)}
        numbers = [known[leaf.name] for leaf in leaves if leaf.name in known]
        at_high = {n: rising[n] == up for n in numbers}
        best = float("-inf") if up else float("inf")
        for _ in range(len(numbers) + 1):
            # one evaluation: the corner itself, and it with each input turned
            points = {}
            for place, n in enumerate(numbers):
                low_end, high_end = _ends(self._leaves[n])
                here = np.full(len(numbers) + 1, high_end if at_high[n] else low_end)
                here[place + 1] = low_end if at_high[n] else high_end
                points[self._leaves[n].name] = here
            values = np.broadcast_to(evaluate([figure], points)[0], len(numbers) + 1)
            best = float(values[0])
            if not numbers:
                break
            turned = int(np.argmax(values[1:]) if up else np.argmin(values[1:])) + 1
            gain = float(values[turned]) - best if up else best - float(values[turned])
            if gain <= 1e-12 * abs(best):
                break
            best = float(values[turned])
            at_high[numbers[turned - 1]] = not at_high[numbers[turned - 1]]
        return best

    def samples(self, count: int, seed: int, figures: Iterable[Figure] | None = None) -> dict[str, np.ndarray]:
        """`count` Monte Carlo samples of each figure.

        Every fact with a range is drawn once per sample from the triangular distribution low / nominal / high,
        independently of the others; a fact used by several figures has the same draw in all.
        """
        if count < 1:
            raise InputError(f"the number of samples must be at least 1, not {count}")
        draws = {}
        for leaf in self._leaves:
            low, high = _ends(leaf)
            # a stream of its own per input: another input does not move the draws of this one
            random = np.random.default_rng((seed, zlib.crc32(leaf.name.encode())))
            draws[leaf.name] = random.triangular(low, _nominal(leaf), high, count)
        figures = list(self.figures if figures is None else figures)
        values = evaluate(figures, draws)
        return {f.name: np.broadcast_to(v, (count,)) for f, v in zip(figures, values, strict=True)}

    def drivers(self, name: str) -> list[Driver]:
        """What drives a figure: its inputs with a range, largest swing first; those without effect left out."""
        figure = self[name]
        at_low, at_high = self._one_at_a_time([figure])[0]
        drivers = [
            Driver(leaf=leaf, at_low=float(low), at_high=float(high))
            for leaf, low, high in zip(self._leaves, at_low, at_high, strict=True)
        ]
        return sorted((d for d in drivers if d.swing > 0), key=lambda d: (-d.swing, d.leaf.name))

    def _one_at_a_time(self, figures: list[Figure]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Per figure its values with each varying leaf in turn at low, and at high."""
        size = len(self._leaves)
        points = {}
        for number, leaf in enumerate(self._leaves):
            points[leaf.name] = np.full(2 * size, _nominal(leaf))
            points[leaf.name][number], points[leaf.name][size + number] = _ends(leaf)
        values = [np.broadcast_to(v, (2 * size,)) for v in evaluate(figures, points)]
        return [(v[:size], v[size:]) for v in values]


def walk(figures: Iterable[Figure]) -> Iterable[Figure]:
    """All figures below `figures`, themselves included, each once, top down."""
    seen: set[int] = set()
    stack = list(reversed(list(figures)))
    while stack:
        figure = stack.pop()
        if id(figure) not in seen:
            seen.add(id(figure))
            yield figure
            stack.extend(reversed(figure.operands))


def _nominal(leaf: Figure) -> float:
    assert leaf.fact is not None
    return leaf.fact.nominal


def _ends(leaf: Figure) -> tuple[float, float]:
    assert leaf.fact is not None
    return leaf.fact.minimum, leaf.fact.maximum
