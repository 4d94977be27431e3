"""Requests over time on cards: a simulator by events.

`load` and `draw` make requests, `Instance` runs an engine on the cards that hold one copy of a model, `Cluster` routes
requests over instances, `answers` turns what happened into figures. Policies are one file each. The time of an
iteration comes from the card model (`costs`).
"""
