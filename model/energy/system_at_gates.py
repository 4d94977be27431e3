"""Energies of events of a system at the gates of this design, 45 nm: format -> event -> pJ."""

# Written by `tb gates system --write`.

PRICES: dict[str, dict[str, tuple[float, float, float]]] = {
    "bf16": {
        "mac_array.mac": (2.288, 17.28, 20.51),
        "accumulator.write": (0.1058, 44.13, 45.56),
        "output_stage.requantise": (1.613, 2.447, 2.502),
        "vector.multiply": (23.81, 23.81, 23.81),
        "vector.add": (12.11, 12.11, 12.11),
        "vector.function": (28.44, 28.87, 43.63),
        "vector.convert": (0.269, 0.269, 0.269),
    },
    "fp16": {
        "mac_array.mac": (2.305, 17.33, 18.1),
        "accumulator.write": (0.1058, 45.37, 45.72),
        "output_stage.requantise": (1.613, 2.456, 2.472),
        "vector.multiply": (23.81, 23.81, 23.81),
        "vector.add": (12.11, 12.11, 12.11),
        "vector.function": (28.44, 28.87, 43.63),
        "vector.convert": (0.9182, 0.9182, 0.9182),
    },
}
"""Lowest, nominal and highest energy of an event, by the operands tried, pJ."""
