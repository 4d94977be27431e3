"""Whole prompts first, in iterations of their own; decoding waits (Orca's successors before chunked prefill, vLLM
V0).
"""


class Policy:
    """Prefill first."""

    mixes = False

    @staticmethod
    def part(todo: int, budget: int, *, alone: bool) -> int:
        """All of it or nothing; one that no budget holds runs alone."""
        return todo if todo <= budget or alone else 0
