"""Energy at the gates: streams of an RTL run on the netlists, checks of each step, events and the measured table."""
