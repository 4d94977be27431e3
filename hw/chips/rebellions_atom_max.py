"""Rebellions ATOM-Max, card of four ATOM devices."""

from hw.chips.rebellions_atom import CHIP as ATOM
from hw.spec.chip import Chip
from hw.spec.fact import Fact
from hw.spec.facts import CardFacts

_NOTE = "public note 'On-premise AI research, April 2026'"

CHIP = Chip(
    title="Rebellions ATOM-Max: four ATOM, 512 TOPS INT8, 128 TFLOPS FP16",
    machine=ATOM.core,
    cores=ATOM.cores,
    devices=4,
    clock=ATOM.clock,
    hypothesis="four ATOM are inferred from 512 against 128 TOPS and 64 against 16 GB; each: " + ATOM.hypothesis,
    facts=CardFacts(
        engines=Fact(nominal=32, unit="1", confidence="inferred", source="4 x 8 of ATOM"),
        array_rows=ATOM.facts["array_rows"],
        peak_fp16=Fact(nominal=128, unit="TFLOPS", confidence="secondary", source=_NOTE),
        peak_int8=Fact(nominal=512, unit="TOPS", confidence="secondary", source=_NOTE),
        peak_int4=Fact(nominal=1024, unit="TOPS", confidence="inferred", source="4 x 256 of ATOM"),
        sram=Fact(nominal=256, unit="MiB", confidence="inferred", source="4 x 64 MB of ATOM"),
        dram_capacity=Fact(nominal=64, low=62.8, unit="GB", confidence="secondary", source=_NOTE,
                           note="about 15.7 GiB usable on each of four devices"),
        dram_bandwidth=Fact(nominal=1024, unit="GB/s", confidence="inferred", source="4 x 256 GB/s of ATOM"),
        host_bandwidth=Fact(nominal=63.0, low=31.5, unit="GB/s", confidence="secondary",
                            source=f"PCIe 5.0 x16: 32 GT/s x 16 x 128/130 / 8; {_NOTE}"),
        tdp=Fact(nominal=350, unit="W", confidence="secondary", source=_NOTE),
        process=ATOM.facts["process"],
    ),
)
