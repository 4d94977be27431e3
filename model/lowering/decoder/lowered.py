"""What lowering a decoder gives: the program, its steps and where every tensor lies."""

from dataclasses import dataclass
from typing import Literal, get_args

from hw.base.error import InputError
from hw.spec.system import Program, SystemSpec, Token
from model.lowering.decoder.channel import Channel
from model.lowering.decoder.crossbar import Crossbars
from model.lowering.decoder.shared import TensorPlace

Pim = Literal["off", "weights", "attention", "both"]
"""What the channel multiplies while tokens are generated; the prompt is always read on the core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Tokens that go through the layers together.

    Parameters
    ----------
    first, tokens : int
        Position of the first, and how many.
    ended : Token
        All tensors of the step lie at their `places` when this has ended, and until the next step goes on.
    places : tuple of TensorPlace
    commands : int
        Descriptors of the program up to the end of the step.
    layers : tuple of Token
        What has ended when each layer has.
    """

    first: int
    tokens: int
    ended: Token
    places: tuple[TensorPlace, ...]
    commands: int
    layers: tuple[Token, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """A program, what must be in the memories before it runs, and where its tensors lie.

    Parameters
    ----------
    spec : SystemSpec
        The system it was made for.
    pim : Pim
        Which products of generated tokens the channel computes: none, those with weights, those of attention, or both.
    program : Program
        Descriptors of all units in the order of the stream.
    channels : dict of str to Channel
        Memory controller -> contents of its channel.
    crossbars : Crossbars or None
        What the crossbars hold, if the system has them.
    ids : int
        Word of the shared memory with the token of position 0 in lane 0; the prompt's must be there at the start, the
        generated ones follow.
    prompt : list of int
        Token numbers given, at least one.
    steps : list of Step
        In order of positions: the prompt in batches, then one generated token at a time.
    """

    spec: SystemSpec
    pim: Pim
    program: Program
    channels: dict[str, Channel]
    ids: int
    prompt: list[int]
    steps: list[Step]
    crossbars: Crossbars | None = None


def shares(spec: SystemSpec) -> tuple[Pim, ...]:
    """What the channel of a system can be asked to multiply: weights that lie in crossbars it has not."""
    return get_args(Pim) if spec.crossbar is None else ("off", "attention")


def check_pim(pim: str) -> Pim:
    """`pim` as one of the four; raises `InputError` listing them."""
    for known in get_args(Pim):
        if known == pim:
            return known
    raise InputError(f"pim must be one of {', '.join(get_args(Pim))}, not {pim!r}")
