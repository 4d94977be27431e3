"""The top that joins NPU core, vector unit and DRAM-PIM channel: router of descriptors, shared memory."""
