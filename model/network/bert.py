"""BERT (Devlin et al., NAACL 2019): an encoder of transformer layers with a question-answering head."""

from model.network.build import Builder
from model.network.layer import Network


def bert_large(tokens: int) -> Network:
    """BERT-large on one sequence padded to `tokens`: 24 layers, width 1024, 16 heads, 4096 between.

    Embedding look-up is data movement and left out.
    """
    layers, width, heads, between = 24, 1024, 16, 4096
    per_head = width // heads
    builder = Builder("bert_large", f"Devlin et al., NAACL 2019; sequence of {tokens}, answer span head")
    for i in range(layers):
        name = f"layer{i}"
        for projection in ("query", "key", "value"):
            builder.product(f"{name}_{projection}", tokens, width, width)
        builder.product(f"{name}_scores", tokens, tokens, per_head, count=heads, stationary=False)
        builder.vector(f"{name}_softmax", "Softmax", heads * tokens * tokens)
        builder.product(f"{name}_context", tokens, per_head, tokens, count=heads, stationary=False)
        builder.product(f"{name}_output", tokens, width, width)
        builder.vector(f"{name}_add_1", "Add", tokens * width, inputs=2)
        builder.vector(f"{name}_norm_1", "LayerNormalization", tokens * width, weights=2 * width)
        builder.product(f"{name}_up", tokens, between, width)
        builder.vector(f"{name}_gelu", "Gelu", tokens * between)
        builder.product(f"{name}_down", tokens, width, between)
        builder.vector(f"{name}_add_2", "Add", tokens * width, inputs=2)
        builder.vector(f"{name}_norm_2", "LayerNormalization", tokens * width, weights=2 * width)
    builder.product("answer_span", tokens, 2, width)
    return builder.network()
