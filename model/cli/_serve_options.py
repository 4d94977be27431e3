"""Which options of `serve` each of its questions reads: one that is not read would be an answer to something else."""

import argparse

from hw.base.error import InputError

_MODEL = "chip model cards format cache"
_LENGTHS = "prompt answer"
_INSTANCES = (
    "engine tensor pipeline data expert replicas decoders router order batching eviction tokens sequences block "
    "prefix_cache pim"
)
_DRAWN = "requests arrivals burst spread shared day seed"
_ANSWERS = "ttft tpot json requests_out timeline plots"
READ = {
    "": f"{_MODEL} {_LENGTHS} batch beams longest pim choose",
    "trace": f"trace {_MODEL} {_INSTANCES} requests {_ANSWERS}",
    "closed_loop": f"closed_loop {_MODEL} {_LENGTHS} {_INSTANCES} requests seed {_ANSWERS}",
    "rate": f"rate {_MODEL} {_LENGTHS} {_INSTANCES} {_DRAWN} {_ANSWERS}",
    "rates": f"rates {_MODEL} {_LENGTHS} {_INSTANCES} {_DRAWN} json",
    "users": f"users {_MODEL} {_LENGTHS} {_INSTANCES} spread seed share ttft tpot json plots",
    "site": f"site model {_LENGTHS} requests arrivals burst spread shared seed engine router failures spares power_cap "
    "years growth json requests_out plots",
    "fewest": f"fewest chip chips format engine {_LENGTHS} rate {_DRAWN} share ttft tpot json",
}
"""Question, "" for one batch after the other -> the options it reads, by their names in Python."""

MOST = {"requests": 10**9, "replicas": 1 << 16, "decoders": 1 << 16, "spares": 1 << 16, "block": 1 << 20, "years": 100}
"""Option -> the most of it."""


def check(arguments: argparse.Namespace, defaults: argparse.Namespace, mode: str) -> None:
    """Refuse what was given and is not read by the question `mode`, and what is beyond any load.

    Raises
    ------
    InputError
        Naming the option.
    """
    for name, default in vars(defaults).items():
        value = getattr(arguments, name)
        if value != default and name not in READ[mode].split():
            reading = [f"--{other.replace('_', '-')}" for other, read in READ.items() if other and name in read.split()]
            asked = f"--{mode.replace('_', '-')}" if mode else "one batch after the other"
            where = [f"with {', '.join(reading)}"] if reading else []
            where += ["without a load"] if name in READ[""].split() else []
            raise InputError(
                f"--{name.replace('_', '-')} must come {' or '.join(where)}, {asked} does not read it; leave it out"
            )
    for name, most in MOST.items():
        value = getattr(arguments, name)
        if value is not None and value > most:
            raise InputError(f"--{name} must be at most {most}, not {value}")
