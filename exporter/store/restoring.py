"""Restores the stored state of apps that were not asked for yet: at the start, and when apps come."""

from collections.abc import Mapping
from typing import Final

from structlog.typing import FilteringBoundLogger

from exporter.datasets.daily_trend import DAILY_TREND
from exporter.store.entry import Table
from exporter.store.interface import Store
from exporter.store.ledger import Ledger
from exporter.store.stored_refusals import refusal_key
from exporter.wechat.access import Access

_UNTOUCHED: Final = Table()


def restore(ledger: Ledger, store: Store, accesses: Mapping[str, Access], log: FilteringBoundLogger) -> None:
    """Show stored rows, and pause what WeChat refused before a restart.

    A refusal holds only for the refused credential. Raise StoreError.
    """
    for dataset in (DAILY_TREND, *(each.dataset for each in ledger.datasets.values())):
        bare = [
            entry.app.appid
            for entry in ledger.entries()
            if (dataset is DAILY_TREND or entry.app.has(dataset.name))
            and entry.table(dataset.name) == _UNTOUCHED
        ]
        if bare:
            ledger.restore(store.load(ledger.server, bare, dataset), dataset.name)
    unasked = {
        refusal_key(entry.app.appid, name): (entry.app.appid, name)
        for entry in ledger.entries()
        for name in (DAILY_TREND.name, *ledger.names)
        if entry.table(name).health.last_refresh is None
    }
    refused = {
        unasked[key]: refusal
        for key, refusal in (store.refusals(ledger.server, unasked) if unasked else {}).items()
        if refusal.fingerprint in (None, accesses[unasked[key][0]].fingerprint())
    }
    if not refused:
        return
    ledger.refused(refused)
    apps = {appid for appid, dataset in refused if dataset == DAILY_TREND.name}
    if apps:
        log.warning("apps refused before the restart stay paused", apps=len(apps), first=min(apps))
    if datasets := [key for key in refused if key[0] not in apps]:
        first = " ".join(min(datasets))
        log.warning("datasets refused before the restart stay paused", datasets=len(datasets), first=first)
