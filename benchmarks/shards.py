"""A trial of a fleet: 4 shards × 2 replicas with one Redis, killed, cut off and divided again.

Each replica asks WeChat, and tokens are fetched once for all. The trial counts the calls, checks that every
app's figures are shown and right, and exits with 1 if something is wrong.

Run: python -m benchmarks.shards 20000 120
"""

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from benchmarks.trial import REPLICAS, Redis, Trial
from benchmarks.wechat import wechat
from exporter.shards import owner

SHARDS: Final = 4
_ROUNDS: Final = 2


def main(apps: int, interval: int) -> None:
    """Run the trial and print the results."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = Redis(folder)
        redis.start()
        stack.callback(redis.kill)
        base_url = stack.enter_context(wechat(apps, latency=0.0))
        trial = Trial(folder, base_url, redis, apps, interval)
        stack.enter_context(_ended(trial))
        for shard in range(SHARDS):
            for _ in range(REPLICAS):
                trial.start(shard, SHARDS)
        show("all on show after the start", f"{trial.complete():.0f} s")
        normal_rounds(trial)
        killed(trial)
        redis_killed(trial)
        divided_anew(trial)


def normal_rounds(trial: Trial) -> None:
    """Observe two undisturbed rounds of each replica."""
    trial.asked_in(1)  # the first rounds end
    calls = trial.asked_in(_ROUNDS)
    show("calls per app in two rounds of both", spread(calls, trial))
    must(calls.total() <= 1.05 * _ROUNDS * REPLICAS * len(trial.apps), "one call per app, replica and round")
    must(trial.token_calls() == len(trial.apps), "one call per token")
    show("on show, wrong, not by two", str(trial.shown()))


def killed(trial: Trial, kills: int = 6) -> None:
    """Kill -9 one process after the other in the middle of rounds, and restart each at once."""
    for _ in range(kills):
        time.sleep(random.uniform(0, trial.interval))
        victim = random.choice(trial.exporters)
        trial.end(victim)
        now, wrong, _ = trial.shown()
        trial.start(victim.shard, SHARDS)
        back = trial.complete()
        show("kill -9 in a round", f"{now} apps at once, all after {back:.0f} s, {wrong} wrong")
        must(now == len(trial.apps) and not wrong, "every app on show, none wrong")
    show("token calls so far", str(trial.token_calls()))
    must(trial.token_calls() <= len(trial.apps) + kills, "no token is fetched again")


def redis_killed(trial: Trial) -> None:
    """Kill Redis for some seconds in the middle of rounds."""
    tokens = trial.token_calls()
    trial.redis.kill()
    time.sleep(3)
    shown, wrong, _ = trial.shown()
    trial.redis.start()
    calls = trial.asked_in(_ROUNDS)
    show("Redis killed in a round", f"{shown} apps meanwhile, {wrong} wrong; calls {spread(calls, trial)}")
    must(shown == len(trial.apps) and not wrong, "no lost row")
    must(trial.token_calls() == tokens, "no token is fetched again")
    show("on show, wrong, not by two", str(trial.shown()))


def divided_anew(trial: Trial) -> None:
    """Add a shard: end all exporters, then start them again."""
    moved = sum(owner(appid, SHARDS) != owner(appid, SHARDS + 1) for appid in trial.apps)
    show("apps that change their shard", f"{moved} of {len(trial.apps)}: {moved / len(trial.apps):.1%}")
    must(moved <= (1 / (SHARDS + 1) + 0.02) * len(trial.apps), "few apps move")
    tokens = trial.token_calls()
    for exporter in list(trial.exporters):
        exporter.process.terminate()
    for exporter in list(trial.exporters):
        exporter.process.wait()
        trial.exporters.remove(exporter)
    for shard in range(SHARDS + 1):
        for _ in range(REPLICAS):
            trial.start(shard, SHARDS + 1)
    show("divided again", f"all on show after {trial.complete():.0f} s")
    show("calls per app in two rounds of both", spread(trial.asked_in(_ROUNDS), trial))
    show("token calls so far", str(trial.token_calls()))
    must(trial.token_calls() == tokens, "no token is fetched again")
    show("on show, wrong, not by two", str(trial.shown()))


def spread(calls: Counter[str], trial: Trial) -> str:
    """Describe the distribution of the calls over the apps."""
    times = Counter(calls[appid] for appid in trial.apps)
    return f"{calls.total()}: " + ", ".join(f"{apps} apps {often}×" for often, apps in sorted(times.items()))


def must(holds: bool, what: str) -> None:  # noqa: FBT001 - it reads as a sentence
    """End the trial with an explanation unless a condition holds."""
    if not holds:
        raise SystemExit(f"does not hold: {what}")


def show(what: str, seen: str) -> None:
    """Print a line."""
    print(f"{what:<36} {seen}", flush=True)


@contextmanager
def _ended(trial: Trial) -> Iterator[None]:
    try:
        yield
    finally:
        for exporter in list(trial.exporters):
            trial.end(exporter)


def _command(words: Sequence[str]) -> None:
    main(int(words[0]) if words else 20_000, int(words[1]) if len(words) > 1 else 120)


if __name__ == "__main__":
    _command(sys.argv[1:])
