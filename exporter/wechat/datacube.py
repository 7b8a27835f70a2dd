"""The data calls: any dataset by its period, and quotas; how they are sent, and what becomes of answers."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from exporter.datasets.dataset import Dataset, Row
from exporter.datasets.period import Period
from exporter.datasets.quota import QUOTA_PATH, quota_request, read_quota
from exporter.datasets.wire import MalformedRowError
from exporter.wechat.client import Client
from exporter.wechat.endpoints import API_QUOTA, endpoint_of
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import Action, CallError, Reason

Figures = tuple[int | float | None, ...]


def ask_dataset(
    client: Client,
    dataset: Dataset,
    period: Period,
    params: Mapping[str, str],
    secrets: Iterable[str],
    *,
    base_url: str = "",
) -> Row:
    """The dataset's row of that period.

    Args:
        client: where to ask.
        dataset: which of WeChat's tables.
        period: one of the dataset's calendar; WeChat gives one at a time.
        params: URL parameters, which say who asks.
        secrets: what is secret in them.
        base_url: where WeChat answers this kind of call, if not where the line leads.

    Raises:
        CallError: there is no row (yet), or WeChat refuses; the advice is about this dataset.
    """
    with advising(dataset.interface):
        return client.ask(
            endpoint_of(dataset),
            "POST",
            base_url + dataset.path,
            row_reader(dataset, period),
            params=params,
            body=dataset.request(period),
            secrets=secrets,
        )


@contextmanager
def advising(interface: str) -> Iterator[None]:
    """Have the failure of a call tell what to do about this interface of WeChat's."""
    try:
        yield
    except CallError as error:
        error.failure = replace(error.failure, advice=error.failure.advice.about(interface))
        raise


def row_reader(dataset: Dataset, period: Period) -> Callable[[Mapping[str, Any]], Row]:
    """Reads an answer; no row and an untrustworthy row are CallErrors of their own reasons."""

    def read(body: Mapping[str, Any]) -> Row:
        try:
            row = dataset.read(body, period)
        except MalformedRowError as error:
            problem = failure(Reason.MALFORMED, str(error), Action.NEXT_ROUND)
        else:
            if row is not None:
                return row
            problem = failure(Reason.EMPTY, f"WeChat has no row for {period}")
        raise CallError(problem)  # out here: in the handler the error would come along with what it shows

    return read


def ask_quota(client: Client, cgi_path: str, params: Mapping[str, str], secrets: Iterable[str]) -> Figures:
    """Limit, used and left calls of an interface today, in the order of QUOTA_FIELDS; raises CallError.

    Args:
        client: where to ask.
        cgi_path: the interface's path.
        params: URL parameters, which say who asks.
        secrets: what is secret in them.
    """
    with advising(API_QUOTA.name):
        return client.ask(
            API_QUOTA,
            "POST",
            QUOTA_PATH,
            _quota_figures,
            params=params,
            body=quota_request(cgi_path),
            secrets=secrets,
        )


def _quota_figures(body: Mapping[str, Any]) -> Figures:
    try:
        return read_quota(body)
    except MalformedRowError as error:
        problem = failure(Reason.MALFORMED, str(error), Action.NEXT_ROUND)
    raise CallError(problem)
