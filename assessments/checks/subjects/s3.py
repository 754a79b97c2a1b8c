"""Buckets, and those that trails write to. The s3 collector is global, so that checks of buckets are `per=Per.ACCOUNT`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from assessments.checks import policy
from assessments.checks.base import Outcome, Resource, Verdict, failed, passed, unknown
from assessments.checks.subjects import times
from assessments.checks.subjects.object_events import trails
from evidence.types import GLOBAL, Json, Seen, Unseen

_STRANGERS = ("/global/AllUsers", "/global/AuthenticatedUsers")
_OLD_NAMES = {"EU": "eu-west-1"}
_FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")

LOG_WRITERS = frozenset(
    [
        "127311923021",
        "033677994240",
        "027434742980",
        "797873946194",
        "098369216593",
        "754344448648",
        "589379963580",
        "718504428378",
        "383597477331",
        "600734575887",
        "114774131450",
        "783225319266",
        "582318560864",
        "985666609251",
        "054676820928",
        "156460612806",
        "652711504416",
        "635631232127",
        "009996457667",
        "897822967062",
        "076674570225",
        "507241528517",
    ]
)
"""AWS's own accounts that write load balancer logs (Elastic Load Balancing, "Enable access logs", by region)."""


def buckets(seen: Seen) -> Iterator[Resource]:
    """All buckets of the account; a bucket's region is `global` where it is not known."""
    for bucket in seen["s3"].items("ListBuckets", "Buckets"):
        name = bucket.get("Name") or ""
        region = bucket.get("BucketRegion") or _location(seen, name)
        yield Resource(f"arn:{seen.partition}:s3:::{name}", name, "bucket", region, bucket)


def _location(seen: Seen, name: str) -> str:
    """GetBucketLocation says nothing for us-east-1 and EU for the oldest buckets of eu-west-1."""
    try:
        answer = seen["s3"].get("GetBucketLocation", name)
    except Unseen:
        return GLOBAL
    location = (answer or {}).get("LocationConstraint") or "us-east-1"
    return _OLD_NAMES.get(location, location)


def trail_buckets(seen: Seen) -> Iterator[Resource]:
    """Buckets that trails write to, with `Trails`; `Name` is missing from those of other accounts."""
    writers: dict[str, list[Json]] = {}
    for trail in trails(seen):
        writers.setdefault(trail.get("S3BucketName") or "", []).append(trail)
    own = {bucket.name: bucket for bucket in buckets(seen)}
    for name, rows in sorted(writers.items()):
        other = Resource(f"arn:{seen.partition}:s3:::{name}", name, "bucket", GLOBAL, {})
        bucket = own.get(name, other)
        yield bucket._replace(data={**bucket.data, "Trails": rows})


def log_and_backup_buckets(seen: Seen) -> Iterator[Resource]:
    """Buckets that trails write to, and those that say by their name that they hold backups."""
    logs = list(trail_buckets(seen))
    names = {bucket.name for bucket in logs}
    yield from logs
    yield from (bucket for bucket in buckets(seen) if "backup" in bucket.name and bucket.name not in names)


def account(seen: Seen) -> Iterator[Resource]:
    """The account itself, for settings that hold for all its buckets."""
    name = f"arn:{seen.partition}:iam::{seen.account_id}:root"
    yield Resource(name, seen.account_id, "account", GLOBAL, {})


def encryption_default(bucket: Resource, seen: Seen) -> Json | None:
    """What new objects are encrypted with (SSEAlgorithm, KMSMasterKeyID); None where the bucket has no default.

    Empty where AWS's answer has no rule.
    """
    answer = seen["s3"].get("GetBucketEncryption", bucket.name)
    if answer is None:
        return None
    rules: list[Json] = (answer.get("ServerSideEncryptionConfiguration") or {}).get("Rules") or [{}]
    default: Json = rules[0].get("ApplyServerSideEncryptionByDefault") or {}
    return default


def bucket_policy(bucket: Resource, seen: Seen) -> policy.Policy | None:
    """The bucket's policy; None where it has none. Raises ValueError where it can't be read."""
    answer = seen["s3"].get("GetBucketPolicy", bucket.name)
    return None if answer is None else policy.parse(answer.get("Policy") or "")


def blocks(bucket: Resource | None, seen: Seen) -> dict[str, bool | None]:
    """The four switches against public access as they act on a bucket, or on the account's buckets for None.

    The account's switch or the bucket's is enough. None is not known. Raises Unseen where an answer that could
    change the outcome was not seen.
    """
    places = [("s3control:GetPublicAccessBlock", "")]
    if bucket is not None:
        places.append(("GetPublicAccessBlock", bucket.name))
    merged: dict[str, bool | None] = dict.fromkeys(_FLAGS, False)
    unseen: Unseen | None = None
    for operation, key in places:
        try:
            answer = seen["s3"].get(operation, key)
        except Unseen as error:
            unseen = error
        else:
            merged = {flag: _either(value, _switch(answer, flag)) for flag, value in merged.items()}
    if unseen is not None and not all(merged.values()):
        raise unseen
    return merged


def _switch(answer: Json | None, flag: str) -> bool | None:
    if answer is None:
        return False
    value: bool | None = (answer.get("PublicAccessBlockConfiguration") or {}).get(flag)
    return value


