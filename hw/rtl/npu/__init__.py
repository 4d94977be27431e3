"""The NPU core: a frame of queue, memories, accumulators and output stage around a dataflow part."""
