"""The digital part of a crossbar core: drivers, sequencers, shift-add, merge, adder, programming, counters."""
