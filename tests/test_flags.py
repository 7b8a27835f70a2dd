import argparse
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from exporter.cli import main


@pytest.fixture
def flags(monkeypatch: pytest.MonkeyPatch) -> Callable[..., argparse.Namespace]:
    """Return a function that parses words as a command's flags."""

    def parsed(*words: str) -> argparse.Namespace:
        seen: list[argparse.Namespace] = []

        def run(given: argparse.Namespace) -> int:
            seen.append(given)
            return 0

        monkeypatch.setattr("exporter.cli.import_module", lambda _: SimpleNamespace(run=run))
        assert main(list(words)) == 0
        return seen[0]

    return parsed


def test_without_flags_an_exporter_has_all_apps(flags: Callable[..., argparse.Namespace]) -> None:
    assert (flags().shard, flags().total_shards, flags().sd_targets) == ("0", 1, [])


@pytest.mark.parametrize("command", ["serve", "check"])
def test_shards_are_named_by_number_or_by_the_pod(
    command: str, flags: Callable[..., argparse.Namespace]
) -> None:
    given = flags(command, "--shard=2", "--total-shards=3")
    assert (given.shard, given.total_shards) == ("2", 3)
    assert flags(command, "--shard=auto", "--total-shards=1000").shard == "auto"


def test_targets_for_service_discovery_may_name_the_shard(flags: Callable[..., argparse.Namespace]) -> None:
    targets = ["exporter-{shard}.exporter:10950", "10.0.0.1:1095{shard}", "[::1]:1095{shard}"]
    words = [f"--sd.target={target}" for target in targets]
    assert flags(*words, "--total-shards=10").sd_targets == targets
    assert flags("--sd.target=[::1]:10950").sd_targets == ["[::1]:10950"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--shard=-1"], "'-1' is not a number from 0 up, nor auto"),
        (["--shard=x"], "'x' is not a number"),
        (["--shard=1000"], "'1000' is not a number"),
        (["--shard=٣"], "is not a number"),
        (["--total-shards=0"], "'0' is not a number from 1 to 1000"),
        (["--total-shards=1001"], "'1001' is not a number from 1 to 1000"),
        (["--total-shards=three"], "'three' is not a number from 1 to 1000"),
        (["--sd.target=exporter"], "is not HOST:PORT"),
        (["--sd.target=exporter-{number}:10950"], "is not HOST:PORT"),
        (["--sd.target=http://exporter:10950"], "is not HOST:PORT"),
        (["--sd.target=exporter:99999999"], "is not HOST:PORT"),
        (["--sd.target=exporter:65536"], "is not HOST:PORT"),
        (["--sd.target=exporter:0"], "is not HOST:PORT"),
        (["--sd.target=exporter:http"], "is not HOST:PORT"),
        (["--sd.target=exporter:10950{shard}"], "is not HOST:PORT"),
        (["--sd.target=exporter:{shard}"], "is not HOST:PORT"),
        (["--sd.target=::1:10950"], "is not HOST:PORT"),
        (["--sd.target=[exporter:10950"], "is not HOST:PORT"),
        (["demo", "--sd.target=exporter:99999999"], "is not HOST:PORT"),
        (
            ["--sd.target=exporter:1095{shard}", "--total-shards=1000"],
            "'exporter:1095{shard}' makes 'exporter:1095999' of the last shard",
        ),
        (
            ["--total-shards=4", "--sd.target=exporter-{shard}:10950", "--sd.target=exporter:10950"],
            "'exporter:10950' is the same for all of --total-shards=4: write {shard} where",
        ),
    ],
)
def test_a_wrong_shard_or_target_is_refused_with_what_is_allowed(
    words: list[str],
    message: str,
    flags: Callable[..., argparse.Namespace],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        flags(*words)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--shard=3", "--total-shards=3"], "--shard=3: with --total-shards=3 shards count from 0 to 2"),
        (["--shard=auto", "--total-shards=3"], "--shard=auto: the name 'no-number' does not end in a number"),
    ],
)
def test_a_shard_that_there_is_not_is_exit_code_2_before_the_configuration_is_read(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POD_NAME", "no-number")
    assert main([*words, "--config.file=/no/such/file.yaml"]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "default"), [("serve", "en"), ("demo", "en"), ("backfill --from=1d", "en"), ("check", None)]
)
def test_advice_is_in_english_or_as_the_locale_unless_a_flag_chooses(
    command: str, default: str | None, flags: Callable[..., argparse.Namespace]
) -> None:
    words = command.split()
    assert flags(*words).log_language == default
    assert flags(*words, "--log.language=zh").log_language == "zh"
