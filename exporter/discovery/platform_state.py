"""How a third-party platform is, for the status page and the metrics."""

from dataclasses import dataclass

from exporter.wechat.failures.failure import Failure


@dataclass(frozen=True, slots=True)
class PlatformState:
    """One platform; times are Unix times.

    `failure`: why its accounts cannot be listed, or why it has no ticket or token, and since when.
    `ticket_at`: when its newest verify ticket came, None while there is none, or that is not known.
    `discovers`: whether its accounts become apps. `apps`: those that are mini programs, `others` that are
    not, `unknown` of which that is not known yet; `without_token`: those that lack a refresh token.
    `listed_at`: when the accounts were last listed.
    """

    name: str
    failure: Failure | None = None
    failing_since: float | None = None
    ticket_at: float | None = None
    discovers: bool = False
    apps: int = 0
    others: int = 0
    unknown: int = 0
    without_token: int = 0
    listed_at: float | None = None
