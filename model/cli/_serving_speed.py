"""Speed of the serving simulator: requests and tokens a second of CPU time, cold, and requests of a site's day."""

import time

from hw import chips
from model.card.device import device
from model.card.engine import ENGINES
from model.network import llm
from model.serving import site
from model.serving.deploy import Deployed
from model.serving.draw import DAY, Drawn
from model.serving.service import Service
from model.serving.sources import Stream

PUBLIC = 1.9
"""Requests a second of wall time of the public simulator that ships with the 300 requests of an RTX PRO 6000, at best
(LLMServingSim 2.0: 0.8 to 1.9)."""

REQUESTS = 5000
DAY_REQUESTS = 20_000


def measure() -> dict[str, float]:
    """Figures by name; nothing of the card model is known beforehand."""
    chip = chips.load("nvidia_h100_sxm")
    deployed = Deployed(device=device(chip), model=llm.load("llama31_8b"), engine=ENGINES["vllm"], chip=chip)
    load = Drawn(count=REQUESTS, rate=8, prompt=1024, answer=512)
    spent, tokens = _run(Service(groups=((deployed, 1),)), load)
    found = {
        "serving_requests_per_s": REQUESTS / spent,
        "serving_tokens_per_s": tokens / spent,
        "serving_times_public_simulator": REQUESTS / spent / PUBLIC,
    }
    kinds = site.kinds("gwangju", deployed.model, tokens=1280, engine="vllm")
    day = Drawn(count=DAY_REQUESTS, rate=1e6 / 86400, prompt=1024, answer=256, day=DAY)
    spent, _ = _run(site.service(kinds, (), "least_loaded"), day)
    found["serving_site_day_of_a_million_minutes"] = spent * 1e6 / DAY_REQUESTS / 60
    return found


def _run(service: Service, load: Drawn) -> tuple[float, int]:
    """(seconds of CPU, tokens written)."""
    start = time.process_time()
    cluster = service.cluster(Stream(lambda: load))
    while not cluster.run(events=1 << 20):
        pass
    return time.process_time() - start, sum(i.written for i in cluster.all)
