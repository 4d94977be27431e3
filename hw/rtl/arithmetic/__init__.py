"""Floating-point units and rounding, shared by every kind of machine."""
