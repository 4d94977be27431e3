"""What every test starts from."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _own_files_of_one_test() -> Iterator[None]:
    """Files that a test gives by path are known to its process: they must not be known to the next test."""
    before = os.environ.get("KCLOUD_OWN_FILES")
    yield
    if before is None:
        os.environ.pop("KCLOUD_OWN_FILES", None)
    else:
        os.environ["KCLOUD_OWN_FILES"] = before
