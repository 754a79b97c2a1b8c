"""Pushes evidence to a Surety portal, and reads what it knows. README.md shows how."""

from surety.answers import Counts, Identifier, Page, Receipt, Submission, SubmissionState
from surety.aws import AwsIdentity
from surety.client import Client
from surety.errors import (
    AnswerUnreadable,
    DocumentChanged,
    IdentityMissing,
    Problem,
    ReceiptUnproven,
    SettingUnfit,
    SuretyError,
    TokenRefused,
    Undecided,
    Unreachable,
)
from surety.oidc import FileToken, GitHubToken, OidcToken, VariableToken
from surety.proofs import Inclusion, verify_inclusion
from surety.receipts import verify
from surety.retry import Retry
from surety.tokens import ClientSecret, TokenSource
from surety.version import __version__

__all__ = [
    "AnswerUnreadable",
    "AwsIdentity",
    "Client",
    "ClientSecret",
    "Counts",
    "DocumentChanged",
    "FileToken",
    "GitHubToken",
    "Identifier",
    "IdentityMissing",
    "Inclusion",
    "OidcToken",
    "Page",
    "Problem",
    "Receipt",
    "ReceiptUnproven",
    "Retry",
    "SettingUnfit",
    "Submission",
    "SubmissionState",
    "SuretyError",
    "TokenRefused",
    "TokenSource",
    "Undecided",
    "Unreachable",
    "VariableToken",
    "__version__",
    "verify",
    "verify_inclusion",
]
