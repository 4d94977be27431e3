"""GDDR6-AiM kernels as host requests: GEMV in two orders, element-wise product, activation."""

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.pim import PimSpec
from model.cycle.dram_pim.aim import HostRequest
from model.cycle.dram_pim.stream import need_positive


def gemv_requests(
    spec: PimSpec,
    outputs: int,
    inputs: int,
    channels: int,
    order: str,
    batch: int = 1,
) -> list[HostRequest]:
    """y = W x, one output per bank at a time, inputs in segments of one row.

    order "simple": bias, MAC, read for one output at a time. "batched": as many outputs as there are accumulators
    share each mode switch.
    """
    need_positive(out=outputs, **{"in": inputs}, channels=channels, batch=batch)
    if order not in ("simple", "batched"):
        raise InputError(f"order must be simple or batched, not {order!r}")
    organisation = spec.dram.organisation
    lanes, columns = spec.lanes, organisation.columns
    per_bank = ceil_div(outputs, organisation.banks * channels)
    segments = ceil_div(inputs, lanes * columns)
    if per_bank * segments > organisation.rows:
        raise InputError(
            f"GEMV {outputs} x {inputs} on {channels} channels must fit {organisation.rows} rows of a "
            f"bank, not {per_bank * segments}; use more channels or split it"
        )
    group = 1 if order == "simple" else spec.register("MAC").entries
    requests = []
    for _ in range(batch):
        for segment in range(segments):
            left = min(inputs - segment * lanes * columns, lanes * columns)
            size = ceil_div(left, lanes)
            requests.append(HostRequest(name="WR_GB", count=size))
            for first in range(0, per_bank, group):
                members = range(first, min(first + group, per_bank))
                requests += [HostRequest(name="WR_BIAS") for _ in members]
                requests += [HostRequest(name="MAC_ABK", count=size, row=segment * per_bank + n) for n in members]
                requests += [HostRequest(name="RD_MAC") for _ in members]
    return requests


def elementwise_requests(spec: PimSpec, elements: int, channels: int) -> list[HostRequest]:
    """Products of two vectors kept in the even and odd banks of each pair: one row of every pair at a time."""
    columns = _columns(spec, elements, channels, spec.dram.organisation.banks // 4)
    per_row = spec.dram.organisation.columns
    return [
        HostRequest(name="EWMUL", count=min(per_row, columns - c), row=c // per_row) for c in range(0, columns, per_row)
    ]


def activation_requests(spec: PimSpec, elements: int, channels: int) -> list[HostRequest]:
    """f(x) of a vector: one word of every unit's accumulator loaded, looked up and read back at a time."""
    need_positive(elements=elements, channels=channels)
    rounds = ceil_div(elements, spec.units * channels)
    return [HostRequest(name=n) for _ in range(rounds) for n in ("WR_BIAS", "AF", "RD_AF")]


def _columns(spec: PimSpec, elements: int, channels: int, words: int) -> int:
    need_positive(elements=elements, channels=channels)
    columns = ceil_div(elements, words * spec.lanes * channels)
    limit = spec.dram.organisation.columns * spec.dram.organisation.rows
    if columns > limit:
        raise InputError(f"{elements} elements must fit {limit} columns of a bank, not {columns}; use more channels")
    return columns
