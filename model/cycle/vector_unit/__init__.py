"""Cycles of the vector unit: closed form and stepped model, from the micro-programs of `hw.spec.vector_program`."""
