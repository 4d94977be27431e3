"""A deployment with a PIM memory beside each card."""

from dataclasses import replace

from model.card.device import Device
from model.card.pim import beside, check_formats
from model.card.serving import Deployment


def with_pim(plain: Deployment, name: str) -> Deployment:
    """The same cards with a PIM memory of the same bandwidth, which both with and without its units then have; its
    packages hold what they hold, not what the card's own memory did."""
    check_formats(name, plain.weight_format, plain.cache_format)
    memory = beside(name, plain.device.dram_bandwidth.nominal)
    fact = replace(plain.device.dram_bandwidth, nominal=memory.bandwidth, low=None, high=None)
    room = replace(plain.device.dram_capacity, nominal=memory.capacity, low=None, high=None)
    changed: Device = replace(plain.device, dram_bandwidth=fact, dram_capacity=room, dram_usable=room)
    return replace(plain, device=changed, pim=memory)
