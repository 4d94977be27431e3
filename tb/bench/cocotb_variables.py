"""What the variables of cocotb's own make flow mean here: honoured, or refused in one sentence, never dropped."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hw.base.error import InputError
from hw.base.nearest import nearest

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
    "COCOTB_HDL_TIMEUNIT": "the time unit follows from the chip's clock",
    "COCOTB_HDL_TIMEPRECISION": "the time unit follows from the chip's clock",
    "COCOTB_PLUSARGS": "the benches take no plusargs",
}
"""Variable -> what to do instead of setting it."""

OURS = ("COCOTB_RANDOM_SEED", "COCOTB_TEST_FILTER")
"""Variables that are honoured here."""

THEIRS = (
    *("COCOTB_ATTACH", "COCOTB_ENABLE_PROFILING", "COCOTB_INDEXING_CHANGED_WARNING", "COCOTB_LIBRARY_COVERAGE"),
    *("COCOTB_LIST_TESTS", "COCOTB_LOG_FORMAT", "COCOTB_LOG_LEVEL", "COCOTB_LOG_PREFIX", "COCOTB_MAX_FAILURES"),
    *("COCOTB_PDB_ON_EXCEPTION", "COCOTB_RANDOM_TEST_ORDER", "COCOTB_REDUCED_LOG_FMT", "COCOTB_RESOLVE_X"),
    *("COCOTB_SCHEDULER_DEBUG", "COCOTB_USER_COVERAGE"),
)
"""Variables that reach cocotb in the simulator as they are."""

INSIDE = ("COCOTB_PYTEST_", "COCOTB__")
"""How the variables begin that cocotb sets for itself."""

LEVELS = ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG", "TRACE", "NOTSET")
"""What COCOTB_LOG_LEVEL may be."""


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
    known = (*OURS, *THEIRS, *INSTEAD)
    for name in environment:
        if name.startswith("COCOTB_") and name not in known and not name.startswith(INSIDE):
            raise InputError(
                f"a variable of cocotb must be one that cocotb 2 knows, not {name}; {nearest(name, known)}unset it"
            )
    level = environment.get("COCOTB_LOG_LEVEL")
    if level and level.upper() not in LEVELS:
        raise InputError(f"COCOTB_LOG_LEVEL must be one of {', '.join(LEVELS)}, not {level!r}; correct it")
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
