"""Benches of the system: memory controllers, router, and the top that joins NPU core, vector unit and DRAM-PIM."""
