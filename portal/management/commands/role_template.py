"""`manage.py role_template`: the CloudFormation template of the role, for the operator's S3 bucket."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from evidence.aws.policy import cloudformation_template


class Command(BaseCommand):
    """Tenants fill in the external ID; ROLE_TEMPLATE_URL names where the template lies."""

    help = "Prints the CloudFormation template that makes the role in a customer's account."
    requires_system_checks = ()

    def handle(self, **_options: Any) -> None:
        self.stdout.write(cloudformation_template(settings.AWS_PRINCIPAL_ARN))
