"""`kcloud-cosim model bench`: what it prints is of the work it names, and the ratios that are asked hold."""

import json
import subprocess
import sys


def test_resnet50_is_a_thousand_times_faster_than_scalesim_in_less_than_200_mb() -> None:
    # a process of its own: the peak of memory is the process's
    ran = subprocess.run([sys.executable, "-m", "model", "bench", "--json"], capture_output=True, text=True)
    figures = json.loads(ran.stdout)
    assert figures["resnet50_layers"] == 54
    assert figures["gemm_512_from_outside_cycles"] == 524_394
    assert figures["peak_memory_mb"] < 200
    assert 0 < figures["crossbar_product_4_bit_cells_ms"] < figures["crossbar_product_1_bit_cells_ms"]
    assert figures["resnet50_32_times_scalesim"] >= 1000
    assert figures["resnet50_128_times_scalesim"] >= 1000
    assert figures["resnet50_16_cycles"] >= figures["resnet50_32_cycles"] >= figures["resnet50_128_cycles"]
