"""Highest priority first."""

from model.serving.ranked import Ranked
from model.serving.request import Request


class Policy(Ranked):
    """By the request's priority."""

    def rank(self, request: Request) -> int:
        """Minus the priority."""
        return -request.priority
