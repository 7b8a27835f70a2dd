import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.shards import MOST_SHARDS, THE_WHOLE, Shard, ShardError, choose_shard, owner
from tests.building import make_app

APPIDS = [make_app(number).appid for number in range(5000)]
TEXTS = st.text(min_size=1, max_size=20)


@given(appid=TEXTS, total=st.integers(1, 64))
def test_every_app_belongs_to_exactly_one_shard(appid: str, total: int) -> None:
    assert sum(Shard(number, total).owns(appid) for number in range(total)) == 1


@given(appid=st.from_regex(r"wx[0-9a-fA-F]{16}", fullmatch=True), total=st.integers(1, MOST_SHARDS))
def test_the_case_of_an_appid_does_not_matter(appid: str, total: int) -> None:
    assert owner(appid.upper(), total) == owner(appid.lower(), total) == owner(appid, total)


@given(appid=TEXTS, total=st.integers(1, 64))
def test_one_shard_more_takes_apps_over_and_moves_no_other(appid: str, total: int) -> None:
    assert owner(appid, total + 1) in {owner(appid, total), total}


@pytest.mark.parametrize("total", [1, 2, 3, 7, 15])
def test_one_shard_more_moves_no_more_than_its_share(total: int) -> None:
    moved = sum(owner(appid, total) != owner(appid, total + 1) for appid in APPIDS)
    assert moved / len(APPIDS) <= 1 / (total + 1) + 0.02


@pytest.mark.parametrize("total", [2, 3, 10])
def test_shards_are_about_equally_large(total: int) -> None:
    sizes = [sum(Shard(number, total).owns(appid) for appid in APPIDS) for number in range(total)]
    assert sum(sizes) == len(APPIDS)
    assert all(abs(size - 5000 / total) < 0.12 * 5000 / total for size in sizes)


def test_the_shards_of_apps_are_fixed_for_good() -> None:
    assert [owner(appid, 3) for appid in APPIDS[:8]] == [0, 1, 1, 0, 2, 2, 0, 0]


def test_an_exporter_alone_has_all_apps() -> None:
    assert all(THE_WHOLE.owns(appid) for appid in APPIDS)


# Which shard the flags name


@pytest.mark.parametrize(("number", "total"), [("0", 1), ("0", 3), ("2", 3), ("999", 1000)])
def test_a_number_names_the_shard(number: str, total: int) -> None:
    assert choose_shard(number, total, {"POD_NAME": "exporter-1"}) == Shard(int(number), total)


@pytest.mark.parametrize(("number", "total"), [("1", 1), ("3", 3), ("999", 3)])
def test_a_number_beyond_the_last_shard_is_refused_with_the_range(number: str, total: int) -> None:
    with pytest.raises(ShardError, match=rf"--shard={number}: .* count from 0 to {total - 1}$"):
        choose_shard(number, total, {})


@pytest.mark.parametrize(
    ("pod", "total", "shard"),
    [
        ("exporter-0", 3, 0),
        ("exporter-2", 3, 2),
        ("exporter-3", 3, 0),  # six pods for three shards: two replicas of each
        ("exporter-5", 3, 2),
        ("wechat-miniprogram-exporter-12", 5, 2),
        ("exporter-7", 1, 0),
    ],
)
def test_auto_is_the_number_of_the_pod_modulo_the_shards(pod: str, total: int, shard: int) -> None:
    assert choose_shard("auto", total, {"POD_NAME": pod}) == Shard(shard, total)


@pytest.mark.parametrize("environ", [{}, {"POD_NAME": ""}])
def test_without_a_pod_name_the_host_name_has_the_number(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "exporter-4")
    assert choose_shard("auto", 3, environ) == Shard(1, 3)


@pytest.mark.parametrize("name", ["exporter", "exporter-", "exporter-5f6d8-abcde", "exporter1"])
def test_a_name_without_a_number_at_its_end_is_refused_with_an_advice(name: str) -> None:
    with pytest.raises(ShardError) as refused:
        choose_shard("auto", 3, {"POD_NAME": name})
    assert repr(name) in str(refused.value)
    assert "set POD_NAME, or give the number" in str(refused.value)


def test_a_shard_is_written_in_words() -> None:
    assert f"{Shard(2, 5)}" == "2 of 5"
