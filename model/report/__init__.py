"""One summary of a run and the site it is projected to, and its renderers: screen, Markdown, tables, plots."""
