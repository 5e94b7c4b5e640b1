"""Downloads against a server on this machine that misbehaves in every way a real one does."""

import contextlib
import gzip
import hashlib
import http.server
import multiprocessing
import os
import re
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tinycnn.data import MNIST, DatasetNotFound, files
from tinycnn.data import download as module
from tinycnn.data.download import download
from tinycnn.data.files import cache_folder, search_folders

CONTENT = np.random.default_rng(0).integers(0, 256, 300_000, np.uint8).tobytes()
MD5 = "md5:" + hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
NAME = "digits.gz"


class Server(http.server.ThreadingHTTPServer):
    """Serves `files`; `behave` is a list of what to do to the next requests, then all goes well."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {NAME: CONTENT}
        self.behave = []
        self.ranges = []  # the Range header of every request
        self.released = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        server.ranges.append(self.headers.get("Range"))
        what = server.behave.pop(0) if server.behave else "serve"
        content = server.files.get(self.path[1:])
        if what in (404, 503) or content is None:
            self.send_error(what if isinstance(what, int) else 404)
            return
        if what == "hang":
            server.released.wait(30)
            return
        start = 0
        if (asked := self.headers.get("Range")) and what != "no ranges":
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.end_headers()
                return
            self.send_response(206)
            first = 0 if what == "other part" else start
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        body = content[start:]
        if what != "no length":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if what in ("cut off", "stall"):
            body = body[: len(body) // 2]
        elif what == "changed":
            body = b"?" * len(body)
        self.wfile.write(body)
        if what == "stall":
            self.wfile.flush()
            server.released.wait(30)


@contextlib.contextmanager
def serving():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server():
    with serving() as one:
        yield one


@pytest.fixture
def other():
    with serving() as one:
        yield one


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def closed_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/"


def leftovers(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != NAME)


@pytest.mark.parametrize(
    ("behave", "requests"),
    [
        ([], [None]),
        (["no length"], [None]),
        (["cut off"], [None, "bytes=150000-"]),
        (["cut off", "cut off", "cut off"],
         [None, "bytes=150000-", "bytes=225000-", "bytes=262500-"]),
        (["cut off", "no ranges"], [None, "bytes=150000-"]),
    ],
    ids=str,
)
def test_the_file_arrives_whole(server, tmp_path, behave, requests):
    server.behave = [*behave]
    path = download(NAME, [server.url], tmp_path / "new" / "folder", MD5)
    assert path == tmp_path / "new" / "folder" / NAME
    assert path.read_bytes() == CONTENT
    assert server.ranges == requests
    assert leftovers(path.parent) == []


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        ([404], "HTTP 404"),
        ([503], "HTTP 503"),
        (["changed"], "sent a file with md5:.*, expected md5:"),
        (["hang"], "timed out"),
        (["cut off", "other part"], "another part of the file"),
        (["cut off", 503], "HTTP 503"),
        (["cut off"] * 5, "connection ended after"),
    ],
    ids=str,
)
def test_the_next_mirror_is_asked_when_one_fails(server, other, tmp_path, behave, reason):
    server.behave = [*behave]
    path = download(NAME, [closed_port(), server.url, other.url], tmp_path, MD5, timeout=0.5)
    assert path.read_bytes() == CONTENT
    assert leftovers(tmp_path) == []
    server.behave = [*behave]
    server.ranges.clear()
    (tmp_path / NAME).unlink()
    with pytest.raises(DatasetNotFound, match=reason):
        download(NAME, [server.url], tmp_path, MD5, timeout=0.5)
    assert not (tmp_path / NAME).exists()


def test_every_mirror_is_named_with_its_reason(server, other, tmp_path):
    server.behave, other.behave = [404], ["changed"]
    closed = closed_port()
    with pytest.raises(DatasetNotFound) as caught:
        download(NAME, [server.url, closed, other.url], tmp_path, MD5)
    reasons = str(caught.value).split("; ")
    assert len(reasons) == 3
    assert reasons[0] == f"{server.url}{NAME}: HTTP 404 Not Found"
    assert reasons[1].startswith(f"{closed}{NAME}: ")
    assert reasons[2].startswith(f"{other.url}{NAME}: sent a file with md5:")
    assert reasons[2].endswith(MD5)
    assert leftovers(tmp_path) == []


def test_what_a_server_sent_before_it_fell_silent_is_kept(server, other, tmp_path):
    server.behave = ["stall", "hang"]
    start = time.monotonic()
    path = download(NAME, [server.url, other.url], tmp_path, MD5, timeout=0.5)
    assert time.monotonic() - start < 5
    assert path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=150000-"]
    assert other.ranges == ["bytes=150000-"]


def test_without_a_network_the_answer_takes_one_timeout(tmp_path, monkeypatch):
    released = threading.Event()

    def nothing_answers(address, timeout):
        released.wait(30)  # as a name resolver that has no server to ask
        raise OSError("too late to matter")

    monkeypatch.setattr(module.socket, "create_connection", nothing_answers)
    mirrors = [f"https://mirror{i}.invalid/" for i in range(4)]
    start = time.monotonic()
    with pytest.raises(DatasetNotFound) as caught:
        download(NAME, mirrors, tmp_path, MD5, timeout=0.4)
    assert time.monotonic() - start < 2
    released.set()
    assert str(caught.value).count("no connection within 0.4 s") == 4


def test_an_interrupted_download_goes_on_where_it_stopped(server, tmp_path):
    (tmp_path / f"{NAME}.partial").write_bytes(CONTENT[:123_456])
    assert download(NAME, [server.url], tmp_path, MD5).read_bytes() == CONTENT
    assert server.ranges == ["bytes=123456-"]
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("part", "requests"),
    [
        (CONTENT, ["bytes=300000-"]),  # all was there, only the renaming was missing
        (CONTENT + b"more", ["bytes=300004-", None]),
        (b"?" * 1000, ["bytes=1000-", None]),  # of another file: afresh
        (b"?" * 300_000, ["bytes=300000-", None]),
        (b"", [None]),
    ],
    ids=["whole", "too long", "another file", "another whole file", "empty"],
)
def test_what_was_left_over_is_never_trusted(server, tmp_path, part, requests):
    (tmp_path / f"{NAME}.partial").write_bytes(part)
    assert download(NAME, [server.url], tmp_path, MD5).read_bytes() == CONTENT
    assert server.ranges == requests
    assert leftovers(tmp_path) == []


def test_ctrl_c_keeps_the_part_for_the_next_time(server, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", 10_000)
    copied = []

    class Interrupted:
        def __init__(self, answer):
            self.answer = answer

        def read1(self, n):
            copied.append(n)
            if len(copied) == 4:
                raise KeyboardInterrupt
            return self.answer.read(n)

    copy = module._copy
    monkeypatch.setattr(module, "_copy", lambda answer, *rest: copy(Interrupted(answer), *rest))
    with pytest.raises(KeyboardInterrupt):
        download(NAME, [server.url], tmp_path, MD5)
    assert leftovers(tmp_path) == [f"{NAME}.partial"]
    monkeypatch.setattr(module, "_copy", copy)
    assert download(NAME, [server.url], tmp_path, MD5).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=30000-"]


def test_the_part_of_a_killed_process_is_taken_over_when_nobody_writes_it(server, tmp_path):
    orphan = tmp_path / f"{NAME}.999-1.partial"
    orphan.write_bytes(CONTENT[:1000])
    download(NAME, [server.url], tmp_path, MD5)
    assert server.ranges == [None]  # it may still be written
    assert leftovers(tmp_path) == [orphan.name]
    (tmp_path / NAME).unlink()
    os.utime(orphan, (time.time() - 3600,) * 2)
    assert download(NAME, [server.url], tmp_path, MD5).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=1000-"]
    assert leftovers(tmp_path) == []


def fetch_in_process(url, folder):
    download(NAME, [url], Path(folder), MD5)


def test_processes_and_threads_do_not_spoil_each_other(server, tmp_path):
    server.behave = ["cut off"] * 3
    context = multiprocessing.get_context("spawn")
    crowd = [context.Process(target=fetch_in_process, args=(server.url, str(tmp_path)))
             for _ in range(2)]
    crowd += [threading.Thread(target=fetch_in_process, args=(server.url, str(tmp_path)))
              for _ in range(4)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(60)
    assert [p.exitcode for p in crowd[:2]] == [0, 0]
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert leftovers(tmp_path) == []


def test_without_a_checksum_what_comes_is_taken(server, tmp_path):
    assert download(NAME, [server.url], tmp_path).read_bytes() == CONTENT


def test_a_file_in_the_place_of_the_folder(server, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DatasetNotFound, match=r"cannot write to .*file: "):
        download(NAME, [server.url], tmp_path / "file", MD5)


@pytest.mark.parametrize("mirrors", [[], ["nonsense://x/"], ["http://[bad/"]])
def test_useless_mirrors(tmp_path, mirrors):
    with pytest.raises(DatasetNotFound):
        download(NAME, mirrors, tmp_path, MD5)


# --- folders


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x/cache"}, "/x/cache/tinycnn"),
        ("linux", {}, "~/.cache/tinycnn"),
        ("darwin", {}, "~/Library/Caches/tinycnn"),
        ("win32", {"LOCALAPPDATA": "/x/local"}, "/x/local/tinycnn/Cache"),
        ("win32", {}, "~/AppData/Local/tinycnn/Cache"),
    ],
)
def test_cache_folder(monkeypatch, platform, variables, expected):
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(files.sys, "platform", platform)
    assert cache_folder() == Path(expected.replace("~", str(Path.home())))


def test_search_folders_in_order_and_once(monkeypatch, tmp_path):
    monkeypatch.setenv("TINYCNN_DATA", "~/data")
    cache = cache_folder()
    home = Path.home() / "data"
    assert search_folders(tmp_path) == [tmp_path, home, cache]
    assert search_folders("~/data") == [home, cache]
    monkeypatch.delenv("TINYCNN_DATA")
    assert search_folders(None) == [cache]


# --- from the data set


def idx_files():
    def idx(array):
        sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
        return gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes(), mtime=0)

    return {"train-images-idx3-ubyte.gz": idx(np.zeros((2, 28, 28), np.uint8)),
            "train-labels-idx1-ubyte.gz": idx(np.array([7, 2], np.uint8))}


@pytest.fixture
def fake(server, tmp_path, monkeypatch):
    """A data set like MNIST whose mirror is the local server, and whose cache is empty."""
    server.files = idx_files()
    monkeypatch.delenv("TINYCNN_DATA", raising=False)
    monkeypatch.setattr(files, "cache_folder", lambda: tmp_path / "cache")

    class Fake(MNIST):
        mirrors = (server.url,)
        checksums = {name: "md5:" + hashlib.md5(content, usedforsecurity=False).hexdigest()
                     for name, content in server.files.items()}

    return Fake


@pytest.mark.parametrize("root", ["given", None])
def test_a_data_set_is_downloaded_once(fake, server, tmp_path, root):
    root = root and tmp_path / root
    assert fake(root).targets.tolist() == [7, 2]
    assert len(server.ranges) == 2
    home = (root or tmp_path / "cache") / "mnist"
    assert sorted(path.name for path in home.iterdir()) == sorted(idx_files())
    assert fake(root, download=False).targets.tolist() == [7, 2]
    assert len(server.ranges) == 2


def test_one_error_tells_the_whole_story(fake, server, tmp_path):
    server.behave = [404]
    with pytest.raises(DatasetNotFound) as caught:
        fake(tmp_path / "given")
    story = str(caught.value)
    for part in ("Fake: train-images-idx3-ubyte.gz is in none of the folders", "given", "cache",
                 f"{server.url}train-images-idx3-ubyte.gz: HTTP 404 Not Found", "Check the network",
                 "put the file into one of these folders", "TINYCNN_DATA", "SyntheticDigits"):
        assert part in story
    assert caught.value.__cause__ is None


def test_a_damaged_file_is_an_error_not_a_reason_to_use_it_or_hide_it(fake, server, tmp_path):
    fake(tmp_path)
    path = tmp_path / "mnist" / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match=r"train-labels.*expected a file with md5:"):
        fake(tmp_path)
    path.unlink()
    assert fake(tmp_path).targets.tolist() == [7, 2]
