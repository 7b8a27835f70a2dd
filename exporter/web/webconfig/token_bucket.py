"""`rate_limit`: a bucket that fills with one token per interval; each request takes one."""

from collections.abc import Callable

from exporter.web.webconfig.format import RateSection


class TokenBucket:
    """Counts requests; used by one thread, the event loop's."""

    def __init__(self, limit: RateSection, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that never jump; the bucket begins full."""
        self._limit = limit
        self._clock = clock
        self._tokens = float(limit.burst)
        self._counted_at = clock()

    def take(self) -> bool:
        """Return whether one more request is allowed now."""
        if not self._limit.interval:
            return True
        now = self._clock()
        filled = self._tokens + (now - self._counted_at) / self._limit.interval
        self._tokens = min(float(self._limit.burst), filled)
        self._counted_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
