"""A service: instances of one or more kinds, a router, and where prefill and decode lie apart the decoders."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hw.base.error import InputError
from model.card.iteration import Iteration
from model.serving.cluster import Cluster
from model.serving.costs import Costs
from model.serving.deploy import Deployed
from model.serving.instance import Instance
from model.serving.log import Log
from model.serving.policies import policy
from model.serving.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Factors on the card model's times; 1 leaves them nominal.

    Parameters
    ----------
    decode : float
        On the time of decode steps.
    prefill : float
        On the time of iterations with prompts.
    """

    decode: float = 1.0
    prefill: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What runs.

    Parameters
    ----------
    groups : tuple of (Deployed, int)
        Kinds of instances and how many of each.
    decoders : tuple of (Deployed, int)
        Instances that the others hand requests to after the first token; empty: every instance does both.
    router : str
        Name of a policy; "" is the least loaded where there are several.
    failures : tuple of (time, instance, seconds)
        When which instance stops (its place in the cluster, from 0) and for how long; both times in simulated seconds.
    """

    groups: tuple[tuple[Deployed, int], ...]
    decoders: tuple[tuple[Deployed, int], ...] = ()
    router: str = ""
    failures: tuple[tuple[float, int, float], ...] = ()
    machines: dict[int, Any] = field(default_factory=dict, compare=False, repr=False)
    """Card models by the place of their kind, made when first asked for."""

    def iteration(self, place: int) -> Iteration:
        """The card model of the kind at `place` among groups and decoders."""
        if place not in self.machines:
            deployed, count = (*self.groups, *self.decoders)[place]
            if count < 1:
                raise InputError(f"a kind of instances must have at least 1, not {count}")
            self.machines[place] = deployed.iteration()
        return self.machines[place]

    def cluster(self, source: Any, stretch: Stretch | None = None) -> Cluster:
        """Instances with nothing to do yet, before the requests of `source`."""
        stretch = stretch or Stretch()
        kinds = (*self.groups, *self.decoders)
        made: list[list[Instance]] = []
        costs_of = [
            Costs(deployed.machine(self.iteration(place)), decode=stretch.decode, prefill=stretch.prefill)
            for place, (deployed, _) in enumerate(kinds)
        ]
        fastest = min(costs.line(8)[0] for costs in costs_of)
        for place, (deployed, count) in enumerate(kinds):
            iteration, costs = self.iteration(place), costs_of[place]
            speed = fastest / costs.line(8)[0]
            lanes = deployed.lanes
            names = [
                f"{deployed.device.title.split()[-1]} {place}.{i}" + (f".{lane}" if lanes > 1 else "")
                for i in range(count)
                for lane in range(lanes)
            ]
            made.append([deployed.instance(iteration, costs, speed=speed, name=name) for name in names])
        first = len(self.groups)
        instances = [i for group in made[:first] for i in group]
        decoders = [i for group in made[first:] for i in group]
        send = start = 0.0
        if decoders:
            iteration = self.iteration(0)
            start = iteration.transfer(0)
            send = (iteration.transfer(1_000_000) - start) / 1e6
        router = policy("router", self.router or "least_loaded")
        return Cluster(
            instances,
            source,
            router(len(instances)),
            decoders=decoders,
            second_router=router(max(1, len(decoders))),
            send=send,
            send_start=start,
            failures=list(self.failures),
        )

    def attach(self, cluster: Cluster) -> None:
        """Give a restored cluster its card models."""
        number = 0
        for place, (deployed, count) in enumerate((*self.groups, *self.decoders)):
            machine = deployed.machine(self.iteration(place))
            for instance in cluster.all[number : number + count * deployed.lanes]:
                instance.costs.attach(machine)
            number += count * deployed.lanes

    def checker(self, cluster: Cluster) -> Callable[[Request], None]:
        """What raises `InputError` for a request that no instance's cache holds."""
        groups = (cluster.instances, cluster.decoders or cluster.instances)
        largest = [max(group, key=lambda i: i.pool.total * i.layout.block).holdings for group in groups]
        largest = largest[: 2 if cluster.decoders else 1]

        def check(request: Request) -> None:
            for holdings in largest:
                holdings.check(request)

        return check


@dataclass(slots=True, kw_only=True)
class Outcome:
    """The end of a run at nominal times, and the tables of those at shorter and longer ones.

    Parameters
    ----------
    cluster : Cluster
        As the nominal run left it.
    table : dict of str to array
        Columns of the nominal run's log, one entry for each request, by its number.
    low, high : dict of str to array
        The same of the runs with shorter and with longer times; `table` itself if no ranges were asked for.
    wall : float
        Seconds of this computer for the nominal run.
    bands : dict of str to (array, array)
        5 % and 95 % ends of each request's "first" and "last" token in a run whose card is described right
        (`model.serving.request_error`), by number; empty if they were not asked for.
    """

    cluster: Cluster
    table: dict[str, np.ndarray]
    low: dict[str, np.ndarray]
    high: dict[str, np.ndarray]
    wall: float
    bands: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    @property
    def log(self) -> Log:
        """The rows of the nominal run."""
        return self.cluster.log


Load = Callable[[], Iterable[Request]]
