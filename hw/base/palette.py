"""The colours of every plot: told apart under every colour blindness, in grey by lightness and in print by hatching."""

INK, GREY, LIGHT, PAPER = "#1a1a1a", "#5c6066", "#d5d8dc", "#ffffff"
"""Text and axes; secondary text, dark enough to be read; grid; ground."""

BLUE, ORANGE, GREEN, PURPLE, SKY, RED = "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"
"""Okabe and Ito's colours (Color Universal Design, 2008)."""

SAFE = (BLUE, ORANGE, GREEN, PURPLE, SKY, RED, "#f0e442", "#000000")
"""In the order in which parts of a whole take them."""

HATCHES = ("", "//", "..", "xx", "\\\\", "oo", "--", "++")
"""One for each of them, so that parts are told apart in grey too."""

STAGES = {1: BLUE, 2: GREEN, 3: PURPLE}
"""Stages of the programme; what is a hypothesis is hatched besides."""

HYPOTHESIS = "////"
"""Hatching of what is a hypothesis, wherever it stands beside a measurement or a prediction."""