def _either(one: bool | None, other: bool | None) -> bool | None:  # noqa: FBT001 (a logical or over three values)
    if one or other:
        return True
    return None if None in (one, other) else False


def log_target(bucket: Resource, seen: Seen) -> str | None:
    """The bucket that server access logs go to; None where logging is off (AWS then leaves the element out)."""
    enabled = (seen["s3"].get("GetBucketLogging", bucket.name) or {}).get("LoggingEnabled")
    return None if enabled is None else enabled.get("TargetBucket") or "a bucket that AWS did not name"


class Expiration(NamedTuple):
    """A lifecycle rule's word on logs: whether it is enabled, and after how many days it deletes; None: not known.

    `date` is set where the rule names a date, from which the days are counted.
    """

    enabled: bool | None
    days: int | None
    date: str = ""

    def __str__(self) -> str:
        return f"on {self.date}" if self.date else f"after {self.days} days"


def expirations(bucket: Resource, seen: Seen) -> list[Expiration]:
    """The lifecycle rules of a trail's bucket that delete its logs."""
    answer = seen["s3"].get("GetBucketLifecycleConfiguration", bucket.name)
    if answer is None:
        return []
    if "Rules" not in answer:
        return [Expiration(None, None)]
    prefixes = [f"{row.get('S3KeyPrefix') or ''}/AWSLogs/".lstrip("/") for row in bucket.data["Trails"]]
    return [
        _expiration(rule["Expiration"], rule.get("Status"), seen)
        for rule in answer["Rules"]
        if "Expiration" in rule and any(_applies(rule, prefix) for prefix in prefixes)
    ]


def _expiration(written: Json, status: str | None, seen: Seen) -> Expiration:
    """A date that has come deletes at once; ExpiredObjectDeleteMarker deletes no log."""
    enabled = None if status is None else status == "Enabled"
    if written.get("ExpiredObjectDeleteMarker") and "Days" not in written:
        return Expiration(enabled=False, days=None)
    until = times.days_since(written.get("Date"), seen)
    if until is None:
        return Expiration(enabled, written.get("Days"))
    return Expiration(enabled, max(0, -until), times.day(written["Date"]))


def _applies(rule: Json, prefix: str) -> bool:
    """Whether a lifecycle rule is about some objects below a prefix; one with tags is not, as logs have none."""
    filters = rule.get("Filter") or {}
    both = filters.get("And") or {}
    if filters.get("Tag") or both.get("Tags"):
        return False
    about = filters.get("Prefix") or both.get("Prefix") or rule.get("Prefix") or ""
    return bool(about.startswith(prefix) or prefix.startswith(about))


def judge_blocks(bucket: Resource | None, seen: Seen) -> Verdict:
    """PASS where all four switches are on."""
    switches = blocks(bucket, seen)
    off = [flag for flag, value in switches.items() if value is False]
    if off:
        return failed(f"off: {', '.join(off)}")
    if None in switches.values():
        return unknown("AWS did not say which switches are on")
    return passed("all four switches are on")


def judge_public_policy(bucket: Resource, seen: Seen) -> Verdict:
    """FAIL where the policy lets strangers in and no switch (RestrictPublicBuckets) keeps them out."""
    try:
        found = bucket_policy(bucket, seen)
    except ValueError:
        return unknown("the bucket policy can't be read")
    grants = () if found is None else policy.public_grants(found, seen.account_id)
    if not grants:
        return passed("the policy lets no stranger in" if found else "has no bucket policy")
    observed = "; ".join(map(str, grants))
    return _unless_switched_off(bucket, seen, "RestrictPublicBuckets", observed)


def judge_public_acl(bucket: Resource, seen: Seen) -> Verdict:
    """FAIL where the ACL lets strangers in and no switch (IgnorePublicAcls) makes it void."""
    grants = (seen["s3"].get("GetBucketAcl", bucket.name) or {}).get("Grants")
    if grants is None:
        return unknown("AWS did not list the ACL's grants")
    grantees = [(grant.get("Grantee") or {}, grant.get("Permission", "access")) for grant in grants]
    public = [f"{right} to {who['URI'].rpartition('/')[2]}" for who, right in grantees if _is_stranger(who)]
    if public:
        return _unless_switched_off(
            bucket, seen, "IgnorePublicAcls", f"the ACL grants {', '.join(sorted(public))}"
        )
    if any(not {"URI", "ID", "EmailAddress"} & who.keys() for who, _right in grantees):
        return unknown("AWS did not say whom the ACL grants access")
    return passed("the ACL grants nothing to strangers")


def _is_stranger(grantee: Json) -> bool:
    return str(grantee.get("URI", "")).endswith(_STRANGERS)


def _unless_switched_off(bucket: Resource, seen: Seen, flag: str, observed: str) -> Verdict:
    match blocks(bucket, seen)[flag]:
        case True:
            return passed(f"{observed}, which {flag} makes void")
        case False:
            return failed(observed)
    return unknown(f"{observed}; AWS did not say whether {flag} makes it void")


def worst(verdicts: list[Verdict]) -> Verdict:
    """A failure before doubt, doubt before a pass."""
    order = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE)
    return min(verdicts, key=lambda verdict: order.index(verdict.outcome))
