"""The cloud function passes its tests, and the exporter reads its results."""

import json
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from exporter.datasets.catalogue import CATALOGUE
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Point, Row
from exporter.datasets.period import DAY
from exporter.wechat.cloud import read_result
from exporter.wechat.failures.failure import CallError, Reason

FOLDER = Path(__file__).parents[2] / "deploy" / "cloud-function"
PERIOD = DAY.starting(date(2026, 11, 23))
RUN = """
const Module = require('node:module')
const load = Module._load
const call = async () => { %s }
const sdk = { init: () => {}, openapi: { analysis: { getDailyVisitTrend: call } } }
Module._load = (name, ...rest) => (name === 'wx-server-sdk' ? sdk : load(name, ...rest))
const day = { beginDate: '20261123', endDate: '20261123' }
require(process.argv[1]).main(day).then((returned) => console.log(JSON.stringify(returned)))
"""


def returned(node: str, body: str) -> dict[str, object]:
    """Return WeChat's answer to an invocation whose cloud call runs `body`."""
    command = [node, "-e", RUN % body, str(FOLDER / "index.js")]
    text = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return {"errcode": 0, "errmsg": "ok", "resp_data": text}


def test_the_tests_of_the_cloud_function_pass(program: Callable[[str], str]) -> None:
    command = [program("node"), "--test", "test/"]
    ran = subprocess.run(command, cwd=FOLDER, capture_output=True, check=False, text=True)
    assert ran.returncode == 0, ran.stdout


def test_it_asks_for_every_dataset_and_nothing_else() -> None:
    declared = json.loads((FOLDER / "config.json").read_text())["permissions"]["openapi"]
    assert declared == [f"analysis.{dataset.interface}" for dataset in CATALOGUE]


def test_the_exporter_reads_a_row_that_it_returns(program: Callable[[str], str]) -> None:
    figures = {"refDate": "20261123", "sessionCnt": 10, "visitPv": 40, "visitUv": 8, "stayTimeUv": 62.5}
    answer = {"list": [figures], "errMsg": "openapi.analysis.getDailyVisitTrend:ok"}
    row = read_result(DAILY_TREND, PERIOD, returned(program("node"), f"return {json.dumps(answer)}"))
    assert row == Row(PERIOD, (Point((), (10, 40, 8, None, 62.5, None, None)),))


@pytest.mark.parametrize(
    ("thrown", "reason"),
    [
        ("{errCode: -604101, errMsg: 'no permission'}", Reason.PERMISSION),
        ("{errCode: 61503, errMsg: 'data not ready'}", Reason.NOT_READY),
        ("new Error('socket hang up')", Reason.BUSY),
    ],
)
def test_the_exporter_knows_the_errors_that_it_returns(
    program: Callable[[str], str], thrown: str, reason: Reason
) -> None:
    with pytest.raises(CallError) as caught:
        read_result(DAILY_TREND, PERIOD, returned(program("node"), f"throw {thrown}"))
    assert caught.value.failure.reason is reason
