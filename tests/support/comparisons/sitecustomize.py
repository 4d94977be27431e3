"""Python imports a module of this name at its start, in a simulator before cocotb and the benches.

`tests/test_bench_comparisons.py` puts this folder on the path, and the root beside it; see `spoil`.
"""

import os

if "KCLOUD_COMPARISONS" in os.environ and "COCOTB_TEST_MODULES" in os.environ:
    from tests.support.comparisons.spoil import begin

    begin()
