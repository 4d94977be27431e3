"""Run a kernel on a PIM chip: build the stream, play it on one channel, count it for all."""

from collections import Counter
from collections.abc import Mapping, Sequence

from hw.base.error import InputError
from hw.base.integer import ceil_div
from hw.spec.pim import PimSpec
from model.count import Counts
from model.cycle.dram_pim.aim import AimChannel, HostRequest
from model.cycle.dram_pim.aim_kernels import activation_requests, elementwise_requests, gemv_requests
from model.cycle.dram_pim.controller import Controller
from model.cycle.dram_pim.hbm_pim_kernels import KernelBuilder, KernelStream
from model.cycle.dram_pim.host_kernels import (
    HostStream,
    Phase,
    host_phases,
    layout_segments,
    readback_segments,
    run_phases,
    shares_of,
)
from model.cycle.dram_pim.player import Player
from model.cycle.dram_pim.result import PimResult, aim_counts, count_kinds, hbm_breakdown, hbm_counts
from model.cycle.dram_pim.stream import Segment, need_positive

HBM_KERNELS = ("gemv", "gemv_tree", "add", "mul", "relu")
HOST_KERNELS = ("host_gemv", "host_add", "host_mul", "host_relu", "host_read", "host_write")
AIM_KERNELS = ("gemv", "ewmul", "activation")


class HbmPim:
    """An HBM-PIM system: `channels` pseudo-channels of `ranks` ranks, kernels and data on rank 0.

    `preset` "default" enforces every rule; "pimsimulator" departs as its note says, and lays out and rounds sizes as
    the public simulator does. `overrides` replaces timings, in cycles.
    """

    def __init__(
        self,
        spec: PimSpec,
        *,
        preset: str = "default",
        channels: int = 64,
        ranks: int = 1,
        refresh: bool = True,
        overrides: Mapping[str, int] | None = None,
    ) -> None:
        need_positive(channels=channels, ranks=ranks)
        self.spec = spec
        self.timing = spec.dram.resolve(preset, overrides)
        self.channels, self.ranks, self.refresh = channels, ranks, refresh
        if refresh and self.timing["t_refi"] <= 2 * self.timing["t_rfc"]:
            raise InputError(
                f"t_refi must be more than twice t_rfc with refresh on, not {self.timing['t_refi']} and "
                f"{self.timing['t_rfc']}; raise it or choose --refresh off"
            )
        self.builder = KernelBuilder(spec, exact_layout=preset == "default")

    def controller(self) -> Controller:
        """A fresh channel."""
        return Controller(self.spec, self.timing, ranks=self.ranks, refresh=self.refresh)

    def stream(
        self,
        kernel: str,
        *,
        outputs: int = 0,
        inputs: int = 0,
        batch: int = 1,
        elements: int = 0,
    ) -> KernelStream:
        """The request stream of one channel."""
        if kernel in ("gemv", "gemv_tree"):
            build = self.builder.gemv if kernel == "gemv" else self.builder.gemv_tree
            return build(outputs, inputs, self.channels, batch)
        if kernel in HBM_KERNELS:
            return self.builder.elementwise(kernel, elements, self.channels)
        raise InputError(f"an HBM-PIM kernel must be one of {', '.join(HBM_KERNELS)}, not {kernel!r}")

    def run(self, kernel: str, *, outputs: int = 0, inputs: int = 0, batch: int = 1, elements: int = 0) -> PimResult:
        """Cycles, breakdown and events of `kernel`; every channel runs the same stream."""
        if kernel in HOST_KERNELS:
            return self.run_host(kernel, outputs=outputs, inputs=inputs, batch=batch, elements=elements)
        stream = self.stream(kernel, outputs=outputs, inputs=inputs, batch=batch, elements=elements)
        controller = self.controller()
        player = Player(controller)
        player.play_fenced(stream.segments)
        controller.idle_until(controller.finish)  # rows nobody asks for are closed while the last data moves
        return self._result(
            [controller],
            [self.channels],
            [stream.segments],
            controller.finish,
            stream.work,
            player,
        )

    def run_host(self, kernel: str, *, outputs: int, inputs: int, batch: int, elements: int) -> PimResult:
        """The same data moved by the host at full bandwidth, no PIM."""
        name = kernel.removeprefix("host_")
        if name in ("read", "write"):
            need_positive(elements=elements)
            burst_values = self.spec.lanes
            phases = [Phase(name == "write", 0, ceil_div(elements, burst_values))]
        else:
            phases = host_phases(self.spec, name, outputs=outputs, inputs=inputs, batch=batch, elements=elements)
        shares = shares_of(phases, self.channels)
        controllers = run_phases(self.controller, self.spec, phases, list(shares))
        done = max(c.finish for c in controllers)
        stream = HostStream(self.spec)
        segments = [
            [s for (low, high), p in zip(share, phases, strict=True) for s in stream.segments(low, high - low, p.write)]
            for share in shares
        ]
        return self._result(controllers, list(shares.values()), segments, done, {}, None)

    def run_between(self, kernel: str, bursts: int, **sizes: int) -> dict[str, int]:
        """The kernel twice with `bursts` ordinary reads of each channel between: clocks of the whole, of the two
        kernels alone, of the reads alone, and what mixing them costs."""
        need_positive(bursts=bursts)
        stream = self.stream(kernel, **sizes)
        reads = HostStream(self.spec).segments(0, bursts, False)
        whole = self.controller()
        player = Player(whole)
        for part in ("kernel", "reads", "kernel"):
            if part == "kernel":
                player.play_fenced(stream.segments)
            else:
                player.play_open(reads)
        apart = self.controller()
        Player(apart).play_open(reads)
        kernel_cycles = self.run(kernel, **sizes).cycles
        return {
            "cycles": whole.finish,
            "kernel": kernel_cycles,
            "reads": apart.finish,
            "mixing": whole.finish - 2 * kernel_cycles - apart.finish,
        }

    def layout(self, outputs: int, inputs: int, batch: int = 1) -> dict[str, int]:
        """Clocks the host needs to write the weights in the kernel's layout, and to read the lane sums back."""
        writing, reading = self.controller(), self.controller()
        Player(writing).play_open(layout_segments(self.builder, outputs, inputs, self.channels))
        Player(reading).play_open(readback_segments(self.builder, outputs, inputs, self.channels, batch))
        return {"weight_write": writing.finish, "result_read": reading.finish}

    def _result(
        self,
        controllers: Sequence[Controller],
        multiples: Sequence[int],
        streams: Sequence[Sequence[Segment]],
        cycles: int,
        work: dict[str, int],
        player: Player | None,
    ) -> PimResult:
        counts = Counts()
        for controller, times, segments in zip(controllers, multiples, streams, strict=True):
            kinds: Counter[tuple[str, bool]] = count_kinds(segments)
            counts = counts + hbm_counts(self.spec, controller, kinds, cycles, self.ranks) * times
        longest = max(controllers, key=lambda c: c.finish)
        tally = longest.tally
        return PimResult(
            cycles=cycles,
            breakdown=hbm_breakdown(longest, cycles),
            counts=counts,
            commands={"ACT": tally[0] + tally[1], "PRE": tally[2], "RD": tally[3], "WR": tally[4], "REF": tally[5]},
            clock_ns=self.timing.clock_ns,
            channels=self.channels,
            work=work,
            stepped=player.stepped if player else 0,
            reused=player.reused if player else 0,
        )


