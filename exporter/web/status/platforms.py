"""One third-party platform's row on the status page."""

from dataclasses import dataclass

from exporter.discovery.state import PlatformState
from exporter.web.status.language import Language
from exporter.web.status.moments import Moment, moment
from exporter.web.status.query import State
from exporter.web.status.view import Trouble


@dataclass(frozen=True, slots=True)
class PlatformView:
    """A platform as the page shows it; `accounts` are pairs of what and how many."""

    name: str
    state: State
    state_text: str
    ticket: Moment | None
    listed: Moment | None
    accounts: tuple[tuple[str, str], ...]
    trouble: Trouble | None


def platform_view(platform: PlatformState, now: float, language: Language) -> PlatformView:
    """The row of a platform."""
    failure = platform.failure
    state = State.FAILING if failure is not None else State.OK
    counts = {
        "platform.apps": platform.apps,
        "platform.without_token": platform.without_token,
        "platform.others": platform.others,
        "platform.unknown": platform.unknown,
    }
    trouble = None
    if failure is not None:
        trouble = Trouble(
            reason=language.text(f"reason.{failure.reason}"),
            detail=failure.detail,
            advice=language.advice(failure.advice),
            since=moment(platform.failing_since, now, language),
        )
    return PlatformView(
        name=platform.name,
        state=state,
        state_text=language.text(f"state.{state}"),
        ticket=moment(platform.ticket_at, now, language),
        listed=moment(platform.listed_at, now, language),
        accounts=tuple(
            (language.text(key), f"{count:,}")
            for key, count in counts.items()
            if platform.discovers and (count or key == "platform.apps")
        ),
        trouble=trouble,
    )
