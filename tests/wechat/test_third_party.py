"""Refresh tokens in their vault; the whole way of a third-party platform is in test_component.py."""

from exporter.store.memory import MemoryStore
from exporter.wechat.third_party import Kept, RefreshTokens

APPID = "wx0123456789abcdef"
FIRST, SECOND, THIRD = Kept("first", 1.0, ""), Kept("second", 2.0, "hash"), Kept("third", 3.0, "")


def test_a_refresh_token_takes_the_place_of_the_one_it_came_for() -> None:
    tokens = RefreshTokens("wxabcdefabcdefabcd", MemoryStore())
    assert tokens.get(APPID) is None
    tokens.save(APPID, FIRST, None)
    tokens.save(APPID, SECOND, FIRST)
    assert tokens.get(APPID) == SECOND


def test_one_from_a_call_that_outlasted_its_right_does_not_replace_what_came_meanwhile() -> None:
    tokens = RefreshTokens("wxabcdefabcdefabcd", MemoryStore())
    tokens.save(APPID, FIRST, None)
    tokens.save(APPID, SECOND, FIRST)  # another exporter's
    tokens.save(APPID, THIRD, FIRST)
    assert tokens.get(APPID) == SECOND


def test_no_refresh_token_is_in_a_repr() -> None:
    assert "first" not in repr(FIRST)
