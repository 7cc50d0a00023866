"""One file over HTTP: with resume, retries and time limits."""

import sys
import time
from pathlib import Path

import requests
from tqdm import tqdm

ATTEMPTS = 3  # without progress in between
BACKOFF = 1.0  # seconds before the second attempt; doubles
TIMEOUT = (10, 30)  # seconds to connect, and between two pieces of the answer
CHUNK = 1 << 14  # bytes; what a cut connection can lose


class MirrorError(RuntimeError):
    """A mirror did not deliver a file; the message is the reason."""


class HostError(MirrorError):
    """A mirror's host cannot be reached or trusted: no use in asking it for the next file."""


def download(url: str, part: Path, size: int | None, quiet: bool) -> None:
    """Download to `part`, continuing what is already there.

    Parameters
    ----------
    url : str
        Where from.
    part : Path
        Unfinished file. Its content is checked by the caller, so resuming needs no other validator.
    size : int or None
        Bytes the whole file must have; None if unknown, then nothing is resumed.
    quiet : bool
        No progress bar.

    Raises
    ------
    MirrorError
        After `ATTEMPTS` tries in a row without progress, or at once where another try would not help.
    """
    failures, furthest = 0, 0
    while True:
        try:
            _download_once(url, part, size, quiet)
            return
        except requests.exceptions.SSLError as error:
            raise HostError(f"certificate not accepted: {_root_cause(error)}") from error
        except requests.RequestException as error:
            reached = part.stat().st_size if part.exists() else 0
            failures = 1 if reached > furthest else failures + 1
            furthest = max(furthest, reached)
            if failures >= ATTEMPTS:
                raise HostError(f"no usable answer: {_root_cause(error)}") from error
            time.sleep(BACKOFF * 2 ** (failures - 1))


def _download_once(url: str, part: Path, size: int | None, quiet: bool) -> None:
    start = part.stat().st_size if part.exists() and size is not None else 0
    if start and start == size:
        return
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if start and not _continues(response, start):
            part.unlink()
            raise requests.ConnectionError(f"cannot continue at byte {start:,}")
        if response.status_code == 429 or response.status_code >= 500:
            raise requests.ConnectionError(f"server error {response.status_code}")
        if response.status_code not in (200, 206):
            raise MirrorError(f"answered {response.status_code} {response.reason} for {url}")
        offset = start if response.status_code == 206 else 0
        declared = int(response.headers.get("Content-Length", -1))
        if size is not None and declared >= 0 and offset + declared != size:
            raise MirrorError(f"holds {offset + declared:,} bytes, expected {size:,}: {url}")
        _save(response, part, offset, size, quiet)
    received = part.stat().st_size
    if size is not None and received < size:
        raise requests.ConnectionError(f"connection closed after {received:,} of {size:,} bytes")
    if size is not None and received > size:
        part.unlink()
        raise MirrorError(f"sends more than the expected {size:,} bytes: {url}")


def _continues(response: requests.Response, start: int) -> bool:
    """Whether the answer to a range request is usable: the rest from `start` on, or the whole file again."""
    if response.status_code == 206:
        return response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
    return response.status_code != 416


def _save(response: requests.Response, part: Path, start: int, size: int | None, quiet: bool) -> None:
    hidden = quiet or not sys.stderr.isatty()
    name = part.name.removesuffix(".part")
    bar = tqdm(total=size, initial=start, desc=name, unit="B", unit_scale=True, disable=hidden, leave=False)
    with part.open("ab" if start else "wb") as handle, bar:
        for chunk in response.iter_content(CHUNK):
            handle.write(chunk)
            bar.update(len(chunk))
            if size is not None and handle.tell() > size:
                return


def _root_cause(error: BaseException) -> str:
    """The innermost reason of a chain of library errors, on one line."""
    inner: BaseException | None = error
    while inner is not None:
        error, inner = inner, inner.__context__
    return " ".join(str(error).split()) or type(error).__name__
