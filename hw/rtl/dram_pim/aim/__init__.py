"""GDDR6-AiM: channel, units, activation."""
