"""What happens when blocks run out. `reserves`: a request starts only when its whole answer has room; `swaps`: its
blocks
go to the host's memory and come back, else they are computed again."""
