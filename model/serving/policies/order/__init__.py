"""Which waiting request is next. A policy has `push`, `back` (put back, goes before what waits), `peek`, `pop`,
`len`.
"""
