"""The vault's own AWS clients, apart from those that read customers' accounts."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def aws_client(service: str, profile: str, endpoint_url: str) -> Any:
    """A client with the profile's credentials ("" for the process's own), at an endpoint other than AWS's if given."""
    # Half a second and some megabytes that a vault in a directory needn't pay.
    import boto3
    from botocore.config import Config

    return boto3.Session(profile_name=profile or None).client(
        service,  # type: ignore[call-overload]
        endpoint_url=endpoint_url or None,
        config=Config(
            s3={"addressing_style": "path" if endpoint_url else "auto"},
            retries={"mode": "standard"},
            connect_timeout=5,
            read_timeout=60,
        ),
    )
