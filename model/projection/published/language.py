"""Published serving results of language models: one row a result, with engine, lengths, requests and source."""

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from hw.base.error import InputError
from hw.spec.fact import Confidence

_TABLE = Path(__file__).with_name("language.csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageRow:
    """One result of an instance of `devices` cards of `chip`, cut over `tensor` of them.

    `requests` of `prompt` and `answer` tokens were in flight; None: as many as the engine took, of `total`. `metric` is
    the instance's answer tokens per second, or milliseconds between two tokens of an answer ("tpot").

    Parameters
    ----------
    engine : str
        Serving software, "trtllm" or "vllm".
    version : str
        Version of the engine; "" where none is stated.
    model : str
        Language model, such as "llama31_8b".
    weights : str
        Number format of the weights, such as "fp8_e4m3" or "bf16".
    cache : str
        Number format of the key-value cache.
    value : float
        The published number, in `unit`.
    unit : str
        "tokens/s", or "ms" of "tpot".
    confidence : Confidence
        How far the value can be trusted, "vendor" or "measured" in the table.
    source : str
        The document the value was read from, never empty.
    """

    engine: str
    version: str
    chip: str
    model: str
    devices: int
    tensor: int
    weights: str
    cache: str
    prompt: int
    answer: int
    requests: int | None
    total: int | None
    metric: Literal["tokens_per_s", "tpot"]
    value: float
    unit: str
    confidence: Confidence
    source: str

    @property
    def blind(self) -> bool:
        """Its prediction was written (`blind.csv`, digest `BLIND_DIGEST`) before the row was opened."""
        return self.version == "0.14"


BLIND = Path(__file__).with_name("blind.csv")
"""Predictions of 2,203 results on five cards, written at commit 9ebd3e1 before any of v0.14 was opened."""

BLIND_DIGEST = "0a8ebdf3ba3a5b78d5ae133a87f1520d9aac70611cf5f2bca19bcae6cb23cd03"
"""SHA-256 of the file."""


@lru_cache
def language_rows(path: Path = _TABLE) -> tuple[LanguageRow, ...]:
    """All rows; `InputError` naming the line if a field or its source is missing."""
    found = []
    with path.open(newline="", encoding="utf-8") as file:
        for line, f in enumerate(csv.DictReader(file), start=2):
            what = f"published serving result {f.get('chip')} {f.get('model')}, line {line}"
            if not (f.get("source") or "").strip():
                raise InputError(f"{what}, must name its source, not leave it empty")
            try:
                found.append(
                    LanguageRow(
                        engine=f["engine"],
                        version=f["version"],
                        chip=f["chip"],
                        model=f["model"],
                        devices=int(f["devices"]),
                        tensor=int(f["tensor"]),
                        weights=f["weights"],
                        cache=f["cache"],
                        prompt=int(f["prompt"]),
                        answer=int(f["answer"]),
                        requests=int(f["requests"]) if f["requests"] else None,
                        total=int(f["total"]) if f["total"] else None,
                        metric=f["metric"],  # type: ignore[arg-type]  # checked below
                        value=float(f["value"]),
                        unit=f["unit"],
                        confidence=f["confidence"],  # type: ignore[arg-type]  # a name of the table
                        source=f["source"],
                    )
                )
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(f"{what}, must have every column filled with its kind of value, not {error}") from None
            if found[-1].metric not in ("tokens_per_s", "tpot"):
                raise InputError(f"{what}: metric must be tokens_per_s or tpot, not {found[-1].metric!r}")
    return tuple(found)
