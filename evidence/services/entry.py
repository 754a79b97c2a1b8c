"""How a connection's account is entered."""

from __future__ import annotations

from evidence.aws.session import Access as AwsAccess
from evidence.aws.session import AmbientAccess, RoleAccess
from evidence.models import Access, AwsConnection


def aws_access(connection: AwsConnection) -> AwsAccess:
    """How the connection's account is entered. The session's name shows in the customer's CloudTrail."""
    if connection.access == Access.AMBIENT:
        return AmbientAccess()
    return RoleAccess(
        connection.role_arn, str(connection.external_id), session_name=f"surety-{str(connection.pk)[-12:]}"
    )
