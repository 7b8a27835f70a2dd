"""WeChat's count of calls is shown only on its day."""

from exporter.config.apps import App
from exporter.config.secret import Secret
from exporter.config.token_types import StableToken
from exporter.exposition.dataset_families import QuotaFamilies
from exporter.store.entry import Entry, HeldQuota
from tests.building import NOON

APP = App("wx0000000000000001", "coffee", (), StableToken(Secret(value="not-a-real-secret")))
PATH = "/datacube/getweanalysisappiddailyvisittrend"


def test_a_count_of_yesterday_is_not_shown_as_todays() -> None:
    entry = Entry(APP, "stable_token", quotas={PATH: HeldQuota((100, 40, 60), NOON)})
    labels = 'appid="wx0000000000000001"'
    today = list(QuotaFamilies(since=NOON).render([(labels, entry)]))
    assert [text.rsplit(maxsplit=1)[-1] for text in today] == ["100", "40", "60"]
    assert list(QuotaFamilies(since=NOON + 1).render([(labels, entry)])) == ["", "", ""]
