"""Energies of events of a system at the gates of this design, 45 nm: format -> event -> pJ."""

# Written by `tb gates system --write`.

PRICES: dict[str, dict[str, tuple[float, float, float]]] = {}
"""Lowest, nominal and highest energy of an event, by the operands tried, pJ."""
