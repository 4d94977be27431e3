"""`python -m tb VERB ...`, the same as `kcloud-cosim VERB ...`: what a machine does, in Verilator."""

from hw.base.command_line import main
from tb import cli

if __name__ == "__main__":
    raise SystemExit(main("tb", cli))
