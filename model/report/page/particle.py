"""Korean particles by the sound before them: 을 or 를, 은 or 는, 이 or 가, 과 or 와, 으로 or 로, 이다 or 다.

A message writes both, as 을(를) or (이)다, where a number or a name is put in before the particle; the text that
results keeps one. Sounds: a syllable block says itself whether it ends in a consonant (Unicode, Hangul syllables:
28 finals a vowel); digits and Latin letters are read out in Korean; what is in brackets and the ends of links are
passed over.
"""

import re

DIGITS = {
    "0": True,
    "1": True,
    "2": False,
    "3": True,
    "4": False,
    "5": False,
    "6": True,
    "7": True,
    "8": True,
    "9": False,
}
"""Whether the Korean name of a digit ends in a consonant: 영 일 이 삼 사 오 육 칠 팔 구."""
LETTERS = "LMNR"
"""Letters whose Korean names end in a consonant: 엘 엠 엔 알; all others, in a vowel."""
WORDS = {"HBM-PIM": True, "AiM": True, "PIM": True, "ATOM": True, "Warboy": False, "compact": False}
"""Names that are read as words, not by their letters."""

_BOTH = {
    "을(를)": ("을", "를"),
    "은(는)": ("은", "는"),
    "이(가)": ("이", "가"),
    "과(와)": ("과", "와"),
    "(으)로": ("으로", "로"),
    "(이)다": ("이다", "다"),
    "(이)며": ("이며", "며"),
    "(이)고": ("이고", "고"),
}
_PLACE = re.compile("|".join(re.escape(both) for both in _BOTH))
_PASSED = re.compile(r"(?:</?[a-z][^<>]*>|\([^()]*\)|[\"'”’\s])+$")
_LIEUL = 8
"""Final consonant ㄹ among the 28; after it 로 stands, not 으로."""


def resolved(text: str) -> str:
    """The text with one particle where both are written."""
    found, at = [], 0
    for place in _PLACE.finditer(text):
        before = text[at : place.start()]
        found.append(before)
        consonant, lieul = _ending("".join(found))
        with_consonant, with_vowel = _BOTH[place[0]]
        found.append(with_vowel if not consonant or (lieul and place[0] == "(으)로") else with_consonant)
        at = place.end()
    return "".join([*found, text[at:]])


def _ending(before: str) -> tuple[bool, bool]:
    """(whether the last sound is a consonant, whether it is ㄹ)."""
    spoken = _PASSED.sub("", before)
    word = re.search(r"[A-Za-z-]+$", spoken)
    if word is not None and word[0] in WORDS:
        return WORDS[word[0]], False
    last = spoken[-1:]
    if "가" <= last <= "힣":
        final = (ord(last) - ord("가")) % 28
        return final != 0, final == _LIEUL
    if last in DIGITS:
        return DIGITS[last], last in "178"
    return last.upper() in LETTERS and last.isalpha(), last.upper() in "LR"
