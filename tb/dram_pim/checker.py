"""A passive checker of a device's timing rules over the commands that were accepted: plain lists of times."""

from collections.abc import Iterable

from hw.spec.dram import Organisation, Timing

Reached = tuple[int, str, tuple[int, ...] | None]
"""Cycle, command, and the banks it reached; None: the channel as a whole."""


def broken_rules(timing: Timing, organisation: Organisation, commands: Iterable[Reached]) -> list[str]:
    """One sentence for every rule that two of the commands break."""
    trace = list(commands)
    found = []
    for rule in timing.rules:
        earlier: dict[int, list[int]] = {}
        for cycle, name, banks in trace:
            nodes = _nodes(rule.level, organisation, banks)
            if name in rule.after:
                for node in nodes:
                    times = earlier.get(node, [])
                    if len(times) >= rule.window and cycle - times[-rule.window] < rule.cycles:
                        found.append(
                            f"{name} at {cycle} follows {' or '.join(rule.before)} at {times[-rule.window]} in "
                            f"{rule.level} {node} after {cycle - times[-rule.window]} cycles, not {rule.cycles}"
                        )
            if name in rule.before:
                for node in nodes:
                    earlier.setdefault(node, []).append(cycle)
    return found


def _nodes(level: str, organisation: Organisation, banks: tuple[int, ...] | None) -> list[int]:
    if level in ("channel", "rank"):
        return [0]
    if banks is None:
        return []
    if level == "bank":
        return list(banks)
    return sorted({bank // organisation.banks_per_group for bank in banks})
