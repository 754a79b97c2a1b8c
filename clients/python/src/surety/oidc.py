"""A CI system's own OpenID Connect token instead of a stored secret, exchanged as RFC 8693 says."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import httpx

from surety.errors import AnswerUnreadable, IdentityMissing
from surety.retry import Retry
from surety.tokens import EXCHANGE, Granted
from surety.wire import Wire

JWT = "urn:ietf:params:oauth:token-type:jwt"
GITLAB_VARIABLE = "SURETY_ID_TOKEN"


class VariableToken:
    """A token that the CI system puts into an environment variable, as GitLab's `id_tokens` does.

    The portal takes such a token once, so it is good for one OidcToken, and for 15 minutes.
    """

    def __init__(self, name: str = GITLAB_VARIABLE) -> None:
        self._name = name

    def __call__(self, audience: str) -> str:
        """The variable's text; whoever filled it chose the audience."""
        text = os.environ.get(self._name, "").strip()
        if not text:
            raise IdentityMissing(
                f"{self._name} is empty. In .gitlab-ci.yml the job needs id_tokens: {self._name}: aud: {audience}"
            )
        return text


class FileToken:
    """A token in a file that something else renews, such as Kubernetes' projected service account tokens."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def __call__(self, audience: str) -> str:
        """What the file holds now."""
        try:
            text = self._path.read_text().strip()
        except OSError as error:
            raise IdentityMissing(
                f"The token's file can't be read: {error.strerror} ({self._path})."
            ) from None
        if not text:
            raise IdentityMissing(
                f"The token's file is empty ({self._path}); it is to hold one for {audience}."
            )
        return text


class GitHubToken:
    """GitHub Actions' token, asked for anew each time. The job needs `permissions: id-token: write`."""

    def __init__(self, *, retry: Retry | None = None) -> None:
        self._retry = retry

    def __call__(self, audience: str) -> str:
        """A JWT from the address that the runner names."""
        url = os.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL", "")
        bearer = os.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "")
        if not url or not bearer:
            raise IdentityMissing(
                "GitHub Actions gives this job no identity: it needs permissions: id-token: write."
            )
        address = httpx.URL(url).copy_merge_params({"audience": audience})
        wire = Wire(f"{address.scheme}://{address.netloc.decode('ascii')}", retry=self._retry)
        try:
            headers = {"Authorization": f"bearer {bearer}"}
            response = wire.send(lambda: wire.build_elsewhere("GET", str(address), headers=headers))
        finally:
            wire.close()
        return _value(response)


class OidcToken(Granted):
    """Exchanges a JWT for a token of the portal, each time that one is needed.

    `identity` takes the portal's origin and gives a JWT made out to it: a GitHubToken, a VariableToken, a FileToken.
    """

    def __init__(
        self,
        base_url: str,
        client_id: str,
        identity: Callable[[str], str],
        *,
        scope: Iterable[str] = (),
        retry: Retry | None = None,
    ) -> None:
        super().__init__(base_url, client_id, scope=scope, retry=retry)
        self._identity = identity

    def _form(self) -> Mapping[str, str]:
        return {
            "grant_type": EXCHANGE,
            "client_id": self.client_id,
            "subject_token_type": JWT,
            "subject_token": self._identity(self.audience),
        }


def _value(response: httpx.Response) -> str:
    if not response.is_success:
        raise IdentityMissing(f"GitHub gave no identity: {response.status_code} {response.reason_phrase}.")
    try:
        value = response.json()["value"]
    except (ValueError, KeyError, TypeError):
        value = None
    if not isinstance(value, str):
        raise AnswerUnreadable("GitHub's answer holds no token.")
    return value
