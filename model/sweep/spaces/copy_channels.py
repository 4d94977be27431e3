"""Copy channels of a core that runs the convolutional digits as one program: bytes a cycle, latency, banks; stepped."""

from model.sweep.space import Space

SPACE = Space(
    title="copy channels of a core on the convolutional digits as one program, by the stepped model",
    subject="machine",
    base={"chip": "npu_16_cnn", "workload": "digits_cnn"},
    axes={"bytes_per_cycle": [8, 16, 32], "latency_cycles": [8, 128], "banks": [2, 16]},
    objectives={"seconds": "min", "bytes_per_cycle": "min", "banks": "min"},
)
