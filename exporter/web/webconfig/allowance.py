"""`rate_limit`: a bucket that fills with one token per interval; each request takes one."""

from collections.abc import Callable

from exporter.web.webconfig.settings import RateLimit


class Allowance:
    """Counts requests; used by one thread, the event loop's."""

    def __init__(self, limit: RateLimit, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that never jump; the bucket begins full."""
        self._limit = limit
        self._clock = clock
        self._tokens = float(limit.burst)
        self._counted_at = clock()

    def take(self) -> bool:
        """Whether one more request is allowed now."""
        now = self._clock()
        filled = self._tokens + (now - self._counted_at) / self._limit.interval
        self._tokens = min(float(self._limit.burst), filled)
        self._counted_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
