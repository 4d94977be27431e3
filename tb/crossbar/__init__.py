"""Benches of the crossbar core and the seeded cells that answer its analogue boundary."""
