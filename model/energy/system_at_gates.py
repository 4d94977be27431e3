"""Energies of events of a system at the gates of this design, 45 nm: format -> event -> pJ."""

# Written by `tb gates system --write`.

PRICES: dict[str, dict[str, tuple[float, float, float]]] = {
    "bf16": {
        "mac_array.mac": (2.215, 13.13, 15.47),
        "accumulator.write": (0.1019, 40.44, 42.22),
        "output_stage.requantise": (1.613, 2.389, 2.452),
        "vector.multiply": (25.26, 25.26, 25.26),
        "vector.add": (10.97, 10.97, 10.97),
        "vector.function": (39.93, 41.79, 56.15),
        "vector.convert": (0.2326, 0.2326, 0.2326),
    },
    "fp16": {
        "mac_array.mac": (2.233, 14.23, 16.03),
        "accumulator.write": (0.1019, 41.88, 42.29),
        "output_stage.requantise": (1.613, 2.469, 2.497),
        "vector.multiply": (25.26, 25.26, 25.26),
        "vector.add": (10.97, 10.97, 10.97),
        "vector.function": (39.93, 41.79, 56.15),
        "vector.convert": (0.89, 0.89, 0.89),
    },
}
"""Lowest, nominal and highest energy of an event, by the operands tried, pJ."""
