"""The stand-in for AWS of the demonstration and the tests; never in the product's path.

Importing this package imports boto3 but not moto, which only the server process needs.
"""

from portal.demo.aws.client import PORTAL_ACCOUNT_ID, AwsControl, AwsStandIn, Credentials, StandInRefused

__all__ = ["PORTAL_ACCOUNT_ID", "AwsControl", "AwsStandIn", "Credentials", "StandInRefused"]
