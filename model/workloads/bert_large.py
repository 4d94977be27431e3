"""MLPerf's BERT-large on SQuAD: one sequence padded to 384 tokens, 123 GMAC."""

from model.network.bert import bert_large
from model.network.workload import NetworkWorkload

WORKLOAD = NetworkWorkload(
    title="BERT-large, one sequence padded to 384 tokens",
    build=lambda: bert_large(384),
    work={"sequences": 1},
)
