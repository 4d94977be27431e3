"""Time of collective transfers between the devices of an instance.

A sum over p devices of s bytes: on switched links in two steps (each device reads its share from all others and sends
the sum to all), or for short vectors each reads everything at once; on PCIe round a ring of 2 (p - 1) steps. Either
moves 2 (p - 1) / p of s over each link. Tokens to experts, or
parts gathered into s: one step, (p - 1) / p of s.
"""

from dataclasses import dataclass

NEAR_DEVICES = 4
"""Cards on one processor of a server with two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Plain numbers of the links of one device; bytes per second, seconds.

    Parameters
    ----------
    bandwidth : float
        One direction, as a collective reaches it.
    switched : bool
        Every device reaches every other directly (NVLink, NVSwitch, a maker's own links); else through the host's PCIe.
    start : float
        Seconds before the first step of every transfer: its start and first barrier.
    step : float
        Seconds of each step beside those of its bytes.
    wait : float
        Seconds of each round in which the software of all devices meets before a sum or exchange.
    far_share : float
        Of the bandwidth that is left where more than 4 devices work together through the hosts' PCIe.
    """

    bandwidth: float
    switched: bool
    start: float
    step: float
    far_share: float = 1.0
    wait: float = 0.0

    def gathering(self, devices: int) -> float:
        """Seconds until the software of `devices` is there: a round for each doubling."""
        return self.wait * (devices - 1).bit_length()

    def among(self, devices: int) -> float:
        """Bytes per second of each link while `devices` work together."""
        return self.bandwidth * (1.0 if self.switched or devices <= NEAR_DEVICES else self.far_share)

    def sum(self, size: float, devices: int) -> float:
        """Seconds until every one of `devices` has the sum of `size` bytes."""
        if devices == 1:
            return 0.0
        steps = 2 if self.switched else 2 * (devices - 1)
        bandwidth = self.among(devices)
        start = self.gathering(devices) + self.start
        whole = start + steps * self.step + 2 * (devices - 1) / devices * size / bandwidth
        if not self.switched:
            return whole
        return min(whole, start + self.step + (devices - 1) * size / bandwidth)

    def exchange(self, size: float, devices: int) -> float:
        """Seconds until tokens of `size` bytes, leaving each of `devices`, are where their experts are, or until `size`
        bytes gathered from all of them are on each."""
        if devices == 1:
            return 0.0
        return self.gathering(devices) + self.start + self.step + (devices - 1) / devices * size / self.among(devices)

    def send(self, size: float) -> float:
        """Seconds for `size` bytes to one neighbour."""
        return self.start + self.step + size / self.bandwidth
