"""Byte-pair tokens: the characters of the alphabet and the pairs that were merged most often in the training text."""

import itertools
import re
from collections import Counter
from pathlib import Path

from hw.base.error import InputError
from hw.base.file import write_atomically
from model.language.corpus import ALPHABET, FOLDER, check_characters

MERGES = 512
"""Pairs merged; with 96 characters a vocabulary of 608, 38 blocks of 16."""
FILE = FOLDER / "merges.txt"
WORD = re.compile(r" ?[A-Za-z]+| ?[0-9]+| ?[^A-Za-z0-9\s]+|\n| +")
"""Merges do not cross these pieces; a piece begins with the space before it."""


class BytePair:
    """Text to tokens and back. Token t < 96 is the t-th character; 96 + i is the i-th merge."""

    def __init__(self, merges: list[tuple[int, int]]) -> None:
        self.merges = merges
        self.ranks = {pair: i for i, pair in enumerate(merges)}
        self.pieces = list(ALPHABET)
        for left, right in merges:
            self.pieces.append(self.pieces[left] + self.pieces[right])
        self._known: dict[str, list[int]] = {}

    @classmethod
    def stored(cls, path: Path = FILE) -> "BytePair":
        """The merges of `path`, one pair of tokens a line."""
        return cls([(int(left), int(right)) for left, right in map(str.split, path.read_text().splitlines())])

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return len(self.pieces)

    def encode(self, text: str) -> list[int]:
        """Tokens of `text`; refuses unknown characters."""
        check_characters(text)
        return [token for word in WORD.findall(text) for token in self._word(word)]

    def decode(self, tokens: list[int]) -> str:
        """The text of `tokens`; refuses tokens beyond the vocabulary."""
        for token in tokens:
            if not 0 <= token < self.vocabulary:
                raise InputError(f"a token must be from 0 to {self.vocabulary - 1}, not {token}")
        return "".join(self.pieces[token] for token in tokens)

    def _word(self, word: str) -> list[int]:
        if word not in self._known:
            tokens = [ALPHABET.index(c) for c in word]
            while len(tokens) > 1:
                ranks = [self.ranks.get(pair, len(self.merges)) for pair in itertools.pairwise(tokens)]
                best = min(ranks)
                if best == len(self.merges):
                    break
                tokens = _merge(tokens, self.merges[best], len(ALPHABET) + best)
            self._known[word] = tokens
        return self._known[word]


def learn(text: str, count: int = MERGES) -> BytePair:
    """The `count` merges of `text`: each time the most frequent pair, the smaller pair of equals."""
    words = [([ALPHABET.index(c) for c in word], times) for word, times in sorted(Counter(WORD.findall(text)).items())]
    merges: list[tuple[int, int]] = []
    for index in range(count):
        pairs: Counter[tuple[int, int]] = Counter()
        for tokens, times in words:
            for pair in itertools.pairwise(tokens):
                pairs[pair] += times
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        words = [(_merge(tokens, best, len(ALPHABET) + index), times) for tokens, times in words]
    return BytePair(merges)


def write(tokens: BytePair, path: Path = FILE) -> None:
    """Store the merges."""
    write_atomically(path, "".join(f"{left} {right}\n" for left, right in tokens.merges))


def _merge(tokens: list[int], pair: tuple[int, int], merged: int) -> list[int]:
    out, i = [], 0
    while i < len(tokens):
        if tuple(tokens[i : i + 2]) == pair:
            out.append(merged)
            i += 2
        else:
            out.append(tokens[i])
            i += 1
    return out
