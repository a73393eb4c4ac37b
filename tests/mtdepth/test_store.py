"""A store is asked again while it is away, and told of in one line where it can't be used."""

from __future__ import annotations

import http.server
import io
import pickle
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtdepth.store import Store, StoreAway
from mtdepth.store_url import StoreUrl
from tests.stores import BUCKET, KEYS, TestStore, running_store

CONTENT = bytes(range(256)) * 20_000


@pytest.fixture(scope="module")
def behind() -> Iterator[TestStore]:
    with running_store() as store:
        yield store


@pytest.fixture
def environment(behind: TestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in behind.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def store(environment: None) -> Store:
    return Store(StoreUrl(f"s3://{BUCKET}/here"), patience_s=60)


@pytest.mark.parametrize(
    "text",
    [
        "s3://studies", "s3://studies/a/b.c_d=e+f@g", "file:///mnt/packs/kitti",
    ],
)  # fmt: skip
def test_urls_that_are_one(text: str) -> None:
    url = StoreUrl(text + "/")
    assert str(url) == text
    assert f"{url.scheme}://{url.path}" == text
    assert pickle.loads(pickle.dumps(url)).path == url.path


@pytest.mark.parametrize(
    "text",
    [
        "studies/a", "/a", "s3:/studies", "s3://", "s3://a", "s3://Studies/a", "s3://studies//a",
        "s3://studies/../a", "s3://studies/a/./b", "s3://studies/a b", "s3://studies/a?x=1",
        "s3://studies:9000/a", "s3://studies/$(id)", "file://a", "file:///", "file:///a/..",
        "http://studies/a", "s3://studies/a\n", "",
    ],
)  # fmt: skip
def test_and_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected s3://BUCKET/PATH or file:///PATH"):
        StoreUrl(text)


def test_a_password_in_a_url_is_not_shown() -> None:
    with pytest.raises(ValueError, match="expected s3") as caught:
        StoreUrl("s3://me:canary@studies/a")
    assert "canary" not in str(caught.value)


def test_files_go_there_and_come_back(store: Store) -> None:
    store.upload(io.BytesIO(CONTENT), f"{store.url.path}/file")
    back = io.BytesIO()
    store.download(f"{store.url.path}/file", back)
    assert back.getvalue() == CONTENT == store.read(f"{store.url.path}/file")
    with pytest.raises(FileNotFoundError):
        store.read(f"{store.url.path}/none")


def test_it_is_asked_again_until_it_is_back(behind: TestStore, environment: None) -> None:
    said: list[str] = []
    store = Store(StoreUrl(f"s3://{BUCKET}/here"), patience_s=60, say=said.append)
    with behind.door.shut():
        working = [
            threading.Thread(target=store.upload, args=(io.BytesIO(CONTENT), f"{BUCKET}/{i}"))
            for i in range(2)
        ]
        for one in working:
            one.start()
        time.sleep(3)
    for one in working:
        one.join()
    assert [store.read(f"{BUCKET}/{i}") for i in range(2)] == [CONTENT] * 2
    assert "does not answer" in said[0]
    assert said[-1].endswith("the store answers again.")


def test_who_looks_hears_of_it_while_others_wait(
    behind: TestStore, environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    store = Store(StoreUrl(f"s3://{BUCKET}/here"), patience_s=60, say=said.append)
    num = len(behind.door.asked)
    store.look()
    assert len(behind.door.asked) == num, "it was made just now"
    monkeypatch.setattr("mtdepth.store.LOOK_S", 0.0)
    store.look()
    assert len(behind.door.asked) > num
    assert said == []
    with behind.door.shut():
        threading.Timer(3, behind.door.open).start()
        store.look()
    assert ["does not answer" in said[0], "answers again" in said[1]] == [True, True]


def test_a_download_goes_on_where_it_was_cut_off(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mtdepth.store.CHUNK_BYTES", 2**20)
    store.upload(io.BytesIO(CONTENT), f"{BUCKET}/long")

    class Cut(io.BytesIO):
        is_cut = False

        def write(self, chunk: object) -> int:
            if self.tell() and not self.is_cut:
                self.is_cut = True
                raise OSError("AWS Error NETWORK_CONNECTION")
            return super().write(chunk)  # type: ignore[arg-type]

    back = Cut()
    store.download(f"{BUCKET}/long", back)
    assert back.is_cut
    assert back.getvalue() == CONTENT


def test_errors_of_this_machines_disk_are_not_waited_for(store: Store) -> None:
    store.upload(io.BytesIO(CONTENT), f"{BUCKET}/file")
    start = time.monotonic()
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(OSError, match="space"):
        store.download(f"{BUCKET}/file", full)
    assert time.monotonic() - start < 20


def test_patience_ends(behind: TestStore, environment: None) -> None:
    store = Store(StoreUrl(f"s3://{BUCKET}/here"), patience_s=1)
    with behind.door.shut():
        with pytest.raises(StoreAway, match="has not answered for 1 seconds") as caught:
            store.read(f"{BUCKET}/none")
        assert "\n" not in str(caught.value)
        start = time.monotonic()
        with pytest.raises(StoreAway):
            store.read(f"{BUCKET}/none")
        assert time.monotonic() - start < 10, "it is asked but once where it was given up"
    with pytest.raises(FileNotFoundError):
        store.read(f"{BUCKET}/none")


def test_what_travels_has_no_secret(store: Store) -> None:
    written = pickle.dumps(store)
    assert not [key for key in KEYS.values() if key.encode() in written]
    assert pickle.loads(written).read


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A store that serves nobody."""

    class Refusing(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        for name, value in KEYS.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.server_port}")
        yield
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("forbidden")
def test_a_refusal_is_not_waited_for() -> None:
    store = Store(StoreUrl(f"s3://{BUCKET}/a"))
    for do in (
        lambda: store.read(f"{BUCKET}/a"),
        lambda: store.upload(io.BytesIO(b"x"), f"{BUCKET}/a"),
    ):
        with pytest.raises(StoreAway, match="these keys may not do that there; set AWS_ACCESS"):
            do()
    with pytest.raises(ValueError, match="found: these keys may not do that there"):
        store.check()


def test_a_check_leaves_nothing(behind: TestStore, environment: None) -> None:
    before = behind.files()
    Store(StoreUrl(f"s3://{BUCKET}/other/prefix")).check()
    assert behind.files() == before


@pytest.mark.parametrize(
    ("url", "changes", "advice"),
    [
        ("s3://missing/a", {}, "there is no bucket missing; make it"),
        (
            f"s3://{BUCKET}/a",
            {"AWS_ENDPOINT_URL_S3": "http://me:canary@127.0.0.1:9"},
            "nothing answers at 127.0.0.1:9; see that it runs, and that AWS_ENDPOINT_URL_S3",
        ),
    ],
)
def test_a_check_says_what_to_do(
    environment: None,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    changes: dict[str, str],
    advice: str,
) -> None:
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match="expected a store to write to at") as caught:
        Store(StoreUrl(url)).check()
    assert advice in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "canary" not in str(caught.value)
