"""What a chip is asked to do."""
