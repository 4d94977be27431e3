"""The geometry of convolution and pooling, and the position of a pixel in it."""

from amaranth.hdl import *
from amaranth.lib import data

from hw.spec.command import CONFIG_FIELDS

CONFIG_LAYOUT = data.StructLayout(CONFIG_FIELDS)

GEOMETRY = data.StructLayout(
    {
        **{name: width for name, width in CONFIG_FIELDS.items() if name != "opcode"},
        "image": 24,  # height * width
        "out_image": 24,
        "taps": 8,
        "line_step": 16,  # stride * width
        "tap_line": 16,  # dilation * width
        "pad_line": 16,  # pad_top * width
        "plane": 36,  # images * image
        "pixels": 36,  # images * out_image
        "channels": 52,  # groups * plane
        "blocks": 32,  # groups * group_blocks
    }
)
"""A CONFIG and its products, so that address generators only add."""

GEOMETRY_CYCLES = 4
"""Cycles a CONFIG stays in the decoder: products, products of products, and the registers settled."""

TAP = data.StructLayout({"x": signed(10), "y": signed(10), "line": signed(20)})
"""Position of a kernel tap relative to the pixel at the kernel's origin: columns, rows, rows * width."""

PIXEL = data.StructLayout({"column": 12, "row": 12, "x": 16, "y": 16, "line": 28, "image": 36})
"""Output column and row; the input position of its origin without padding: x, y, y * width; base of its image."""


def products(m: Module, geometry: data.View, config: data.View, step: Signal) -> None:
    """Fill `geometry` from `config` while `step` counts from 0 to GEOMETRY_CYCLES - 1."""
    with m.Switch(step):
        with m.Case(0):
            m.d.sync += [geometry[name].eq(config[name]) for name in CONFIG_FIELDS if name != "opcode"]
            m.d.sync += [
                geometry.image.eq(config.height * config.width),
                geometry.out_image.eq(config.out_height * config.out_width),
                geometry.taps.eq(config.kernel_height * config.kernel_width),
                geometry.line_step.eq(config.stride * config.width),
                geometry.tap_line.eq(config.dilation * config.width),
                geometry.pad_line.eq(config.pad_top * config.width),
                geometry.blocks.eq(config.groups * config.group_blocks),
            ]
        with m.Case(1):
            m.d.sync += [
                geometry.plane.eq(geometry.image * geometry.images),
                geometry.pixels.eq(geometry.out_image * geometry.images),
            ]
        with m.Case(2):
            m.d.sync += geometry.channels.eq(geometry.plane * geometry.groups)


def first_tap(geometry: data.View) -> dict[str, Value]:
    """The tap at the kernel's top left, as values of the fields of TAP."""
    return {"x": -geometry.pad_left, "y": -geometry.pad_top, "line": -geometry.pad_line}


def next_pixel(m: Module, geometry: data.View, now: data.View) -> data.View:
    """The output pixel after `now`: next column, row or image."""
    after = Signal(PIXEL, name="after")
    m.d.comb += [after.eq(now), after.column.eq(now.column + 1), after.x.eq(now.x + geometry.stride)]
    with m.If(now.column == geometry.out_width - 1):
        m.d.comb += [
            after.column.eq(0),
            after.x.eq(0),
            after.row.eq(now.row + 1),
            after.y.eq(now.y + geometry.stride),
            after.line.eq(now.line + geometry.line_step),
        ]
        with m.If(now.row == geometry.out_height - 1):
            m.d.comb += [after.row.eq(0), after.y.eq(0), after.line.eq(0), after.image.eq(now.image + geometry.image)]
    return after


def inside(geometry: data.View, pixel: data.View, tap: data.View) -> Value:
    """The tap of that pixel lies in the image."""
    x, y = pixel.x + tap.x, pixel.y + tap.y
    return (x >= 0) & (x < geometry.width) & (y >= 0) & (y < geometry.height)


def offset(pixel: data.View, tap: data.View) -> Value:
    """Its word, counted from the plane's first; right if it lies inside."""
    return pixel.image + pixel.line + tap.line + pixel.x + tap.x
