"""A network as a workload: shapes for the cycle model, no operands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from hw.base.digest import digest
from hw.base.error import InputError
from model.network.layer import Network
from model.network.llm import load
from model.network.serving import Serving
from model.work.workload import Gemm, GemmJob


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageStep:
    """A prefill or a decode step of the language model called `model`: `batch` sequences of `tokens` tokens on
    `cards` cards.

    Parameters
    ----------
    phase : "prefill" or "decode"
        Whether prompts of `tokens` are computed, or one token for each sequence, which then holds `tokens`.
    """

    model: str
    phase: Literal["prefill", "decode"]
    tokens: int
    batch: int
    cards: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkWorkload:
    """One run of a network.

    Parameters
    ----------
    title : str
        One line for people.
    build : function of no arguments that returns the Network
        Called when the shapes are asked for.
    work : mapping of str to float
        What one run gives, e.g. {"images": 1}.
    queued : bool
        Back to back instead of one by one.
    language : LanguageStep or None
        What the network is one card's part of, if it is a language model's.
    """

    title: str
    build: Callable[[], Network]
    work: Mapping[str, float] = field(default_factory=dict)
    queued: bool = False
    language: LanguageStep | None = None

    @property
    def digest(self) -> str:
        """Digest of the shapes."""
        return digest(self.gemms())

    def network(self) -> Network:
        """All layers, those without matrix products too."""
        return self.build()

    def gemms(self) -> list[Gemm]:
        """The matrix products, in order."""
        return self.build().gemms()

    def jobs(self, seed: int) -> list[GemmJob]:
        """Refused: there are no operands."""
        raise InputError(
            f"the workload must hold operands to run on RTL; {self.title!r} is shapes only, use `kcloud-cosim predict`"
        )

    def score(self, outputs: list[np.ndarray]) -> dict[str, float]:
        """No task, no figures."""
        return {}


def shipped_with_onnx(name: str) -> Path:
    """The file of a model that the onnx package carries for its tests, e.g. "light_resnet50"."""
    import onnx

    return Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / f"{name}.onnx"


def onnx_workload(title: str, name: str, work: Mapping[str, float]) -> NetworkWorkload:
    """The workload of an ONNX model that the onnx package carries."""

    def build() -> Network:
        from model.network.onnx_file import read

        return read(shipped_with_onnx(name))

    return NetworkWorkload(title=title, build=build, work=work)


def prefill_workload(title: str, model: str, *, tokens: int, cards: int = 1) -> NetworkWorkload:
    """One prompt of `tokens` tokens through one of `cards` cards of a language model."""

    def build() -> Network:
        return Serving(model=load(model), cards=cards).prefill(tokens)

    step = LanguageStep(model=model, phase="prefill", tokens=tokens, batch=1, cards=cards)
    return NetworkWorkload(title=title, build=build, work={"tokens": tokens}, language=step)


def decode_workload(title: str, model: str, *, context: int, batch: int, cards: int = 1) -> NetworkWorkload:
    """One decode step of `batch` sequences on one of `cards` cards of a language model."""

    def build() -> Network:
        return Serving(model=load(model), cards=cards).decode(context, batch)

    step = LanguageStep(model=model, phase="decode", tokens=context, batch=batch, cards=cards)
    return NetworkWorkload(title=title, build=build, work={"tokens": batch}, language=step)