class Aim:
    """A GDDR6-AiM system of `channels` channels. Refresh is not issued, as in the public simulator."""

    def __init__(
        self,
        spec: PimSpec,
        *,
        channels: int = 32,
        overrides: Mapping[str, int] | None = None,
    ) -> None:
        need_positive(channels=channels)
        self.spec = spec
        self.timing = spec.dram.resolve("default", overrides)
        self.channels = channels

    def requests(
        self,
        kernel: str,
        *,
        outputs: int = 0,
        inputs: int = 0,
        batch: int = 1,
        elements: int = 0,
        order: str = "batched",
    ) -> list[HostRequest]:
        """The host requests of a kernel."""
        if kernel == "gemv":
            return gemv_requests(self.spec, outputs, inputs, self.channels, order, batch)
        if kernel == "ewmul":
            return elementwise_requests(self.spec, elements, self.channels)
        if kernel == "activation":
            return activation_requests(self.spec, elements, self.channels)
        raise InputError(f"an AiM kernel must be one of {', '.join(AIM_KERNELS)}, not {kernel!r}")

    def run(self, requests: Sequence[HostRequest]) -> PimResult:
        """Cycles, breakdown and events; every channel gets the same requests."""
        channel = AimChannel(self.spec, self.timing)
        cycles = channel.run(requests)
        return PimResult(
            cycles=cycles,
            breakdown={k: v for k, v in channel.causes.items() if v},
            counts=aim_counts(self.spec, channel.counts, cycles) * self.channels,
            commands=dict(channel.counts),
            clock_ns=self.timing.clock_ns,
            channels=self.channels,
            work={"requests": len(requests) + 1},
        )
