"""Shortest prompt first: best mean time to first token, and long prompts may starve."""

from model.serving.ranked import Ranked
from model.serving.request import Request


class Policy(Ranked):
    """By the prompt's length."""

    def rank(self, request: Request) -> int:
        """Tokens of the prompt."""
        return request.prompt
