"""Ways to count the published shares: which card in which number format makes an operator's PF.

Nobody says how 19.95 PF were counted. Each rule is a hypothesis; `model.projection.ledger` says how near it comes and
what it moves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hw.base.error import InputError
from model.projection.scenario import Scenario, Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`shares`: operator to (card, number format of its peak).

    Parameters
    ----------
    title : str
        Format and card of every operator, in one line.
    note : str
        What speaks for the rule or against it; may be "".
    """

    title: str
    shares: Mapping[str, tuple[str, str]]
    note: str = ""

    def apply(self, scenario: Scenario) -> Scenario:
        """The site with its shares counted by this rule; `InputError` if an operator is missing."""
        return replace(scenario, shares=tuple(self._share(share) for share in scenario.shares))

    def _share(self, share: Share) -> Share:
        if share.operator not in self.shares:
            known = ", ".join(self.shares)
            raise InputError(
                f"the rule {self.title!r} must count every operator, not only {known}; add {share.operator}"
            )
        card, peak_format = self.shares[share.operator]
        return replace(share, card=card, peak_format=peak_format)


RULES: Mapping[str, Rule] = {
    "mixed": Rule(
        title="FP8 X330, FP16 ATOM, INT8 Warboy",
        shares={
            "nhn": ("sapeon_x330_compact", "fp8"),
            "kt": ("rebellions_atom", "fp16"),
            "naver": ("furiosa_warboy", "int8"),
        },
        note="nearest to whole cards",
    ),
    "eight_bit": Rule(
        title="8-bit formats everywhere: FP8 X330, INT8 ATOM, INT8 Warboy",
        shares={
            "nhn": ("sapeon_x330_compact", "fp8"),
            "kt": ("rebellions_atom", "int8"),
            "naver": ("furiosa_warboy", "int8"),
        },
        note="one precision, but far from a whole number of ATOM cards",
    ),
    "four_bit": Rule(
        title="largest printed peak: FP8 X330, INT4 ATOM, INT8 Warboy",
        shares={
            "nhn": ("sapeon_x330_compact", "fp8"),
            "kt": ("rebellions_atom", "int4"),
            "naver": ("furiosa_warboy", "int8"),
        },
        note="far from a whole number of ATOM cards",
    ),
    "prime": Rule(
        title="FP8 X330 prime, FP16 ATOM, INT8 Warboy",
        shares={
            "nhn": ("sapeon_x330_prime", "fp8"),
            "kt": ("rebellions_atom", "fp16"),
            "naver": ("furiosa_warboy", "int8"),
        },
        note="fewer cards of twice the peak: as near as mixed",
    ),
    "rngd": Rule(
        title="FP8 X330, FP16 ATOM, FP8 RNGD",
        shares={
            "nhn": ("sapeon_x330_compact", "fp8"),
            "kt": ("rebellions_atom", "fp16"),
            "naver": ("furiosa_rngd", "fp8"),
        },
        note="far from a whole number of RNGD cards",
    ),
    "x220": Rule(
        title="INT8 X220 enterprise, FP16 ATOM, INT8 Warboy",
        shares={
            "nhn": ("sapeon_x220_enterprise", "int8"),
            "kt": ("rebellions_atom", "fp16"),
            "naver": ("furiosa_warboy", "int8"),
        },
        note="the peak of X220 is unverified: never an anchor",
    ),
}
"""By name. 16 bits everywhere cannot be counted: no 16-bit peak of X330, X220 or Warboy is published."""
