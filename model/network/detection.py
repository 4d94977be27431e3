"""Single-shot detectors of the MLPerf inference suite, written down layer by layer.

The choice of boxes is part of what the suite measures: the layer `boxes` holds its counts, from the reference models'
definitions (mlcommons/inference, vision/classification_and_detection/python/models): how many scores, how many of them
are sorted in how many lists, how many boxes of a list are compared. What that costs is the card model's
(`model.card.selection`).
"""

from dataclasses import replace

from model.network.build import Builder
from model.network.layer import BoxChoice, Layer, Network

_PAD_1 = ((1, 1), (1, 1))
_PAD_0 = ((0, 0), (0, 0))


def ssd_mobilenet_v1() -> Network:
    """SSD-MobileNet v1 on one 300 x 300 image, 91 classes, 1,917 boxes, SAME padding, 1 x 1 box predictors.

    Each class but the background sorts its boxes; the 100 best are compared (ssd_mobilenet_v1_coco's configuration,
    max_detections_per_class).
    """
    builder = Builder(
        "ssd_mobilenet_v1", "TensorFlow detection model ssd_mobilenet_v1_coco: MobileNet v1 with six feature maps"
    )
    shape = builder.convolution("conv0", (300, 300, 3), 32, 3, stride=2)
    blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    maps = []
    for index, (channels, stride) in enumerate(blocks, start=1):
        shape = builder.convolution(f"conv{index}_depthwise", shape, shape[2], 3, stride=stride, groups=shape[2])
        shape = builder.convolution(f"conv{index}_pointwise", shape, channels, 1)
        if index in (11, 13):
            maps.append(shape)
    for index, (narrow, wide) in enumerate(((256, 512), (128, 256), (128, 256), (64, 128)), start=2):
        shape = builder.convolution(f"extra{index}_1x1", shape, narrow, 1)
        shape = builder.convolution(f"extra{index}_3x3", shape, wide, 3, stride=2)
        maps.append(shape)
    for index, (shape, boxes) in enumerate(zip(maps, (3, 6, 6, 6, 6, 6), strict=True)):
        builder.convolution(f"box{index}_location", shape, boxes * 4, 1)
        builder.convolution(f"box{index}_class", shape, boxes * 91, 1)
    _per_class(builder, boxes=1_917, classes=91, candidates=100, kept=100)
    return builder.network()


def ssd_resnet_34() -> Network:
    """SSD-ResNet-34 on one 1200 x 1200 image, 81 classes, 15,130 boxes, padded as the reference model.

    ResNet-34 up to its third stage, whose stride is 1; all box predictors are 3 x 3 with stride 3. Each class but the
    background sorts its boxes; the 200 best are compared (the reference model's decode_single, max_num = 200).
    """
    builder = Builder("ssd_resnet34", "MLPerf inference reference model SSD-ResNet-34, 1200 x 1200")
    shape = builder.convolution("conv1", (1200, 1200, 3), 64, 7, stride=2, pads=((3, 3), (3, 3)))
    shape = builder.pool("pool1", "MaxPool", shape, 3, stride=2, pad=1)
    for stage, (blocks, width, first) in enumerate(((3, 64, 1), (4, 128, 2), (6, 256, 1)), start=1):
        for block in range(blocks):
            stride = first if block == 0 else 1
            name = f"layer{stage}_{block}"
            inner = builder.convolution(f"{name}_a", shape, width, 3, stride=stride, pads=_PAD_1)
            inner = builder.convolution(f"{name}_b", inner, width, 3, pads=_PAD_1)
            if shape[2] != width:
                builder.convolution(f"{name}_shortcut", shape, width, 1, stride=stride, pads=_PAD_0)
            shape = inner
            builder.vector(f"{name}_add", "Add", shape[0] * shape[1] * shape[2], inputs=2)
    maps = [shape]
    extra = (
        (256, 512, 2, _PAD_1),
        (256, 512, 2, _PAD_1),
        (128, 256, 2, _PAD_1),
        (128, 256, 2, _PAD_0),
        (128, 256, 1, _PAD_0),
    )
    for index, (narrow, wide, stride, pads) in enumerate(extra, start=1):
        shape = builder.convolution(f"extra{index}_1x1", shape, narrow, 1)
        shape = builder.convolution(f"extra{index}_3x3", shape, wide, 3, stride=stride, pads=pads)
        maps.append(shape)
    for index, (shape, boxes) in enumerate(zip(maps, (4, 6, 6, 6, 4, 4), strict=True)):
        builder.convolution(f"box{index}_location", shape, boxes * 4, 3, stride=3, pads=_PAD_1)
        builder.convolution(f"box{index}_class", shape, boxes * 81, 3, stride=3, pads=_PAD_1)
    _per_class(builder, boxes=15_130, classes=81, candidates=200, kept=200)
    return builder.network()


