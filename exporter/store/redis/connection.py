"""The connection to Redis, direct or through sentinels, and its failures in words."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from redis import AuthenticationError, CredentialProvider, Redis, RedisError, ResponseError
from redis import ConnectionError as LostError
from redis import TimeoutError as LateError
from redis.backoff import NoBackoff
from redis.exceptions import ClusterCrossSlotError, ClusterDownError, MovedError, NoPermissionError
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError, Sentinel

from exporter.config.secret import Secret
from exporter.config.storage import RedisSettings, StorageSettings
from exporter.store.interface import StoreError, WriteObserver

_CONNECT_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 3.0
_REST_SECONDS: Final = 2.0
"""Seconds after a failure without a call to Redis: dozens of threads would each run into the time limit."""

_CLUSTER: Final = (
    "It is a node of a Redis Cluster, which is not supported: name a Redis without cluster-enabled."
)
_UNREACHABLE: Final = (OSError, LostError, LateError)  # other errors come at once, and concern one command
_ECHO: Final = re.compile(r",? with args beginning with.*| : <redis\.client\..*", re.DOTALL)

Client = Any
"""A `redis.Redis`, whose own types leave open whether answers are bytes, texts or awaitables."""


class Connection:
    """A Redis for all threads; every failure is a StoreError."""

    def __init__(
        self, settings: StorageSettings, observer: WriteObserver, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Prepare the connection without sending anything."""
        if settings.redis is None:
            raise TypeError("not a Redis")
        self.client = _client(settings.redis)
        self._url = settings.url
        self._observer = observer
        self._clock = clock
        self._resting_until = 0.0
        self._trouble = ""

    @contextmanager
    def reading(self) -> Iterator[Client]:
        """Yield the client to read; raise StoreError."""
        with self._explained("read") as client:
            yield client

    @contextmanager
    def writing(self) -> Iterator[Client]:
        """Yield the client to write, then call the observer; raise StoreError."""
        try:
            with self._explained("write") as client:
                yield client
        except StoreError:
            self._observer(False)  # noqa: FBT003 - the observer's one word
            raise
        self._observer(True)  # noqa: FBT003 - likewise

    def refuse_cluster(self) -> None:
        """Raise StoreError for a node of a Redis Cluster, which lacks the other nodes' keys."""
        with self.reading() as client, suppress(ResponseError):  # this user may not call INFO
            if client.info("cluster").get("cluster_enabled"):
                raise StoreError(f"cannot use storage {self._url}: {_CLUSTER}")

    def close(self) -> None:
        """Close all connections."""
        self.client.close()

    @contextmanager
    def _explained(self, doing: str) -> Iterator[Client]:
        if self._clock() < self._resting_until:
            raise StoreError(f"{self._trouble} It has just failed, and is tried again in some seconds.")
        if self._resting_until:
            self._resting_until = self._clock() + _REST_SECONDS  # one thread tries for all
        try:
            yield self.client
        except (OSError, RedisError, ValueError) as error:
            if isinstance(error, _UNREACHABLE):
                self._resting_until = self._clock() + _REST_SECONDS
            self._trouble = f"cannot {doing} storage {self._url}: {_described(error)}. {_advice(error)}"
            raise StoreError(self._trouble) from None
        self._resting_until = 0.0


class _Credentials(CredentialProvider):
    """User and password, read for each connection, so that they can be rotated."""

    def __init__(self, user: str | None, password: Secret) -> None:
        self._user = user
        self._password = password

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """Return the arguments of AUTH."""
        password = self._password.read()
        return (self._user, password) if self._user else (password,)


def _client(server: RedisSettings) -> Client:
    limits: dict[str, Any] = {
        "socket_connect_timeout": _CONNECT_SECONDS,
        "socket_timeout": _ANSWER_SECONDS,
        # a stale connection may be retried, but a late answer is not awaited twice
        "retry": Retry(NoBackoff(), 1, (LostError,)),
        "decode_responses": True,
        "protocol": 2,  # every Redis speaks it; the library's default changes with its version
    }
    tls: dict[str, Any] = {
        "ssl": True,
        "ssl_ca_certs": server.ca_file,
        "ssl_certfile": server.cert_file,
        "ssl_keyfile": server.key_file,
        "ssl_check_hostname": True,
    }
    if not server.tls:
        tls = {}
    auth: dict[str, Any] = (
        {"credential_provider": _Credentials(server.user, server.password)} if server.password else {}
    )
    if server.master is None:
        host, port = server.hosts[0]
        return Redis(host=host, port=port, db=server.database, **limits, **tls, **auth)
    secret = server.sentinel_password
    sentinel_auth = {"credential_provider": _Credentials(None, secret)} if secret else {}
    sentinel: Any = Sentinel(  # type: ignore[no-untyped-call]
        list(server.hosts), sentinel_kwargs={**limits, **tls, **sentinel_auth}, **limits, **tls, **auth
    )
    return sentinel.master_for(server.master, db=server.database)


def _advice(error: Exception) -> str:
    """Return advice on an error."""
    match error:
        case AuthenticationError() | NoPermissionError():
            return "Redis answers: look at storage.password_file, the user in storage.url and its rights."
        case MasterNotFoundError():
            return "Do the sentinels answer, and do they know a master of that name?"
        case MovedError() | ClusterDownError() | ClusterCrossSlotError():
            return _CLUSTER
        case ResponseError():
            return "Redis answers, and refuses: look at its memory (maxmemory), its disk and its role."
        case OSError() | ValueError():
            return "Can storage.password_file, cert_file and key_file be read?"
    return "Is Redis there, with TLS or without as storage.url says, and does the network let us in?"


def _described(error: Exception) -> str:
    """Return an error's text without the words sent: a server without a command repeats its arguments."""
    text = _ECHO.sub("", getattr(error, "strerror", None) or str(error)).rstrip(".")
    return f"{type(error).__name__}: {text}"[:200]
