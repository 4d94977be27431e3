"""Interpolated Kneser-Ney n-grams over characters: the baseline without a network.

Chen and Goodman (1998), with one discount per order estimated from the counts of counts, D = n1 / (n1 + 2 n2).
"""

import math
from collections import defaultdict

from model.language.corpus import ALPHABET


class NGram:
    """Character n-gram of `order` characters, order - 1 of them context, trained on `text`."""

    def __init__(self, text: str, order: int) -> None:
        self.order = order
        self.counts: list[dict[str, dict[str, int]]] = [defaultdict(dict) for _ in range(order)]
        top = self.counts[order - 1]
        padded = "\n" * (order - 1) + text
        for i in range(order - 1, len(padded)):
            context = padded[i - order + 1 : i]
            follows = top[context]
            follows[padded[i]] = follows.get(padded[i], 0) + 1
        for n in range(order - 2, -1, -1):  # lower orders count in how many contexts a string continues
            lower = self.counts[n]
            for context, follows in self.counts[n + 1].items():
                shorter = lower[context[1:]]
                for character in follows:
                    shorter[character] = shorter.get(character, 0) + 1
        self.discounts = [self._discount(counts) for counts in self.counts]
        self.totals = [{c: (sum(f.values()), len(f)) for c, f in counts.items()} for counts in self.counts]

    def _discount(self, counts: dict[str, dict[str, int]]) -> float:
        ones = twos = 0
        for follows in counts.values():
            for number in follows.values():
                ones += number == 1
                twos += number == 2
        return ones / (ones + 2 * twos) if ones and twos else 0.5

    def chance(self, context: str, character: str) -> float:
        """Probability of `character` behind the last order - 1 characters of `context`."""
        chance = 1 / len(ALPHABET)
        for n in range(self.order):
            known = self.totals[n].get(context[len(context) - n :])
            if known is None:
                break
            total, kinds = known
            count = self.counts[n][context[len(context) - n :]].get(character, 0)
            discount = self.discounts[n]
            chance = max(count - discount, 0) / total + discount * kinds / total * chance
        return chance

    def bits_per_character(self, text: str) -> float:
        """Mean of -log2 of the chance of every character of `text`."""
        before = "\n" * (self.order - 1)
        cost = 0.0
        for i, character in enumerate(text):
            context = (before + text[max(0, i - self.order + 1) : i])[-(self.order - 1) :] if self.order > 1 else ""
            cost -= math.log2(self.chance(context, character))
        return cost / len(text)
