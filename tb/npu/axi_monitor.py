"""The rules of AXI4 and AXI4-Lite, watched at the standard ports of `AxiTop`, in simulators of two or four values."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import cocotb

from hw.rtl.npu.memory_side.axi_signature import INCR
from hw.spec.axi import PAGE_BYTES, AxiSpec
from hw.spec.dma import DmaSpec
from tb.bench.bench import Bench

_ADDRESS = ("ID", "ADDR", "LEN", "SIZE", "BURST", "LOCK", "CACHE", "PROT", "QOS")
CHANNELS: dict[str, tuple[bool, tuple[str, ...]]] = {
    "M_AXI_AW": (True, _ADDRESS),
    "M_AXI_W": (True, ("DATA", "STRB", "LAST")),
    "M_AXI_B": (False, ("ID", "RESP")),
    "M_AXI_AR": (True, _ADDRESS),
    "M_AXI_R": (False, ("ID", "DATA", "RESP", "LAST")),
    "S_AXI_AW": (False, ("ADDR",)),
    "S_AXI_W": (False, ("DATA", "STRB")),
    "S_AXI_B": (True, ("RESP",)),
    "S_AXI_AR": (False, ("ADDR",)),
    "S_AXI_R": (True, ("DATA", "RESP")),
}
"""Channel -> whether the design sends it, its fields."""

_REPORTED = 20
"""Broken rules that are handed out as `rules`; a test may end by something else before it looks at them."""


@dataclass(slots=True)
class _Seen:
    """What a channel showed in one cycle: None for an unknown bit or field."""

    valid: int | None
    ready: int | None
    payload: dict[str, int | None]

    @property
    def moves(self) -> bool:
        return self.valid == 1 and self.ready == 1


@dataclass
class AxiMonitor:
    """Notes every broken rule in `broken`, "cycle: channel: rule"; `at_page` counts bursts that ended at a page.

    Rules: control known after reset; payload known, and both kept, while valid waits for ready; VALID low in and after
    reset; INCR bursts of the bus's width, aligned, no longer than `burst_beats`, none across a page; all strobes,
    WLAST at the last beat; beats offered no later than their address, whether it is taken or not; every response
    belongs to something that has ended, reads per ID in order with RLAST at the last beat.

    Parameters
    ----------
    bench : Bench
        Its design has the ports of `CHANNELS` and ARESETN; its cycle is the one noted.
    dma : DmaSpec
        Of the design's master; gives the bytes of a beat.
    axi : AxiSpec
        Of the design's master; gives the longest burst in beats and what PROT and CACHE must be.
    """

    bench: Bench
    dma: DmaSpec
    axi: AxiSpec
    broken: list[str] = field(default_factory=list)
    at_page: int = 0
    across: int = 0
    """Bursts that begin where the one before ended, at a page."""

    def start(self) -> None:
        """Watch until the test ends."""
        self._clear()
        self._ports = {
            name: (
                getattr(self.bench.dut, f"{name}VALID"),
                getattr(self.bench.dut, f"{name}READY"),
                {part: getattr(self.bench.dut, name + part) for part in parts},
            )
            for name, (_, parts) in CHANNELS.items()
        }
        cocotb.start_soon(self._run())

    def _clear(self) -> None:
        self._before: dict[str, _Seen] = {}
        self._reads: dict[int, deque[int]] = {i: deque() for i in range(4)}
        self._addresses: deque[int] = deque()  # beats of bursts whose beats have not all come
        self._lengths: deque[int] = deque()  # beats of bursts whose address has not come
        self._beats = self._offered = self._ended = 0
        self._lite = {"AW": 0, "W": 0, "AR": 0}
        self._page_end: int | None = None

    def _rule(self, holds: bool, channel: str, text: str) -> None:
        if not holds:
            self.broken.append(f"{self.bench.cycle}: {channel}: {text}")
            if len(self.broken) <= _REPORTED:
                self.bench.report(rules=self.broken)

    async def _run(self) -> None:
        reset = self.bench.dut.ARESETN
        was_reset = False
        while True:
            await self.bench.edge
            active = _number(reset) != 1
            if active and not was_reset:  # its first edge
                self._clear()
                was_reset = True
                continue
            seen = {name: _Seen(_number(valid), _number(ready), {}) for name, (valid, ready, _) in self._ports.items()}
            for name, channel in seen.items():
                if channel.valid != 0:
                    channel.payload = {part: _number(handle) for part, handle in self._ports[name][2].items()}
                self._handshake(name, channel, was_reset)
            was_reset = active
            if active:
                continue
            self._master(seen)
            self._slave(seen)
            self._before = seen

    def _handshake(self, name: str, now: _Seen, after_reset: bool) -> None:
        sent = CHANNELS[name][0]
        self._rule((now.valid if sent else now.ready) is not None, name, "control is unknown")
        if sent and after_reset:
            self._rule(now.valid == 0, name, "VALID is not low in or after reset")
        if now.valid == 1 and sent:
            self._rule(None not in now.payload.values(), name, "an unknown payload is offered")
        before = self._before.get(name)
        if before is not None and before.valid == 1 and before.ready == 0:
            self._rule(now.valid == 1, name, "VALID fell before READY")
            self._rule(now.payload == before.payload, name, "the payload changed before READY")

    def _burst(self, name: str, payload: dict[str, int | None]) -> int:
        """Check a burst; its beats."""
        address, beats = payload["ADDR"] or 0, (payload["LEN"] or 0) + 1
        size = self.dma.bytes_per_cycle
        self._rule(payload["BURST"] == INCR, name, "a burst is not INCR")
        self._rule(1 << (payload["SIZE"] or 0) == size, name, "a burst is not as wide as the bus")
        self._rule(beats <= self.axi.burst_beats, name, "a burst is too long")
        self._rule(address % size == 0, name, "a burst is not aligned")
        end = address + beats * size
        self._rule(address // PAGE_BYTES == (end - 1) // PAGE_BYTES, name, "a burst crosses a page")
        fixed = (payload["PROT"], payload["CACHE"], payload["LOCK"], payload["QOS"])
        self._rule(fixed == (self.axi.prot, self.axi.cache, 0, 0), name, "PROT, CACHE, LOCK or QOS is wrong")
        self.at_page += end % PAGE_BYTES == 0
        self.across += address == self._page_end
        self._page_end = end if end % PAGE_BYTES == 0 else None
        return beats

    def _master(self, seen: dict[str, _Seen]) -> None:
        address, beat, read = seen["M_AXI_AW"], seen["M_AXI_W"], seen["M_AXI_AR"]
        before = self._before.get("M_AXI_AW")
        if before is not None and before.valid == 1 and before.ready == 0:
            # the address waits for the second cycle: beats of its burst have been taken or are offered
            self._rule(beat.valid == 1 or bool(self._lengths) or self._beats > 0, "M_AXI_W", "W waits for AWREADY")
        late = self._before.get("M_AXI_W")
        alone = beat.valid == 1 and address.valid == 0 and not self._addresses and not self._lengths
        self._rule(
            not (alone and beat.ready == 0 and late is not None and late.valid != 0), "M_AXI_AW", "AW waits for WREADY"
        )
        if address.moves:
            beats = self._burst("M_AXI_AW", address.payload)
            if self._lengths:
                self._rule(self._lengths.popleft() == beats, "M_AXI_W", "WLAST was not at the last beat")
            else:
                self._addresses.append(beats)
        if beat.moves:
            self._beats += 1
            self._rule(beat.payload["STRB"] == (1 << self.dma.bytes_per_cycle) - 1, "M_AXI_W", "a strobe is low")
            if beat.payload["LAST"]:
                if self._addresses:
                    self._rule(self._addresses.popleft() == self._beats, "M_AXI_W", "WLAST was not at the last beat")
                else:
                    self._lengths.append(self._beats)
                self._ended += 1
                self._beats = 0
        if read.moves:
            beats = self._burst("M_AXI_AR", read.payload)
            self._reads[read.payload["ID"] or 0].append(beats)

    def _slave(self, seen: dict[str, _Seen]) -> None:
        response, data = seen["M_AXI_B"], seen["M_AXI_R"]
        if response.moves:
            self._rule(self._ended > 0, "M_AXI_B", "a response to nothing")
            self._ended -= 1
        if data.moves:
            waiting = self._reads[data.payload["ID"] or 0]
            self._rule(bool(waiting), "M_AXI_R", "a beat of no burst")
            if waiting:
                waiting[0] -= 1
                self._rule(data.payload["LAST"] == (waiting[0] == 0), "M_AXI_R", "RLAST is wrong")
                if waiting[0] == 0:
                    waiting.popleft()
        # registers: one response for each address and, of a write, its data
        answered = seen["S_AXI_B"].valid == 1 or seen["S_AXI_R"].valid == 1
        if answered and seen["S_AXI_B"].valid == 1:
            self._rule(min(self._lite["AW"], self._lite["W"]) > 0, "S_AXI_B", "a response before address and data")
        if answered and seen["S_AXI_R"].valid == 1:
            self._rule(self._lite["AR"] > 0, "S_AXI_R", "a response before its address")
        for name in self._lite:
            self._lite[name] += seen[f"S_AXI_{name}"].moves
        if seen["S_AXI_B"].moves:
            self._lite["AW"], self._lite["W"] = self._lite["AW"] - 1, self._lite["W"] - 1
        if seen["S_AXI_R"].moves:
            self._lite["AR"] -= 1


def _number(handle: Any) -> int | None:
    """The value, None if a bit of it is unknown."""
    value = handle.value
    return int(value) if value.is_resolvable else None
