"""What the operators of ONNX cost: which kind of work each one is.

Names of the default domain, opsets 1 to 24, and what ONNX Runtime puts there. What is missing here is reported as
unsupported.
"""

from model.network import attention, onnx_contrib
from model.network.layer import Kind

_PRODUCTS = """
Attention Conv ConvInteger ConvTranspose DeformConv Einsum GRU Gemm LSTM MatMul MatMulInteger QLinearConv QLinearMatMul
RNN
"""
_POOLING = """
AveragePool GlobalAveragePool GlobalLpPool GlobalMaxPool LpPool MaxPool MaxRoiPool MaxUnpool RoiAlign
"""
_ELEMENT_WISE = """
Abs Acos Acosh Add And Asin Asinh Atan Atanh BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Ceil Celu Clip Cos
Cosh CumSum DequantizeLinear Div DynamicQuantizeLinear Elu Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid
HardSwish IsInf IsNaN LeakyRelu Less LessOrEqual Log Max Mean Min Mish Mod Mul Neg Not Or PRelu Pow QuantizeLinear
Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Sub Sum Swish Tan Tanh ThresholdedRelu
Where Xor RotaryEmbedding
"""
_NORMALISATION = """
BatchNormalization GroupNormalization InstanceNormalization LayerNormalization LRN LpNormalization
MeanVarianceNormalization RMSNormalization SimplifiedLayerNormalization Softmax LogSoftmax Hardmax
"""
_REDUCTION = """
ArgMax ArgMin ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
ReduceSumSquare TopK
"""
_MOVEMENT = """
Cast CastLike CenterCropPad Compress Concat Constant ConstantOfShape DepthToSpace Dropout Expand EyeLike Flatten
Gather GatherElements GatherND Identity NonZero OneHot Pad Range Reshape Resize ReverseSequence ScatterElements
ScatterND Shape Size Slice SpaceToDepth Split Squeeze Tile Transpose Trilu Unsqueeze Upsample
"""

PRODUCTS = frozenset(_PRODUCTS.split())
"""Operators lowered to matrix products."""

POOLING = frozenset(_POOLING.split())
"""Vector work of one operation per window position and output element."""

ELEMENT_WISE = frozenset((_ELEMENT_WISE + _NORMALISATION).split())
"""Vector work that leaves as many elements as it reads, where it reads one tensor."""

NORMALISATION = frozenset(_NORMALISATION.split())
"""Those of them whose first operand has the shape of the result, whatever scales stand beside it."""

VECTOR = POOLING | ELEMENT_WISE
"""Vector work of one operation per output element, times the window if there is one."""

REDUCTION = frozenset(_REDUCTION.split())
"""Vector work of one operation per input element."""

MOVEMENT = frozenset(_MOVEMENT.split())
"""No arithmetic."""


def kind_of(operator: str, domain: str) -> Kind:
    """The kind of work of `operator`; of other domains than ONNX's own only ONNX Runtime's is known."""
    if domain in onnx_contrib.DOMAINS:
        return "gemm" if operator in attention.OPERATORS else onnx_contrib.kind_of(operator)
    if domain not in ("", "ai.onnx"):
        return "unsupported"
    if operator in PRODUCTS:
        return "gemm"
    if operator in VECTOR or operator in REDUCTION:
        return "vector"
    return "move" if operator in MOVEMENT else "unsupported"
