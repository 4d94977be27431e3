"""A small language model from nothing: its text, its tokens, its training, and what it is measured by."""
