"""Highest clocks of machines that were mapped whole: digest -> title of a chip, GHz, nm, slowest part."""

# Written by `tb gates core --write`.

CLOCKS: dict[str, tuple[str, float, int, str]] = {
    "7ceb69616418c108": (
        "16 x 16 BF16 weight-stationary core, fused FP32 sums, adder pipelined in four stages",
        0.1619,
        45,
        "a path through several parts",
    ),
    "03a05eddb3369d18": (
        "16 x 16 FP8 (E4M3) weight-stationary core, fused FP32 sums, BF16 results",
        0.1595,
        45,
        "command queue and its checks",
    ),
    "45af190eba8cbdf4": (
        "16 x 16 INT4 weight-stationary core, pairs of terms in 8-bit lanes",
        0.1505,
        45,
        "a path through several parts",
    ),
    "3d5211d3c37422e4": (
        "16 x 16 INT8 core with copy channels of 16 bytes per cycle and 32 cycles latency",
        0.1638,
        45,
        "command queue and its checks",
    ),
    "7b252c374c74920f": (
        "16 x 16 INT8 core with copy channels, convolution and max pooling",
        0.1386,
        45,
        "command queue and its checks",
    ),
    "f64de8298ac9fa9a": (
        "16 x 16 INT8 output-stationary core, results drained through the columns",
        0.1618,
        45,
        "a path through several parts",
    ),
    "bdd9005891433e0c": (
        "16 x 16 INT8 weight-stationary core, the project's reference NPU",
        0.1627,
        45,
        "a path through several parts",
    ),
    "f403bffd6784e76e": (
        "4 x 4 INT8 weight-stationary core, small enough for every test",
        0.1759,
        45,
        "command queue and its checks",
    ),
    "f775e2ea65e23c82": (
        "GDDR6-AiM: GDDR6 with one 16-multiplier BF16 unit per bank",
        0.1545,
        45,
        "units",
    ),
    "496c90762fd5158d": (
        "HBM-PIM: HBM2 with one 16-lane FP16 unit per pair of banks",
        0.2483,
        45,
        "units",
    ),
}
"""Clocks by the digest of a machine: one of another description has none."""
