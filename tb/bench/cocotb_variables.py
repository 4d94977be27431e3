"""What the variables of cocotb's own make flow mean here: honoured, or refused in one sentence, never dropped."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hw.base.error import InputError

INSTEAD = {
    "COCOTB_TESTCASE": "write COCOTB_TEST_FILTER, a regular expression of test names",
    "COCOTB_TEST_MODULES": "name the bench with BENCH or --bench",
    "COCOTB_TOPLEVEL": "the top follows from bench and chip",
    "COCOTB_RESULTS_FILE": "results are in build/junit",
    "COCOTB_RESULTS_ATTACHMENTS": "the log is attached already",
    "COCOTB_REWRITE_ASSERTION_FILES": "the benches' files are rewritten",
    "COCOTB_TRUST_INERTIAL_WRITES": "the clock in the simulator needs it as it is",
    "COCOTB_ANSI_OUTPUT": "the log is a file, without colours",
    "COCOTB_WAVEFORM_VIEWER": "`make waves` opens GTKWave",
}
"""Variable -> what to do instead of setting it. Others are cocotb's own and reach it (COCOTB_LOG_LEVEL, ...)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the environment asks for.

    Parameters
    ----------
    seed : int or None
        COCOTB_RANDOM_SEED, from 0 on; None if it is not set.
    pattern : str or None
        COCOTB_TEST_FILTER, a regular expression of names of tests; None if it is not set.
    """

    seed: int | None
    pattern: str | None


def given(environment: Mapping[str, str], *, seed: int | None = None) -> Given:
    """Seed and filter of `environment`; `seed` is that of the command line, None if it has none.

    Raises
    ------
    InputError
        If a variable has no effect here, the seed is not a number or not that of the command line, or the filter is no
        regular expression.
    """
    for name, advice in INSTEAD.items():
        if environment.get(name):
            raise InputError(f"{name} must not be set, it has no effect here; {advice}")
    wanted, pattern = environment.get("COCOTB_RANDOM_SEED") or None, environment.get("COCOTB_TEST_FILTER") or None
    if wanted is not None and not re.fullmatch(r"\d+", wanted):
        raise InputError(f"COCOTB_RANDOM_SEED must be a whole number from 0 on, not {wanted!r}; set one")
    if wanted is not None and seed is not None and seed != int(wanted):
        raise InputError(f"COCOTB_RANDOM_SEED is {wanted} and the seed given is {seed}; set one of the two")
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise InputError(
            f"COCOTB_TEST_FILTER must be a regular expression, not {pattern!r} ({error}); correct it"
        ) from None
    return Given(seed=None if wanted is None else int(wanted), pattern=pattern)
