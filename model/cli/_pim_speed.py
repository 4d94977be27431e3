"""How fast the PIM models run here, beside the public simulators."""

from collections.abc import Callable

from hw import chips
from hw.spec.pim import PimSpec
from model.cycle.dram_pim.run import Aim, HbmPim

PIMSIMULATOR_RATE = 650_000
"""Best channel-cycles per second of PIMSimulator (commit b464dde), one channel, on a shared two-core machine."""

AIM_SIMULATOR_RATE = 1_260_000
"""The same of aim_simulator (commit 0f28a07), 32 channels."""


def _pim(name: str) -> PimSpec:
    return chips.machine(chips.load(name), PimSpec, "this measurement")


def measure(seconds: Callable[[Callable[[], object]], float]) -> dict[str, float]:
    """Figures of a GEMV 4096 x 4096; `seconds(work)` says how long one call of `work` takes."""
    hbm, aim = _pim("hbm_pim"), _pim("aim")
    figures: dict[str, float] = {}
    for label, preset, refresh in (
        ("", "pimsimulator", False),
        ("_refresh", "pimsimulator", True),
        ("_every_rule", "default", True),
    ):

        def work(preset: str = preset, refresh: bool = refresh) -> int:
            return (
                HbmPim(hbm, preset=preset, channels=64, ranks=2, refresh=refresh)
                .run("gemv", outputs=4096, inputs=4096)
                .cycles
            )

        spent = seconds(work)
        figures[f"pim_gemv_4096_64_channels{label}_ms"] = 1e3 * spent
        figures[f"pim_gemv_4096_64_channels{label}_times_pimsimulator"] = 64 * work() / spent / PIMSIMULATOR_RATE

    def aim_work() -> int:
        machine = Aim(aim, channels=32)
        return machine.run(machine.requests("gemv", outputs=4096, inputs=4096)).cycles

    spent = seconds(aim_work)
    figures["aim_gemv_4096_32_channels_ms"] = 1e3 * spent
    figures["aim_gemv_4096_32_channels_times_aim_simulator"] = 32 * aim_work() / spent / AIM_SIMULATOR_RATE
    return figures
