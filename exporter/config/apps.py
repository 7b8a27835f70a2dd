"""One mini program of the configuration."""

from dataclasses import dataclass
from typing import Annotated, Final

from exporter.config.datasets import DATASET_NAMES
from exporter.config.lists import PairsRule
from exporter.config.problems import Pairs
from exporter.config.secret import Secret
from exporter.config.sections import Key, Section
from exporter.config.text_rules import APP_NAME, APPID, LABEL_NAME, TEXT
from exporter.config.token_types import APP_SECRET, TOKENS, HttpToken, StableToken, TokenSettings


@dataclass(frozen=True, slots=True)
class App:
    """One mini program; `labels` are sorted by name and go to the info metric.

    `datasets` names those of `Config.datasets` that the app has; None means all.
    """

    appid: str
    name: str
    labels: Pairs
    token: TokenSettings
    datasets: tuple[str, ...] | None = None

    def has(self, dataset: str) -> bool:
        """Return whether the app has a dataset that is switched on."""
        return self.datasets is None or dataset in self.datasets


def _app(
    appid: Annotated[str, Key(APPID, "The mini program's appid; it becomes the label appid.")],
    secret: Annotated[Secret | None, APP_SECRET] = None,
    name: Annotated[
        str | None, Key(APP_NAME, "A name for people; it becomes the label name. Without it: the appid.")
    ] = None,
    labels: Annotated[Pairs, Key(PairsRule(LABEL_NAME, TEXT), "More labels, for the info metric.")] = (),
    token: Annotated[
        TokenSettings | None,
        Key(TOKENS, "How to get the token, if not from a secret as the default way does."),
    ] = None,
    datasets: Annotated[
        tuple[str, ...] | None,
        Key(DATASET_NAMES, "Only these of the section datasets, [] for none. Without it: all of them."),
    ] = None,
) -> App:
    if isinstance(token, HttpToken):
        token = token.of(appid)
    chosen = StableToken(secret) if secret is not None else token
    if chosen is None:
        raise TypeError("an app has a secret or a token")
    return App(appid, name or appid, labels, chosen, datasets and tuple(dict.fromkeys(datasets)))


APP: Final = Section(_app, one_of=("secret", "secret_file", "token"))
