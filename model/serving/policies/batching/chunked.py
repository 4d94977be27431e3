"""Prompts are cut to what the token budget leaves beside the decoding sequences (vLLM V1, SGLang, Sarathi-Serve)."""


class Policy:
    """Chunked prefill."""

    mixes = True

    @staticmethod
    def part(todo: int, budget: int, *, alone: bool) -> int:
        """Tokens of a prompt with `todo` left that enter an iteration with `budget` left; `alone`: no other does."""
        return todo if todo < budget else budget
