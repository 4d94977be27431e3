"""Loaded into the tests of a mutation run: which test reaches which probe, and how each test ends.

Both are appended to a file line by line, because a test may be ended at any moment and because simulators and other
children of a test write too. Without the environment variables nothing happens.
"""

import os
from typing import Any

REACHED = "KCLOUD_MUTATION_REACHED"
"""Environment variable: file for lines of probe and test."""
OUTCOMES = "KCLOUD_MUTATION_OUTCOMES"
"""Environment variable: file for lines of event, seconds and test."""
WANTED = "KCLOUD_MUTATION_TESTS"
"""Environment variable: file of the tests to run, in order; all if it is not set."""

_seen: set[tuple[str, str | None]] = set()


def reached(*keys: str) -> None:
    """Note that the running test, or the import of its file, came by a probe."""
    test = os.environ.get("PYTEST_CURRENT_TEST")
    for key in keys:
        if (key, test) not in _seen:
            _seen.add((key, test))
            append(REACHED, f"{key}\t{test or ''}")


def append(variable: str, line: str) -> None:
    """Add a line to the file an environment variable names, if it is set; whole lines also from many processes."""
    path = os.environ.get(variable)
    if path is None:
        return
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, f"{line}\n".encode())
    finally:
        os.close(file)


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Only the tests that are wanted, by name and in that order: a name that a mistake has changed is no error."""
    path = os.environ.get(WANTED)
    if path is None:
        return
    with open(path) as file:
        place = {line: number for number, line in enumerate(file.read().splitlines())}
    items[:] = sorted((item for item in items if item.nodeid in place), key=lambda item: place[item.nodeid])


def pytest_collectreport(report: Any) -> None:
    """A test file that cannot be read."""
    if report.failed:
        append(OUTCOMES, f"failed\t0\t{report.nodeid}")


def pytest_runtest_logstart(nodeid: str) -> None:
    """A test begins."""
    append(OUTCOMES, f"started\t0\t{nodeid}")


def pytest_runtest_logfinish(nodeid: str) -> None:
    """A test has ended, what was set up for it included."""
    append(OUTCOMES, f"ended\t0\t{nodeid}")


def pytest_runtest_logreport(report: Any) -> None:
    """A step of a test ended."""
    append(OUTCOMES, f"{report.outcome}\t{report.duration:.4f}\t{report.nodeid}")
