"""BERT-large on SQuAD as a submitter that drops the padding computes it: 177 tokens, the mean of its 384 positions.

Padding is 54 % of SQuAD v1.1's tokens at 384 positions ("Removing padding in BERT", openreview.net 3nzKUh9a4M), so
177 remain. All but the attention scores, 4 % of the work, grows in proportion, so the mean length stands for all.
"""

from model.network.bert import bert_large
from model.network.workload import NetworkWorkload

WORKLOAD = NetworkWorkload(
    title="BERT-large, one sequence of 177 tokens: SQuAD's mean without padding",
    build=lambda: bert_large(177),
    work={"sequences": 1},
)
