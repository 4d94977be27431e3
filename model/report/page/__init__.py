"""The report of the programme as a page that works offline: sections with plots, in Korean and English.

A section is a file in `sections`, a plot a file in `plots`, a language a file in `catalogues`; `write` joins them.
"""
