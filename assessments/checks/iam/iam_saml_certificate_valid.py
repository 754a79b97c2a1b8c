from collections.abc import Iterator

from assessments.checks.base import Check, Fix, Per, Resource, Severity, Verdict, failed, passed, unknown
from assessments.checks.subjects.times import day, days_since
from evidence.types import Seen

_DAYS = 30


def _providers(seen: Seen) -> Iterator[Resource]:
    for row in seen["iam"].items("ListSAMLProviders", "SAMLProviderList"):
        yield Resource(row["Arn"], row["Arn"].rpartition("/")[2], "SAML provider", seen.region, row)


def judge(provider: Resource, seen: Seen) -> Verdict:
    passed_days = days_since(provider.data.get("ValidUntil"), seen)
    if passed_days is None:
        return unknown("AWS did not say until when the provider's metadata is valid")
    left, until = -passed_days, day(provider.data["ValidUntil"])
    if left <= 0:
        return failed(f"the metadata expired on {until}")
    observed = f"the metadata is valid until {until}"
    return failed(observed) if left < _DAYS else passed(observed)


def _example(until: str) -> dict[str, dict[str, dict[str, object]]]:
    row = {"Arn": "arn:aws:iam::111122223333:saml-provider/corp", "ValidUntil": until}
    return {"iam": {"ListSAMLProviders": {"": {"SAMLProviderList": [row]}}}}


CHECK = Check(
    title="The federation's certificate is valid",
    severity=Severity.MEDIUM,
    collectors=("iam",),
    supports=("164.312(d)",),
    rationale="When the certificate that vouches for identities runs out, nobody can sign in, and in the emergency people reach for shared users.",
    expected="The metadata of every SAML provider is valid for at least 30 more days.",
    fix=Fix(
        console="IAM, Identity providers, the provider: replace the metadata document with a new one from the directory.",
        cli="aws iam update-saml-provider --saml-provider-arn ARN --saml-metadata-document file://metadata.xml",
    ),
    resources=_providers,
    judge=judge,
    per=Per.ACCOUNT,
    passing=(_example("2027-01-01T00:00:00Z"),),
    failing=(_example("2026-02-01T00:00:00Z"), _example("2025-02-01T00:00:00Z")),
)
