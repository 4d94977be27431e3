"""What the verbs of the Makefile run."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent


def commands(*words: str) -> list[str]:
    done = subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if " -m " in line and "environment" not in line]


def test_a_named_chip_runs_its_own_workload_and_not_the_sweep_of_the_main_job() -> None:
    assert any("gemm_sweep" in line for line in commands("sim"))
    for words in (["CHIP=hbm_pim"], ["CHIP=aim"], ["WORKLOAD=digits"]):
        assert not any("gemm_sweep" in line for line in commands("sim", *words))
        assert sum("tb sim" in line for line in commands("sim", *words)) == 1