def retinanet() -> Network:
    """MLPerf's RetinaNet: ResNeXt-50 32x4d, feature pyramid, one 800 x 800 image, 264 classes, 9 boxes a position.

    Levels 3 to 7; two heads of four 3 x 3 convolutions of 256 channels, the same weights on every level. Of each level
    the 1,000 best scores above 0.05 are compared, all classes in one list (resnext50/retinanet.py: score_thresh,
    topk_candidates, detections_per_img 300).
    """
    builder = Builder("retinanet", "MLPerf inference reference model RetinaNet ResNeXt-50 32x4d, 800 x 800")
    shape = builder.convolution("conv1", (800, 800, 3), 64, 7, stride=2, pads=((3, 3), (3, 3)))
    shape = builder.pool("pool1", "MaxPool", shape, 3, stride=2, pad=1)
    maps = []
    for stage, (blocks, width) in enumerate(((3, 128), (4, 256), (6, 512), (3, 1024)), start=2):
        for block in range(blocks):
            stride = 2 if stage > 2 and block == 0 else 1
            name = f"res{stage}_{block}"
            inner = builder.convolution(f"{name}_a", shape, width, 1)
            inner = builder.convolution(f"{name}_b", inner, width, 3, stride=stride, groups=32, pads=_PAD_1)
            inner = builder.convolution(f"{name}_c", inner, 2 * width, 1)
            if block == 0:
                builder.convolution(f"{name}_shortcut", shape, 2 * width, 1, stride=stride)
            shape = inner
            builder.vector(f"{name}_add", "Add", shape[0] * shape[1] * shape[2], inputs=2)
        maps.append(shape)
    levels = []
    for level, shape in enumerate(maps[1:], start=3):
        lateral = builder.convolution(f"lateral{level}", shape, 256, 1)
        if level < 5:
            builder.vector(f"merge{level}", "Add", lateral[0] * lateral[1] * 256, inputs=2)
        levels.append(builder.convolution(f"pyramid{level}", lateral, 256, 3))
    for level in (6, 7):
        levels.append(builder.convolution(f"pyramid{level}", levels[-1], 256, 3, stride=2, pads=_PAD_1))
    for level, shape in enumerate(levels, start=3):
        for head, channels in (("class", 9 * 264), ("box", 9 * 4)):
            for index in range(4):
                builder.convolution(f"{head}{level}_{index}", shape, 256, 3)
            builder.convolution(f"{head}{level}_out", shape, channels, 3)
            if level > 3:  # weights were counted with the first level
                builder.layers[-5:] = [replace(layer, weight_elements=0) for layer in builder.layers[-5:]]
    scores, candidates = 9 * 264 * sum(height * width for height, width, _ in levels), 1000 * len(levels)
    _boxes(builder, BoxChoice(scores=scores, sorted_scores=candidates, lists=1, candidates=candidates, kept=300))
    return builder.network()


def _per_class(builder: Builder, *, boxes: int, classes: int, candidates: int, kept: int) -> None:
    """Every class but the background sorts all of its boxes and compares the best of them."""
    lists = classes - 1
    _boxes(
        builder,
        BoxChoice(scores=boxes * classes, sorted_scores=boxes * lists, lists=lists, candidates=candidates, kept=kept),
    )


def _boxes(builder: Builder, choice: BoxChoice) -> None:
    """The choice of boxes: one score and its threshold is an operation; seven numbers of each box that is kept."""
    builder.layers.append(
        Layer(
            name="boxes",
            operator="BoxSelection",
            kind="vector",
            operations=choice.scores,
            input_elements=choice.scores,
            output_elements=choice.kept * 7,
            choice=choice,
        )
    )
