"""Two states of the project beside each other: what moved, by how much, and which input or rule did it."""
