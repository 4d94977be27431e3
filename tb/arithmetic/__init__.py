"""Benches of the floating-point units."""
