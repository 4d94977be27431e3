"""HBM-PIM: channel, instruction memory, units."""
