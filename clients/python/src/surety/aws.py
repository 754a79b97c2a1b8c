"""An AWS role instead of a stored secret: a signed request for STS, which the portal sends on.

sts:GetCallerIdentity tells who signed a request, needs no permission, and gives nothing away. The signature covers two
headers of ours, the portal's origin and a nonce, so that nobody else can use the request, nor use it twice.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from surety.errors import AnswerUnreadable, IdentityMissing, SettingUnfit
from surety.retry import Retry
from surety.tokens import EXCHANGE, Granted
from surety.wire import read_object

STS_REQUEST = "urn:surety:token-type:aws-sts-request"
NONCE_PATH = "oauth/nonce"
BODY = "Action=GetCallerIdentity&Version=2011-06-15"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
ANYWHERE = "us-east-1"


class AwsIdentity(Granted):
    """Whatever identity botocore finds: a role of CodeBuild, ECS, EKS, EC2 or Lambda, a profile, the environment.

    `region` says which STS the portal is to ask; else AWS's own settings do. `session` is a botocore session, if not
    the default one.
    """

    def __init__(
        self,
        base_url: str,
        client_id: str,
        *,
        region: str = "",
        session: Any = None,
        scope: Iterable[str] = (),
        retry: Retry | None = None,
    ) -> None:
        super().__init__(base_url, client_id, scope=scope, retry=retry)
        self._session = session or _session()
        self._region = region or self._session.get_config_variable("region") or ANYWHERE

    def _form(self) -> Mapping[str, str]:
        signed = sign_identity(
            self._session, region=self._region, audience=self.audience, nonce=self._nonce()
        )
        return {
            "grant_type": EXCHANGE,
            "client_id": self.client_id,
            "subject_token_type": STS_REQUEST,
            "subject_token": base64.urlsafe_b64encode(json.dumps(signed).encode()).rstrip(b"=").decode(),
        }

    def _nonce(self) -> str:
        nonce = read_object(self._wire.send(lambda: self._wire.build("POST", NONCE_PATH))).get("nonce")
        if not isinstance(nonce, str):
            raise AnswerUnreadable("The portal's answer holds no nonce.")
        return nonce


def sign_identity(session: Any, *, region: str, audience: str, nonce: str) -> dict[str, Any]:
    """A request for STS in the form that the portal takes. Raises IdentityMissing where AWS gave no credentials."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    credentials = session.get_credentials()
    if credentials is None:
        raise IdentityMissing("No AWS identity was found: neither a role, a profile nor variables.")
    url = session.create_client("sts", region_name=region).meta.endpoint_url.rstrip("/") + "/"
    headers = {"Content-Type": FORM, "X-Surety-Audience": audience, "X-Surety-Nonce": nonce}
    request = AWSRequest(method="POST", url=url, headers=headers, data=BODY)
    SigV4Auth(credentials.get_frozen_credentials(), "sts", region).add_auth(request)
    return {"url": url, "method": "POST", "headers": dict(request.headers.items()), "body": BODY}


def _session() -> Any:
    try:
        from botocore.session import get_session
    except ImportError:
        raise SettingUnfit("An AWS identity needs botocore: install surety-client[aws].") from None
    return get_session()
