"""`python -m model VERB ...`, the same as `kcloud-cosim VERB ...`: what a machine should do, and what that means."""

from hw.base.command_line import main
from model import cli

if __name__ == "__main__":
    raise SystemExit(main("model", cli))
