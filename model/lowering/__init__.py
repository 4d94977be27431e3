"""From what is asked to commands, descriptors and memory words."""
