"""Files from mirrors on the network.

A download goes to a temporary file of its own, is verified, and is then renamed: a file under its
final name is whole, however many processes want it at once. What an interrupted download has
brought is kept as `<name>.partial`, and the next one goes on from there.
"""

import contextlib
import http.client
import os
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from .files import DatasetNotFound, digest

TIMEOUT = 4.0  # seconds to connect, and of silence during a transfer
_ATTEMPTS = 5  # on one mirror, each of which must bring something
_ABANDONED = 60.0  # seconds without a write, then a temporary file belongs to nobody
_CHUNK = 1 << 16


def download(
    name: str,
    mirrors: Sequence[str],
    folder: Path,
    checksum: str | None = None,
    timeout: float = TIMEOUT,
) -> Path:
    """Fetch a file from the first mirror that has it whole.

    Args:    name (str): the file's name, appended to each mirror's address.
             mirrors (sequence of str): addresses that end in "/", tried in this order.
             folder (Path): where the file goes; made if need be.
             checksum (str): as in `read_verified`.
             timeout (float): seconds to connect, and of silence during the transfer.
    Returns: Path of the whole, verified file.
    Raises:  DatasetNotFound: if no mirror served it; says of each why.
    """
    target, reasons = folder / name, []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _partial_file(target) as part:
            silent = _unreachable(mirrors, timeout)
            for mirror in mirrors:
                reason = silent.get(mirror) or _try(mirror + name, part, checksum, timeout)
                if reason is None:
                    _finish(part, target)
                    return target
                reasons.append(f"{mirror}{name}: {reason}")
    except OSError as error:
        reasons.append(f"cannot write to {folder}: {_text(error)}")
    raise DatasetNotFound("; ".join(reasons) or "there is no mirror of it")


def _finish(part, target):
    try:
        os.replace(part, target)
    except PermissionError:  # Windows: another process has finished first and reads the file
        if not target.exists():
            raise


@contextlib.contextmanager
def _partial_file(target: Path) -> Iterator[Path]:
    """A temporary file that is this thread's alone; it starts as what an earlier try has left.

    Renaming is atomic, so among several processes one takes over the leftover.
    """
    own = target.with_name(f"{target.name}.{os.getpid()}-{threading.get_ident()}.partial")
    kept = target.with_name(f"{target.name}.partial")
    for old in [kept, *target.parent.glob(f"{target.name}.*-*.partial")]:
        with contextlib.suppress(OSError):
            if old == kept or time.time() - old.stat().st_mtime > _ABANDONED:
                os.replace(old, own)
                break
    try:
        yield own
    finally:
        with contextlib.suppress(OSError):
            if own.stat().st_size:
                os.replace(own, kept)
            else:
                own.unlink()


def _unreachable(mirrors, timeout):
    """{mirror: reason} of the hosts that accept no connection, "" for those that do.

    All are asked at once and on threads: without a network the answer takes one time-out, even if
    the name resolver hangs.
    """
    reasons: dict[str, str] = {}

    def ask(mirror, host, port):
        try:
            socket.create_connection((host, port), timeout).close()
            reasons[mirror] = ""
        except OSError as error:
            reasons[mirror] = _text(error)

    threads = []
    for mirror in mirrors:
        try:
            url = urllib.parse.urlsplit(mirror)
            port = url.port or (443 if url.scheme == "https" else 80)
        except ValueError as error:
            reasons[mirror] = str(error)
            continue
        by_proxy = url.scheme in urllib.request.getproxies()
        if url.hostname is None or (by_proxy and not urllib.request.proxy_bypass(url.hostname)):
            continue
        reasons[mirror] = f"no connection within {timeout:g} s"
        thread = threading.Thread(target=ask, args=(mirror, url.hostname, port), daemon=True)
        thread.start()
        threads.append(thread)
    end = time.monotonic() + timeout
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return dict(reasons)


def _try(url, part, checksum, timeout):
    """Bring `part` to the whole file at `url`; None, or why that failed."""
    reason = ""
    for _ in range(_ATTEMPTS):
        before = _size(part)
        try:
            _transfer(url, part, timeout)
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = _text(error)
            if _size(part) <= before:
                return reason
            continue  # it brought something: go on where it broke off
        found = _digest_of_file(part, checksum)
        if found == checksum:
            return None
        part.unlink()
        reason = f"sent a file with {found}, expected {checksum}"
        if not before:
            return reason  # else the part that was there already may be to blame: once more, afresh
    return reason


def _transfer(url, part, timeout):
    """One request for what `part` lacks, appended to it."""
    have = _size(part)
    headers = {"User-Agent": "tinycnn", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        request = urllib.request.Request(url, headers=headers)
        answer = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 416 or not have:
            raise
        if error.headers.get("Content-Range") == f"bytes */{have}":
            return  # nothing was lacking
        part.unlink()  # what was there is longer than the file
        return _transfer(url, part, timeout)
    with answer:
        if answer.status == 206:
            if not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                raise ConnectionError("answered with another part of the file than asked for")
        else:
            have = 0
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else None
        with part.open("ab" if have else "wb") as file:
            done = _copy(answer, file, have, total, url.rpartition("/")[2])
    if total is not None and done != total:
        raise ConnectionError(f"the connection ended after {done} of {total} bytes")


def _copy(answer, file, done, total, name):
    """Copy the answer's body to a file under a progress bar; the file's size afterwards."""
    from tqdm import tqdm  # here, because few runs download anything

    bar = tqdm(total=total, initial=done, desc=name, unit="B", unit_scale=True, disable=None)
    with bar:
        while chunk := answer.read1(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            bar.update(len(chunk))
    return done


def _digest_of_file(path, checksum):
    if checksum is None:
        return None
    with path.open("rb") as file:
        return digest(checksum, iter(lambda: file.read(1 << 20), b""))


def _size(path):
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _text(error):
    """Why it failed, in a few words."""
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    cause = getattr(error, "reason", None) or error
    if isinstance(cause, TimeoutError):
        return "timed out"
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
