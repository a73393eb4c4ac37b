"""A store that may be away for a while: whatever is asked of it is asked again for some minutes."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

from mtdepth.store_url import StoreUrl

if TYPE_CHECKING:
    from pyarrow import fs

PATIENCE_S = 600.0
"""For so long is an answer waited for."""
CONNECT_S, SILENCE_S = 5.0, 20.0
"""After so long is one attempt given up: at connecting, and where nothing comes any more."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 10.0
"""Between two attempts."""
LOOK_S = 3.0
"""After so long without an answer a look is worth a request."""
CHUNK_BYTES = 16 * 2**20
"""Of a file at a time; each takes a request."""
_KEYS = (
    "these keys may not do that there; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or this "
    "machine's role, to who may list, read, write and delete"
)
_REFUSALS = {
    "NO_SUCH_BUCKET": "there is no bucket {bucket}; make it, or name another",
    "ACCESS_DENIED": _KEYS,
    "INVALID_ACCESS_KEY_ID": _KEYS,
    "INVALID_CLIENT_TOKEN_ID": _KEYS,
    "SIGNATURE_DOES_NOT_MATCH": _KEYS,
    "HTTP status 403": _KEYS,
}
"""What waiting does not mend, and what does, by what pyarrow says of an error."""
_T = TypeVar("_T")


class StoreAway(ValueError):
    """A store has not answered for as long as one waits for it, or refuses to serve."""


class Store:
    """What lies at a URL and below it.

    It travels to other machines as its URL: each of them takes keys, region and endpoint from its
    own environment, so that no secret is ever written or sent.

    Args:
        url: where it is.
        patience_s: for how long an answer is waited for.
        say: hears, in a line, when it goes away and when it is back.
    """

    def __init__(
        self,
        url: StoreUrl,
        patience_s: float | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.url, self._say = url, say or _tell
        self.patience_s = PATIENCE_S if patience_s is None else patience_s
        self.files = _connect(url)
        self._is_away, self._is_given_up = False, False
        self._answered = time.monotonic()

    def __reduce__(self) -> tuple[type[Store], tuple[StoreUrl, float]]:
        return Store, (self.url, self.patience_s)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Store) and self.url == other.url

    def __hash__(self) -> int:
        return hash(self.url)

    def patiently(self, do: Callable[[], _T]) -> _T:
        """What comes of asking, however often.

        Where it was given up once, it is asked but once from then on, until it answers.

        Raises:
            StoreAway: it has not answered for too long, or refuses.
            OSError: of a file, such as one that is missing, or of this machine's disk.
        """
        wait_s, deadline = FIRST_WAIT_S, time.monotonic() + self.patience_s
        while True:
            try:
                found = do()
            except OSError as error:
                if error.errno is not None:  # errors of a store have no number
                    raise
                if refusal := self._refusal(error):
                    raise StoreAway(f"{self.url}: {refusal} ({_reason(error)})") from error
                if self._is_given_up or time.monotonic() > deadline:
                    self._is_given_up = True
                    silence = f"the store has not answered for {_in_words(self.patience_s)}"
                    raise StoreAway(f"{self.url}: {silence} ({_reason(error)})") from error
                self._tell_away(error)
                time.sleep(wait_s)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
            else:
                self._tell_back()
                return found

    def read(self, path: str) -> bytes:
        """A small file."""

        def once() -> bytes:
            with self.files.open_input_stream(path) as source:
                return bytes(source.read())

        return self.patiently(once)

    def download(self, path: str, target: IO[bytes]) -> None:
        """A file, to a new one; after an interruption it goes on where it was."""

        def go_on() -> None:
            with self.files.open_input_file(path) as source:
                source.seek(target.tell())
                while chunk := source.read(CHUNK_BYTES):
                    target.write(chunk)

        self.patiently(go_on)

    def upload(self, source: IO[bytes], path: str) -> None:
        """A file from its start; it is there whole or not at all."""

        def once() -> None:
            source.seek(0)
            with self.files.open_output_stream(path) as target:
                shutil.copyfileobj(source, target, CHUNK_BYTES)

        self.patiently(once)

    def look(self) -> None:
        """Sees that it still answers, if it has not been asked just now.

        Who tells a person of a store does so even while only others wait for it.

        Raises:
            StoreAway: it has not answered for too long, or refuses.
        """
        if time.monotonic() - self._answered > LOOK_S:
            self.patiently(lambda: self.files.get_file_info(self.url.path))

    def check(self) -> None:
        """Sees that files can be written and deleted there.

        Raises:
            ValueError: one line about why not, and what to do.
        """
        path = f"{self.url.path}/.check-{uuid4().hex}"
        try:
            with self.files.open_output_stream(path) as target:
                target.write(b"may be deleted")
            self.files.delete_file(path)
        except OSError as error:
            why = self._refusal(error) or (
                f"nothing answers at {_where()}; see that it runs, and that AWS_ENDPOINT_URL_S3 "
                "and AWS_REGION name it"
            )
            raise ValueError(
                f"expected a store to write to at {self.url}, found: {why} ({_reason(error)})"
            ) from None

    def _refusal(self, error: OSError) -> str | None:
        known = [advice for name, advice in _REFUSALS.items() if name in str(error)]
        return known[0].format(bucket=self.url.bucket) if known else None

    def _tell_away(self, error: OSError) -> None:
        if not self._is_away:
            self._is_away = True
            self._say(
                f"{self.url}: the store does not answer ({_reason(error)}); trying again for "
                f"{_in_words(self.patience_s)}."
            )

    def _tell_back(self) -> None:
        if self._is_away:
            self._say(f"{self.url}: the store answers again.")
        self._is_away = self._is_given_up = False
        self._answered = time.monotonic()


def _connect(url: StoreUrl) -> fs.FileSystem:
    """By the environment alone."""
    from pyarrow import fs

    if url.scheme == "file":
        return fs.LocalFileSystem()
    told: dict[str, Any] = {}
    endpoint = _endpoint()
    if endpoint is not None:
        at = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
        told = {"scheme": at.scheme, "endpoint_override": at.netloc.rpartition("@")[2]}
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region or endpoint:
        told["region"] = region or "us-east-1"
    return fs.S3FileSystem(
        connect_timeout=CONNECT_S,
        request_timeout=SILENCE_S,
        allow_delayed_open=True,  # a small file is one request
        **told,
    )


def _endpoint() -> str | None:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None


def _where() -> str:
    endpoint = _endpoint()
    return "Amazon's endpoint" if endpoint is None else urlsplit(endpoint).netloc.rpartition("@")[2]


def _reason(error: OSError) -> str:
    """Why, in a line."""
    text = " ".join(str(error).split())
    return text[max(0, text.find("AWS Error")) :][:200]


def _in_words(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:g} seconds"


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
