import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.config.apps import App
from exporter.config.platforms import Discovery
from exporter.config.token_types import ThirdParty
from exporter.discovery import accounts
from exporter.discovery.accounts import INFO_SECONDS, Account, AccountList
from exporter.store.memory import MemoryStore
from exporter.wechat.credential_vault import Record
from exporter.wechat.failures.failure import CallError, Reason

ONE, TWO, THREE = "wx0000000000000001", "wx0000000000000002", "wx1000000000000003"
NOW = 1_795_500_000.0


@pytest.mark.parametrize(
    ("include", "exclude", "left"),
    [
        ((), (), [ONE, TWO, THREE]),
        ((ONE,), (), [ONE]),
        (("wx0*",), (), [ONE, TWO]),
        (("WX0*",), (ONE.upper(),), [TWO]),
        ((), ("wx?000*",), []),
        ((), ("wx*[1-2]",), [THREE]),
        ((ONE, THREE), (ONE,), [THREE]),
    ],
)
def test_exclude_is_stronger_than_include_and_nothing_included_means_all(
    include: tuple[str, ...], exclude: tuple[str, ...], left: list[str]
) -> None:
    assert accounts.wanted([ONE, TWO, THREE], Discovery(3600, include, exclude)) == left


def test_a_new_list_keeps_what_is_known_and_forgets_who_is_gone() -> None:
    known = {ONE: Account("one", NOW), TWO: Account("two", NOW)}
    assert accounts.listed([THREE, ONE], known) == {THREE: Account(), ONE: Account("one", NOW)}


def test_accounts_are_asked_for_once_a_week_those_never_asked_for_first() -> None:
    known = {
        ONE: Account("one", NOW - INFO_SECONDS, is_app=True),
        TWO: Account("two", NOW - INFO_SECONDS + 1, is_app=True),
        THREE: Account(),
    }
    assert accounts.to_ask_for(known, NOW) == [THREE, ONE]


def test_an_account_asked_for_by_a_clock_that_was_ahead_is_asked_for_again() -> None:
    assert accounts.to_ask_for({ONE: Account("one", NOW + 86_400, is_app=True)}, NOW) == [ONE]


@pytest.mark.parametrize(
    ("info", "name"),
    [
        ({"nick_name": "奶茶小铺"}, "奶茶小铺"),
        ({"nick_name": " tea\n\x00 house\ud800 "}, "tea house"),
        ({"nick_name": "x" * 300}, "x" * 200),
        ({"nick_name": ""}, ""),
        ({"nick_name": None}, ""),
        ({}, ""),
    ],
)
def test_a_name_is_one_that_can_be_shown(info: object, name: str) -> None:
    assert accounts.read_info({"authorizer_info": info})[0] == name


@pytest.mark.parametrize(
    ("info", "is_app"),
    [
        ({"MiniProgramInfo": {"network": {}, "visit_status": 0}, "service_type_info": {"id": 0}}, True),
        ({"MiniProgramInfo": {}}, True),
        ({"MiniProgramInfo": None}, False),
        ({"service_type_info": {"id": 2}, "verify_type_info": {"id": 0}}, False),
    ],
)
def test_an_account_with_mini_program_info_is_a_mini_program(*, info: object, is_app: bool) -> None:
    assert accounts.read_info({"authorizer_info": info})[1] is is_app


@pytest.mark.parametrize("body", [{}, {"authorizer_info": None}, {"authorizer_info": []}])
def test_an_answer_that_says_nothing_of_an_account_is_malformed(body: dict[str, object]) -> None:
    with pytest.raises(CallError) as caught:
        accounts.read_info(body)
    assert caught.value.failure.reason is Reason.MALFORMED


def test_an_account_becomes_an_app_that_has_its_appid_for_a_name_until_there_is_one() -> None:
    assert accounts.app_of(ONE, Account(), "main") == App(ONE, ONE, (), ThirdParty("main", discovered=True))
    assert accounts.app_of(ONE, Account("one"), "main").name == "one"


MOMENTS = st.floats(0, 1e10)


@given(
    st.builds(
        AccountList,
        st.dictionaries(st.text(), st.builds(Account, st.text(), MOMENTS, st.none() | st.booleans())),
        MOMENTS,
        MOMENTS,
        st.integers(0, 9),
    )
)
def test_accounts_are_read_as_they_were_written(stored: AccountList) -> None:
    assert AccountList.of_json(json.loads(json.dumps(stored.json()))) == stored


@pytest.mark.parametrize(
    "text",
    [
        '{"wx0123456789abcdef": ["one", 5]}',
        '{"accounts": {"wx0123456789abcdef": ["one", 5]}, "listed_at": 0, "saved_at": 0, "without_token": 0}',
    ],
)
def test_accounts_stored_before_their_kinds_were_are_apps_and_asked_for_at_once(text: str) -> None:
    stored = AccountList.of_json(json.loads(text))
    assert stored == AccountList({"wx0123456789abcdef": Account("one", 0.0, is_app=True)})
    assert accounts.to_ask_for(stored.accounts, NOW) == ["wx0123456789abcdef"]


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "[]", "{", '{"wx": 1}', '{"wx": ["name", "x"]}'),
        *('{"accounts": {}}', '{"accounts": {}, "listed_at": null}', '{"accounts": 5, "listed_at": 1}'),
    ],
)
def test_what_cannot_be_understood_is_nothing(text: str | None) -> None:
    vault = MemoryStore()
    if text is not None:
        vault.put("key", None, text)
    assert Record(vault, "key", AccountList.of_json, AccountList.json).load() is None
