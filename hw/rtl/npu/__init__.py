"""The NPU core: array, engines, accumulators, output stage, counters."""
