"""Calls with an access token, of which WeChat refuses one or another."""

import pytest

from exporter.wechat.client import AuthorizedClient, Client
from exporter.wechat.endpoints import DAILY_VISIT_TREND
from exporter.wechat.failures.failure import Action, Failure
from exporter.wechat.tokens.cache import Token, TokenCache
from tests.wechat.lines import Clock, failure_of, opened
from tests.wechat.peers import Peer, json_body, says, whole
from tests.wechat.tokens.conftest import Source


def authorized(client: Client) -> tuple[AuthorizedClient, Source]:
    source = Source(lambda fetch: Token(f"token-{fetch}", None, 2e9, f"{fetch}".encode()))
    return AuthorizedClient(client, TokenCache(source, Clock())), source


@pytest.mark.parametrize(
    ("errcode", "refused"), [(40001, ["token-1"]), (-1, [])], ids=["its token is refused", "another reason"]
)
def test_a_call_that_fails_is_made_once_more_where_its_token_was_refused(
    errcode: int, refused: list[str]
) -> None:
    answer = whole(json_body({"errcode": errcode, "errmsg": "no"}))
    with Peer(says(answer)) as peer, opened(peer.url) as client:
        calls, source = authorized(client)
        problem: Failure = failure_of(lambda: calls.ask(DAILY_VISIT_TREND, dict, body={}))
    assert (problem.action is Action.RENEW_TOKEN) == bool(refused)
    assert source.refused == refused
    assert source.fetches == 1 + len(refused)
    assert problem.credential == f"{source.fetches}".encode()
