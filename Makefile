# Verbs and variables only: every decision is taken by `python -m tb` and `python -m model`.
