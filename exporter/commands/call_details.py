"""WeChat's answers to the calls of `check --online --app`, without secrets."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Final

from exporter.wechat.endpoints import Endpoint
from exporter.wechat.failures.failure import Reason
from exporter.wechat.network.transport import Answer
from exporter.wechat.verdict import decode

_SECRET: Final = re.compile(r"token|secret|ticket|auth_code|key$", re.IGNORECASE)
_HIDDEN: Final = "<secret>"
_RID: Final = re.compile(r"\brid: ?([0-9A-Za-z-]+)")
_SHORTEST: Final = 8  # characters; shorter texts are not tokens
_LONGEST: Final = 4000  # characters shown of a body


class CallDetails:
    """Writes a line and the body of the answer as soon as a call is over."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._answer: Answer | None = None
        self._secrets: set[str] = set()

    def answered(self, answer: Answer, secrets: Iterable[str]) -> None:
        """Keep the answer until the call is over; `secrets` are the request's."""
        self._answer = answer
        self._secrets.update(each for each in secrets if len(each) >= _SHORTEST)

    def __call__(self, endpoint: Endpoint, seconds: float, reason: Reason | None) -> None:
        """Write the call that is over: its endpoint, its length in seconds, its result."""
        answer, self._answer = self._answer, None
        words = [f"{endpoint.name}: {seconds:.3f} s", reason or "OK"]
        body = None if answer is None else decode(answer.body)
        if answer is not None:
            words.append(f"HTTP {answer.status}")
        if isinstance(body, dict) and (code := body.get("errcode", body.get("errCode"))):
            words.append(f"errcode {code}")
            if rid := _RID.search(str(body.get("errmsg", body.get("errMsg", "")))):
                words.append(f"rid {rid[1]}")
        self._write(f"  {', '.join(words)}\n")
        if answer is not None:
            self._write(f"    {self._shown(answer, body)}\n")

    def _shown(self, answer: Answer, body: object) -> str:
        """Return the body on one line, with tokens hidden."""
        if body is None:
            text = answer.body.decode("utf-8", "replace")
        else:
            text = json.dumps(self._blotted(body), ensure_ascii=False)
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        text = "".join(each if each.isprintable() else " " for each in text)
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} … ({len(text)} characters)"

    def _blotted(self, value: object, name: str = "") -> object:
        if isinstance(value, dict):
            return {key: self._blotted(each, key) for key, each in value.items()}
        if isinstance(value, list):
            return [self._blotted(each, name) for each in value]
        if isinstance(value, str) and _SECRET.search(name):
            if len(value) >= _SHORTEST:
                self._secrets.add(value)
            return _HIDDEN
        return value
