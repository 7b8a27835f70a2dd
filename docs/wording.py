"""Texts that only the docs need: when health metrics are absent; reasons and actions in whole sentences."""

from collections.abc import Mapping
from typing import Final

from exporter.exposition import app_families
from exporter.exposition.family import Family
from exporter.wechat.failures.failure import Action, Reason

HEALTH: Final[Mapping[Family, tuple[str, str]]] = {
    app_families.UP: ("appid, name", "until the first call for the app since the start"),
    app_families.LAST_REFRESH: ("appid, name", "until the first call for the app since the start"),
    app_families.LAST_SUCCESS: ("appid, name", "until a row has come, from WeChat or from the storage"),
    app_families.TOKEN_EXPIRY: (
        "appid, name",
        "while the exporter has no token, or does not know its end (`file`)",
    ),
    app_families.INFO: ("appid, name, your `labels`", "never"),
    app_families.ERROR_INFO: ("appid, name, reason, errcode", "while the app's last refresh did not fail"),
    app_families.DATASET_UP: (
        "appid, name, dataset",
        "until the first call for the dataset, or a row from the storage",
    ),
    app_families.DATASET_REF_DATE: ("appid, name, dataset", "while the exporter has no row of the dataset"),
    app_families.DATASET_LAST_SUCCESS: (
        "appid, name, dataset",
        "until a row of the dataset has come, from WeChat or from the storage",
    ),
    app_families.DATASET_ERROR_INFO: (
        "appid, name, dataset, reason, errcode",
        "while the dataset does not fail",
    ),
}
"""The families that show health, not figures: their labels, and when an app has no series of them."""

REASONS: Final[Mapping[Reason, str]] = {
    Reason.NETWORK: "No connection, or a broken one: DNS, firewall, proxy, TLS.",
    Reason.TIMEOUT: "The whole answer did not arrive within `wechat.timeout`.",
    Reason.HTTP_STATUS: "An answer without WeChat's errcode and with an HTTP status other than 2xx. "
    "After 5xx, 408, 425 and 429 the exporter retries, after others it waits for the next round.",
    Reason.MALFORMED: "An answer, or a row in it, that the exporter cannot trust and does not use; the last "
    "good row stays. After a bad row the exporter waits for the next round, after another bad answer it "
    "retries.",
    Reason.BUSY: "WeChat is busy.",
    Reason.NOT_READY: "WeChat has not computed this date yet. A state, not a failure.",
    Reason.EMPTY: "WeChat answered without a row for this date. A state, not a failure.",
    Reason.QUOTA_DAILY: "The account's calls of the day (or month) are spent.",
    Reason.QUOTA_MINUTE: "Too many calls within a minute.",
    Reason.TOKEN_REJECTED: "WeChat refused the access token, or the file or service that holds it gave none.",
    Reason.INVALID_APPID: "The appid is wrong, or not one of a mini program.",
    Reason.INVALID_SECRET: "The AppSecret is wrong, frozen, or its file cannot be read.",
    Reason.IP_NOT_ALLOWED: "WeChat does not accept calls from the exporter's IP.",
    Reason.PERMISSION: "The account or the token may not use this interface.",
    Reason.ACCOUNT: "The account itself is limited, or of a kind that has no such figures (mini game).",
    Reason.THIRD_PARTY_TICKET: "A third-party platform's component_verify_ticket is old or wrong.",
    Reason.THIRD_PARTY_REFRESH_TOKEN: "A third-party platform's refresh token or code is no longer good.",
    Reason.DATE_RANGE: "WeChat refused the date.",
    Reason.UNKNOWN_ERRCODE: "WeChat answered with a code that this version does not know.",
    Reason.INTERNAL: "A fault of the exporter itself.",
}

ACTIONS: Final[Mapping[Action, tuple[str, str]]] = {
    Action.RETRY: (
        "retries",
        "Asks again in the same round after 1 to 2 s, then after 2 to 3 s more; then half a minute later.",
    ),
    Action.RETRY_NEXT_MINUTE: (
        "retries after a minute",
        "Asks again in the same round a minute later, twice at most; then later and later.",
    ),
    Action.RENEW_TOKEN: (
        "renews the token once",
        (
            "Drops that token, gets another and asks once more. If that is refused too, leaves the app alone "
            "for 10 s, twice as long each further time, up to an hour."
        ),
    ),
    Action.NEXT_ROUND: (
        "next round",
        "Asks again in the next round; sooner where the failure is no answer of WeChat's: see below.",
    ),
    Action.NEXT_DAY: (
        "next day",
        (
            "Does not ask for this dataset of the app until the next midnight in Beijing (and up to ten "
            "minutes more)."
        ),
    ),
    Action.NEXT_MONTH: (
        "next month",
        (
            "Does not ask for this dataset of the app until the next month begins in Beijing (and up to ten "
            "minutes more)."
        ),
    ),
    Action.SUSPEND: (
        "pauses the app",
        (
            "Does not ask for this app for an hour, twice as long after each further refusal, up to a day; "
            "at once after a reload, and once its credential has changed."
        ),
    ),
    Action.SUSPEND_DAY: ("pauses the app for a day", "Does not ask for this app for a day."),
}
"""What the exporter does after a failure: in two or three words for tables, and in whole sentences."""

PAUSES_DATASET: Final = (
    "pauses the dataset",
    "As *pauses the app*, but for this dataset of the app alone. The daily trend is a dataset too.",
)
"""The action `Action.SUSPEND` where WeChat refuses one dataset, and the app's others go on."""
