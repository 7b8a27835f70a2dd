"""The state of a third-party platform, for the status page and the metrics."""

from dataclasses import dataclass

from exporter.wechat.failures.failure import Failure


@dataclass(frozen=True, slots=True)
class PlatformState:
    """The state of a platform; times are Unix times.

    `failure`: why its accounts cannot be listed, or why it has no ticket or token, since `failing_since`.
    `ticket_at`: when the newest verify ticket came; None if there is none, or the time is unknown.
    `discovers`: whether its accounts become apps. `apps`, `others`, `unknown`: numbers of accounts that are
    mini programs, are not, or are not identified yet; `without_token`: of those without a refresh token.
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
