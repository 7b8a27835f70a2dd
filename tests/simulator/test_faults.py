import pytest

from exporter.simulator.faults import CallKind, Fault, FaultBoard


def test_every_fault_has_a_meaning_and_a_call() -> None:
    assert all(fault.meaning and fault.calls for fault in Fault)


def test_a_fault_is_put_on_its_usual_call() -> None:
    board = FaultBoard()
    board.switch("wx1", Fault.HANG)
    board.switch("wx1", Fault.WRONG_SECRET)
    assert board.shown("wx1") == {CallKind.DATA: Fault.HANG, CallKind.TOKEN: Fault.WRONG_SECRET}
    assert board.shown("wx2") == {}


def test_a_new_fault_takes_the_old_ones_place() -> None:
    board = FaultBoard()
    board.switch("wx1", Fault.HANG)
    board.switch("wx1", Fault.EMPTY)
    assert board.shown("wx1") == {CallKind.DATA: Fault.EMPTY}


def test_none_heals_one_call_or_both() -> None:
    board = FaultBoard()
    for call in CallKind:
        board.switch("wx1", Fault.HANG, on=call)
    board.switch("wx1", Fault.NONE, on=CallKind.TOKEN)
    assert board.shown("wx1") == {CallKind.DATA: Fault.HANG}
    board.switch("wx1", Fault.NONE)
    assert board.shown("wx1") == {}


def test_a_dataset_may_have_a_fault_of_its_own() -> None:
    board = FaultBoard()
    board.switch("wx1", Fault.BUSY)
    board.switch("wx1", Fault.EMPTY, dataset="weekly_trend", times=1)
    assert board.shown("wx1") == {"data": Fault.BUSY, "data weekly_trend": Fault.EMPTY}
    met = [board.take("wx1", CallKind.DATA, name) for name in ("daily_trend", "weekly_trend", "weekly_trend")]
    assert [active and active.fault for active in met] == [Fault.BUSY, Fault.EMPTY, Fault.BUSY]


@pytest.mark.parametrize(("fault", "meets"), [(Fault.MINI_GAME, False), (Fault.FROZEN, True)])
def test_what_wechat_answers_of_tables_leaves_the_count_of_calls(fault: Fault, *, meets: bool) -> None:
    board = FaultBoard()
    board.switch("wx1", fault)
    assert (board.take("wx1", CallKind.DATA, "quota") is not None) == meets
    board.switch("wx1", fault, dataset="quota")
    assert board.take("wx1", CallKind.DATA, "quota") is not None


def test_healing_one_dataset_leaves_the_others() -> None:
    board = FaultBoard()
    board.switch("wx1", Fault.BUSY)
    board.switch("wx1", Fault.PERMISSION, dataset="quota")
    board.switch("wx1", Fault.NONE, dataset="quota")
    assert board.shown("wx1") == {"data": Fault.BUSY}
    board.switch("wx1", Fault.PERMISSION, dataset="quota")
    board.switch("wx1", Fault.NONE)
    assert board.shown("wx1") == {}


def test_a_dataset_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="weekly is no dataset, allowed: daily_trend, weekly_trend, "):
        FaultBoard().switch("wx1", Fault.BUSY, dataset="weekly")


def test_a_given_errcode_replaces_the_usual_one() -> None:
    board = FaultBoard()
    board.switch("wx1", Fault.UNKNOWN_ERRCODE, errcode=61023)
    active = board.take("wx1", CallKind.DATA)
    assert active is not None
    assert active.errcode == 61023


@pytest.mark.parametrize(
    ("fault", "switch", "message"),
    [
        (Fault.NULL_FIGURE, {"on": CallKind.TOKEN}, "null_figure cannot be on the token call, only on: data"),
        (Fault.HANG, {"errcode": 40001}, "hang answers with no errcode, so 40001 cannot be set"),
        (Fault.BUSY, {"times": 0}, "times is 0, allowed: 1 and more"),
        (Fault.EMPTY, {"dataset": "quota"}, "empty changes nothing of quota, only of: rows"),
        (
            Fault.ABOVE_COHORT,
            {"dataset": "weekly_trend"},
            "above_cohort changes nothing of weekly_trend, only of: daily_retention",
        ),
    ],
)
def test_an_impossible_switch_is_refused_with_the_reason(
    fault: Fault, switch: dict[str, object], message: str
) -> None:
    board = FaultBoard()
    with pytest.raises(ValueError, match=f"^{message}$"):
        board.switch("wx1", fault, **switch)  # type: ignore[arg-type]
    assert board.shown("wx1") == {}
