"""The vector unit: a micro-coded machine of 16 FP32 lanes beside the core, with a transposer."""
