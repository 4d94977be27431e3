"""A prediction beside a published result, and how many of them hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from model.energy.price import Interval

CHIP_MODEL = "chip model"
"""Rule of a check whose prediction, with its range, is a record of the chip model."""

TASKS = {
    "resnet50": "resnet50",
    "bert-99": "bert_large_177",
    "ssd-mobilenet": "ssd_mobilenet",
    "ssd-resnet34": "ssd_resnet34",
    "gptj-99": "gptj_99",
    "llama2-70b-99": "llama2_70b_99",
    "llama31_8b_128_4096": "llama31_8b_128_4096",
}
"""Name of a published task -> of the record; the same name for others. BERT: of a submitter that drops the padding."""

PADDED = {"bert_large_177": "bert_large"}
"""Record of a task without padding -> with it, the other end of the range."""

LANGUAGE = ("gptj_99", "llama2_70b_99", "llama31_8b_128_4096")
"""Those whose record is of requests to a language model, not of one scenario of a network."""

Scenario = Literal["offline", "single_stream", "multi_stream", "server"]

SCENARIOS: Mapping[str, Scenario] = {
    "Offline": "offline",
    "SingleStream": "single_stream",
    "MultiStream": "multi_stream",
    "Server": "server",
}

NOT_VALIDATED = {
    "furiosa_rngd": "531 tokens/s on Llama 2 7B (secondary) and 3,300 or 3,580 on Llama 3.1 8B state neither lengths "
    "nor batch",
    "telechips_dolphin5": "the SSDLite behind 16.58 ms is not described (six times its smaller sister's time)",
    "telechips_n_dolphin": "the SSDLite behind 2.46 ms is not described",
}
"""Published results that nothing here is compared with, and why."""

TIMES = "times"
"""Unit of a gain."""

KOREAN = ("furiosa", "sapeon", "rebellions", "deepx", "telechips")
"""Makers whose published results are the point of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One published result with its prediction.

    `predicted` and `published` are in `unit`; `rule` says how it was predicted, `published_by` where it was printed.
    `kind` is one of `calibration.KINDS`, "" for a bound of arrays alone; `rules` what the rules and open inputs say
    alone, where `predicted` holds the model's own error too, learnt without this chip. `blind`: its prediction was
    written before the result was opened. `bound`: what most of the predicted time is spent on, "" where no record says.

    Parameters
    ----------
    chip : str
        Name of the chip in hw/chips.
    what : str
        Task and how it was run, in words.
    """

    chip: str
    what: str
    unit: str
    predicted: Interval
    published: float
    rule: str
    published_by: str
    kind: str = ""
    rules: Interval | None = None
    blind: bool = False
    bound: str = ""

    @property
    def inside(self) -> bool:
        """The published value lies in the range."""
        return self.predicted.low <= self.published <= self.predicted.high

    @property
    def half_width(self) -> float:
        """Half of the range over the nominal value."""
        return (self.predicted.high - self.predicted.low) / 2 / self.predicted.nominal

    @property
    def error(self) -> float:
        """Nominal prediction over published, minus 1."""
        return self.predicted.nominal / self.published - 1

    @property
    def cause(self) -> str:
        """Why a wall power is more than 15 % off, or a prediction of the chip model outside; "" for others."""
        if self.rule.startswith(CHIP_MODEL) and self.verdict == "outside":
            return cause_of(self)
        if self.unit == TIMES and self.verdict == "outside":
            return (
                "gains over a host's own kernel, which reads at a small part of its memory's bandwidth; the model "
                "compares with a plain read at the pins"
            )
        if self.unit != "W" or abs(self.error) <= 0.15:
            return ""
        return (
            "limited so far below its unrestricted rate, parts of the chip are slowed and switched off one by one; "
            "one speed for the whole card is too coarse"
        )

    @property
    def verdict(self) -> str:
        """Of the chip model "in range of" so much to both sides, else "outside"; of arrays alone "bound holds" where
        their bound does, else "in range" or "outside"."""
        if self.rule.startswith(CHIP_MODEL):
            return f"in range of {self.half_width:.0%}" if self.inside else "outside"
        if self.predicted.low <= self.published <= self.predicted.high:
            return "in range"
        slower = self.published > self.predicted.high if self.unit == "ms" else self.published < self.predicted.low
        return "bound holds" if self.unit != "W" and slower else "outside"


LEAST_COVERAGE, MOST_COVERAGE = 0.85, 0.95
"""Shares of the published results that ranges meant to hold 90 % may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Of some results: how many of how many chips, the share inside their ranges, the median factor between published
    and predicted (and by the rules alone), the median half width of the ranges.

    Parameters
    ----------
    results : int
        Number of results; 0 leaves `coverage` and `half_width` at 0 and the factors at 1.
    chips : int
        Number of different chips among them.
    coverage : float
        Share of the results inside their ranges, 0 to 1.
    factor : float
        Median of nominal prediction over published or the reverse, whichever is above 1.
    rules_factor : float
        The same for the prediction by rules and open inputs alone, without the model's own error.
    half_width : float
        Median of half the range over the nominal prediction.
    """

    results: int
    chips: int
    coverage: float
    factor: float
    rules_factor: float
    half_width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """All checks, and per chip why the rest cannot be checked; `curve`: share of the results inside ranges meant to
    hold so many, each chip's learnt without it; `blind_written`, `blind_networks`, `blind_detectors`: the predictions
    of serving, of networks on a GPU and of detectors on Warboy that were written before their results were opened.

    Parameters
    ----------
    checks : tuple of Check
        Korean makers first, then by task, chip and publication.
    not_validated : dict of str to str
        Chip of a Korean maker to what of it no published result can check.
    """

    checks: tuple[Check, ...]
    not_validated: Mapping[str, str]
    curve: Mapping[float, float]
    blind_written: Score
    blind_networks: Score
    blind_detectors: Score

    @property
    def coverage(self) -> float:
        """Share of the results of the chip model inside their ranges."""
        kept = [check for check in self.checks if check.kind]
        return sum(check.inside for check in kept) / len(kept) if kept else 0.0

    @property
    def by_kind(self) -> Mapping[str, Score]:
        """Scores of every kind of question."""
        kinds: dict[str, list[Check]] = {}
        for check in self.checks:
            if check.kind:
                kinds.setdefault(check.kind, []).append(check)
        return {kind: score(found) for kind, found in sorted(kinds.items())}


def score(checks: Sequence[Check]) -> Score:
    """The score of checks of the chip model."""

    def factor(value: float, check: Check) -> float:
        return max(value / check.published, check.published / value)

    return Score(
        results=len(checks),
        chips=len({check.chip for check in checks}),
        coverage=sum(check.inside for check in checks) / max(1, len(checks)),
        factor=median(factor(c.predicted.nominal, c) for c in checks) if checks else 1.0,
        rules_factor=median(factor((c.rules or c.predicted).nominal, c) for c in checks) if checks else 1.0,
        half_width=median(c.half_width for c in checks) if checks else 0.0,
    )


def cause_of(check: Check) -> str:
    """What the chip model leaves out, of the kind of this check."""
    fast = (check.error < 0) == (check.unit == "ms")
    gpu = check.chip.startswith("nvidia")
    if check.chip.startswith("telechips"):
        return "the toolchain and the board's memory are not published; neither array, clock nor the part that ran is"
    if check.what.startswith(("gptj", "llama2-70b")):
        return "requests of one recalled mean length, all at once; the benchmark's vary and join as others end"
    if check.what.startswith("bert") and not fast:
        return "kernels of the submission that do attention in one pass, or a higher clock than the hypothesis"
    if gpu and check.what.startswith(("retinanet", "ssd")):
        return (
            "a detector's scores are counted as the passes of its definition; the software of a round fuses more of "
            "them, or passes its boxes one by one through memory"
        )
    if gpu and fast and check.what.endswith(("single stream", "query of 8")):
        return "host software of a query (issue, copies, launches) is not counted, kernels run back to back"
    if gpu and fast and check.what.endswith("server"):
        return "host software is not counted and one queue wastes nothing; the submission's batches may wait"
    if gpu and fast:
        return "no stalls inside a tile, no host software, a lower clock than the hypothesis"
    if gpu:
        return "left out: multicast between multiprocessors, first-level reuse of overlapping windows, a higher clock"
    if check.what.endswith("query of 8"):
        return "the size of the chunks a query was run in is not published"
    return "the toolchain, the part of the chip that ran and its memory are not published"
