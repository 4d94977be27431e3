"""From RTL to joules at the gates: characterised cells, synthesis, timing, activity, power, events."""
