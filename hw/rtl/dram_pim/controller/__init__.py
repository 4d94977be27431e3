"""Memory controllers of DRAM-PIM channels: descriptors in, legal commands out, refresh served on the way."""
