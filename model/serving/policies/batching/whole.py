"""Whole prompts run beside decoding sequences while the budget holds them (TensorRT-LLM without chunked context)."""


class Policy:
    """In-flight batching of whole prompts."""

    mixes = True

    @staticmethod
    def part(todo: int, budget: int, *, alone: bool) -> int:
        """All of it or nothing; one that no budget holds runs alone."""
        return todo if todo <= budget or alone else 0
