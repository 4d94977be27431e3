"""Plumbing: errors, digests, catalogues of files, `--set`, the command line, atomic files. Standard library only."""
