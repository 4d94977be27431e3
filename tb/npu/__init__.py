"""Benches of the NPU core."""
