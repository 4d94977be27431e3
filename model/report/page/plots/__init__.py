"""One file per plot, each with `draw(page)`; `canvas` draws all of them in one style."""
