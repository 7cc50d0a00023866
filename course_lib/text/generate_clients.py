"""What `generate.py` asks of a language model, and one behind an OpenAI-compatible address.

Taught in 04_bert_encoding.
"""

import math
import os
import time
from collections.abc import Sequence
from typing import Protocol

import requests
from requests.adapters import HTTPAdapter
from tqdm.auto import tqdm
from urllib3 import BaseHTTPResponse, Retry
from urllib3.exceptions import HTTPError

URL_VARIABLE, MODEL_VARIABLE, KEY_VARIABLE = "COURSE_LLM_URL", "COURSE_LLM_MODEL", "COURSE_LLM_KEY"
BUSY = (408, 409, 429, 500, 502, 503, 504)  # worth asking again
REFUSED = (401, 402, 403, 404)  # the same for every item: wrong key, no credit, wrong address or model
BYTES_PER_TOKEN = 3.5  # of English; a little low, so that estimates are a little high

Message = dict[str, str]  # role ("user" or "assistant") and content


class CallFailed(RuntimeError):
    """No answer to this prompt; the next one may have more luck."""


class Unavailable(RuntimeError):
    """No prompt will be answered; there is no sense in going on."""


class Client(Protocol):
    """What `write_profiles` needs of a language model."""

    name: str

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of a prompt, to estimate its cost. Sends nothing."""
        ...

    def ask(self, messages: Sequence[Message]) -> str:
        """The model's answer; raises `CallFailed` or `Unavailable`."""
        ...


class Endpoint:
    """A server that speaks OpenAI's chat protocol: `POST {url}/chat/completions`.

    A busy or failing server is asked again after the time it names (`Retry-After`), else after 1, 2, 4 ... times
    `first_wait`; each wait is announced. The key is sent to this one address and shown nowhere.

    Parameters
    ----------
    url : str
        Up to and including the version, such as "https://llm.example.org/v1" or "http://localhost:8000/v1".
    model : str
        The model's name on that server.
    key : str
        Empty where the server wants none.
    timeout : float
        Seconds to wait for an answer.
    retries : int
        How often to ask again.
    first_wait, longest_wait : float
        Seconds.

    Raises
    ------
    ValueError
        Where the address is no web address, or the key holds characters that no key has.
    """

    def __init__(
        self,
        url: str,
        model: str,
        key: str = "",
        timeout: float = 120.0,
        retries: int = 5,
        first_wait: float = 1.0,
        longest_wait: float = 120.0,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"the address {url!r} does not begin with http:// or https:// ({URL_VARIABLE})")
        if not key.isascii() or any(character.isspace() for character in key):
            raise ValueError(f"the key holds a space or a character outside ASCII; look at {KEY_VARIABLE}")
        self.name = model
        self.url = url.rstrip("/") + "/chat/completions"
        self.timeout = timeout
        self._key = key
        self._session = requests.Session()
        waits = AnnouncedRetry(
            total=retries,
            allowed_methods={"POST"},
            status_forcelist=BUSY,
            backoff_factor=first_wait,
            backoff_max=longest_wait,
            raise_on_status=False,
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=waits))

    @classmethod
    def from_environment(cls) -> "Endpoint":
        """The server that COURSE_LLM_URL, COURSE_LLM_MODEL and, where it wants one, COURSE_LLM_KEY describe."""
        missing = [name for name in (URL_VARIABLE, MODEL_VARIABLE) if not os.environ.get(name)]
        if missing:
            raise ValueError(f"no language model is named: set {' and '.join(missing)}, or name a local model")
        return cls(os.environ[URL_VARIABLE], os.environ[MODEL_VARIABLE], os.environ.get(KEY_VARIABLE, "").strip())

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of a prompt, estimated from its length: the server's own tokenizer is not known here."""
        return math.ceil(sum(len(message["content"].encode()) for message in messages) / BYTES_PER_TOKEN)

    def ask(self, messages: Sequence[Message]) -> str:
        """The server's answer."""
        body = {"model": self.name, "messages": list(messages)}
        try:
            response = self._session.post(
                self.url, json=body, auth=self._sign, timeout=self.timeout, allow_redirects=False
            )
        except (requests.RequestException, HTTPError) as error:  # the second: an unreadable Retry-After
            raise CallFailed(f"no answer from {self.url}: {self._clean(error)}") from None
        if response.status_code != 200:
            reason = f"{self.url} answered {response.status_code}: {self._clean(response.text[:200])}"
            raise Unavailable(reason) if response.status_code in REFUSED else CallFailed(reason)
        try:
            return str(response.json()["choices"][0]["message"]["content"])
        except (ValueError, LookupError, TypeError):
            raise CallFailed(f"not a chat completion: {self._clean(response.text[:200])}") from None

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the key last, so that no other credentials on this machine take its place."""
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request

    def _clean(self, text: object) -> str:
        """One line without the key."""
        line = " ".join(str(text).split())
        return line.replace(self._key, "***") if self._key else line


class AnnouncedRetry(Retry):
    """urllib3's retries, but each wait is told, and none is longer than `backoff_max`."""

    def get_backoff_time(self) -> float:
        """Seconds: `backoff_factor` after the first failure, then twice as long each time."""
        return float(min(self.backoff_max, self.backoff_factor * 2 ** (len(self.history) - 1)))

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        """Wait as long as the server asks, else by `get_backoff_time`."""
        asked = self.get_retry_after(response) if response else None
        wait = self.get_backoff_time() if asked is None else min(asked, self.backoff_max)
        last = self.history[-1]
        tqdm.write(f"{last.status or type(last.error).__name__}: asking again in {wait:.1f} s")
        time.sleep(wait)
