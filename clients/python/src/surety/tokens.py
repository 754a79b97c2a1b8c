"""Access tokens: got when needed, kept until shortly before their end, never shown."""

from __future__ import annotations

import base64
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Protocol
from urllib.parse import quote

import httpx

from surety.errors import AnswerUnreadable, SettingUnfit, TokenRefused
from surety.retry import Retry
from surety.wire import Wire, read_object

TOKEN_PATH = "oauth/token"  # noqa: S105 (an address)
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
EARLY = 60.0
"""So many seconds before its end a token is given up: a request that is under way needs it too."""


class TokenSource(Protocol):
    """Where a client gets its tokens. Anything with these two methods will do."""

    def token(self) -> str:
        """A live access token of the portal. Raises SuretyError."""

    def forget(self) -> None:
        """Called where the portal refused the token that `token` gave: the next one has to be new."""


class Granted(ABC):
    """A source that asks the portal's token endpoint; its children say what it proves itself with."""

    def __init__(
        self, base_url: str, client_id: str, *, scope: Iterable[str] = (), retry: Retry | None = None
    ) -> None:
        if not client_id:
            raise SettingUnfit("Give the API client's id (SURETY_CLIENT_ID).")
        self.client_id = client_id
        self.scopes: tuple[str, ...] = ()
        """What the portal gave with the last token."""
        self._scope = " ".join(scope)
        self._wire = Wire(base_url, retry=retry)
        self._lock = threading.Lock()
        self._kept, self._good_until = "", 0.0

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._wire.base_url!r}, client_id={self.client_id!r})"

    @property
    def audience(self) -> str:
        """The portal's origin: what an identity has to be made out to."""
        return self._wire.base_url

    def token(self) -> str:
        """A live access token. Raises TokenRefused, Unreachable, Problem."""
        with self._lock:
            if time.monotonic() >= self._good_until:
                self._renew()
            return self._kept

    def forget(self) -> None:
        """Lets the next one be new."""
        with self._lock:
            self._good_until = 0.0

    def close(self) -> None:
        """Ends the connections."""
        self._wire.close()

    @abstractmethod
    def _form(self) -> Mapping[str, str]:
        """What stands in the request; called anew for each attempt, since a proof may be good for one use only."""

    def _headers(self) -> Mapping[str, str]:
        return {}

    def _renew(self) -> None:
        began = time.monotonic()
        response = self._wire.send(self._request)
        if not response.is_success and (refusal := _refusal(response)):
            raise refusal
        said = read_object(response)
        token, seconds = said.get("access_token"), said.get("expires_in")
        if not isinstance(token, str) or not isinstance(seconds, int) or seconds <= 0:
            raise AnswerUnreadable("The token endpoint's answer holds no token that lives.")
        self.scopes = tuple(str(said.get("scope", "")).split())
        self._kept, self._good_until = token, began + max(seconds - EARLY, seconds / 2)

    def _request(self) -> httpx.Request:
        form = {**self._form(), **({"scope": self._scope} if self._scope else {})}
        return self._wire.build("POST", TOKEN_PATH, data=form, headers=dict(self._headers()))


class ClientSecret(Granted):
    """An API client's id and secret (RFC 6749 section 4.4)."""

    def __init__(
        self,
        base_url: str,
        client_id: str,
        client_secret: str,
        *,
        scope: Iterable[str] = (),
        retry: Retry | None = None,
    ) -> None:
        if not client_secret:
            raise SettingUnfit(
                "Give the API client's secret (SURETY_CLIENT_SECRET), or an identity (--keyless)."
            )
        super().__init__(base_url, client_id, scope=scope, retry=retry)
        pair = f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}"
        self._basic = "Basic " + base64.b64encode(pair.encode()).decode()

    def _form(self) -> Mapping[str, str]:
        return {"grant_type": "client_credentials"}

    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": self._basic}


def _refusal(response: httpx.Response) -> TokenRefused | None:
    """What RFC 6749 section 5.2 says of it; None for other refusals."""
    try:
        said = response.json()
    except ValueError:
        return None
    if not isinstance(said, dict) or "error" not in said:
        return None
    return TokenRefused(str(said["error"]), str(said.get("error_description", "")))
