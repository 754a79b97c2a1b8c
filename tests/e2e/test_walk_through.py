"""The whole way of a hospital and its vendor, from the invitation to the revocation: two browsers, a real worker."""

from __future__ import annotations

import re
import secrets
import time
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from django.conf import settings
from django.core import mail
from django.db.models import F
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.devices import TotpDevice
from accounts.models import Tenant
from accounts.sessions import PROVED_AT, SessionStore
from accounts.tenancy.scope import open_tenant
from assessments.agreements import reminders
from assessments.agreements.states import today
from assessments.models import Agreement, AgreementTerms, Timer
from portal.demo.aws import PORTAL_ACCOUNT_ID, AwsStandIn
from tests.accounts.factories import PASSWORD, make_ready_person
from tests.assessments.packages.conftest import anchor, sealer  # noqa: F401 (fixtures)
from tests.assessments.packages.test_package import verify
from tests.e2e.conftest import Visit, open_visit
from tests.e2e.worker import running_worker
from tests.factories import make_tenant

ACCOUNT = "444444444444"
HOSPITAL, VENDOR = "Mercy Lakes Hospital", "Cedar Billing"
ADDRESS = f"nell.{secrets.token_hex(4)}@cedar.example"
DAYS = timedelta(days=3)
PATIENCE = 300_000
"""In milliseconds: how long a worker on a crowded machine may take."""


@pytest.fixture
def tenant(transactional_db: None) -> Tenant:
    return make_tenant(HOSPITAL)


@pytest.fixture
def hospital(visit: Visit, tenant: Tenant) -> Visit:
    """The window of the hospital's owner, signed in."""
    _be_patient(visit)
    visit.sign_in(make_ready_person(tenant=tenant))
    return visit


@pytest.fixture
def vendor(browser, live_server) -> Iterator[Visit]:
    """The window of somebody whom the portal doesn't know yet."""
    for visit in open_visit(browser, live_server.url):
        _be_patient(visit)
        yield visit


def _be_patient(visit: Visit) -> None:
    """Two windows, a worker and a stand-in share what a machine has."""
    expect.set_options(timeout=PATIENCE)
    visit.page.set_default_timeout(PATIENCE)


@pytest.fixture
def _no_broker() -> None:
    """Here everything rings."""


@pytest.fixture(autouse=True)
def _worker(settings, monkeypatch, tmp_path, aws: AwsStandIn, _site) -> Iterator[None]:
    settings.AWS_PRINCIPAL_ARN = f"arn:aws:iam::{PORTAL_ACCOUNT_ID}:root"
    reaches_aws = {**aws.environment(), "AWS_PRINCIPAL_ARN": settings.AWS_PRINCIPAL_ARN}
    with running_worker(tmp_path / "worker.log", reaches_aws) as ringing:
        monkeypatch.setattr("evidence.queue.current_app", ringing)
        yield


def test_a_hospital_and_its_vendor_go_the_whole_way(
    hospital: Visit, vendor: Visit, tenant: Tenant, aws: AwsStandIn, tmp_path: Path
):
    _register(hospital)
    _record_the_agreement(hospital)
    link = _invite(hospital)
    secret = _sign_up(vendor, link)
    _connect(vendor, aws)
    _collect(vendor)
    grant = _grant(vendor)
    shared = _see_the_posture(hospital)
    _let_the_agreement_expire(hospital, tenant)
    _draft_and_review(vendor)
    _certify(vendor, secret)
    _receive_and_verify(hospital, vendor, tmp_path)
    _send_a_notice(vendor)
    _acknowledge(hospital)
    _see_the_acknowledgement(vendor)
    _revoke(vendor, grant)
    _see_nothing(hospital, shared)
    _read_both_logs(hospital, vendor)


def press(page: Page | Locator, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def follow(page: Page | Locator, name: str | re.Pattern[str]) -> None:
    page.get_by_role("link", name=name, exact=True).first.click()


def sees(page: Page, *words: str) -> None:
    for each in words:
        expect(page.locator("main").get_by_text(each).first).to_be_visible(timeout=PATIENCE)


def until_seen(page: Page, wanted: Locator) -> None:
    """Loads the page anew until a worker has done its part."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not wanted.count() and time.monotonic() < deadline:
        page.reload()
    expect(wanted.first).to_be_visible()


def open_vendor(hospital: Visit, tab: str) -> Page:
    """The hospital's page of the vendor, by the ways that a person takes."""
    hospital.go("/business-associates/")
    follow(hospital.page, VENDOR)
    follow(hospital.page.get_by_role("navigation", name=VENDOR), tab)
    return hospital.page


def open_hospital(vendor: Visit, tab: str) -> Page:
    """The vendor's page of the hospital."""
    vendor.go("/covered-entities/")
    follow(vendor.page, HOSPITAL)
    follow(vendor.page.get_by_role("navigation", name=HOSPITAL), tab)
    return vendor.page


def _register(hospital: Visit) -> None:
    page = hospital.page
    hospital.go("/business-associates/")
    follow(page, "Add one")
    page.get_by_label("Reference").fill("V-1002")
    page.get_by_label("Name", exact=True).fill(VENDOR)
    page.get_by_label("Maintains PHI").check()
    press(page, "Keep")
    expect(page.get_by_role("heading", name=VENDOR)).to_be_visible()
    sees(page, "No agreement in force")


def _record_the_agreement(hospital: Visit) -> None:
    """It began a year ago, and tomorrow is its last day."""
    page = open_vendor(hospital, "Agreement")
    follow(page, "Record the agreement")
    page.get_by_label("What this is").select_option("signed")
    for label, days in (("Signed on", -370), ("Takes effect on", -365), ("Last day", 1)):
        page.get_by_label(label).fill((today() + timedelta(days=days)).isoformat())
    page.get_by_label("Security incidents are told within").fill("72 hours")
    press(page, "Record")
    sees(page, "Expiring")


def _invite(hospital: Visit) -> str:
    """The link in the message."""
    page = open_vendor(hospital, "Partnership")
    follow(page, "Invite it")
    page.get_by_label("E-mail address").fill(ADDRESS)
    press(page, "Send the invitation")
    sees(page, "is managed by hand until somebody there accepts")
    (message,) = [each for each in mail.outbox if each.to == [ADDRESS]]
    return re.search(r"http\S+/partnerships/invitations/\S+", message.body)[0]


def _sign_up(vendor: Visit, link: str) -> str:
    page = vendor.page
    page.goto(link)
    press_or_follow = page.get_by_role("link", name="Sign up").or_(page.get_by_role("button", name="Sign up"))
    expect(press_or_follow.first).to_be_visible()
    page.get_by_label("Your organisation").fill(VENDOR)
    page.get_by_label("Your name").fill("Nell Frost")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign up")
    page.locator("summary", has_text="By an authenticator app").click()
    secret = page.locator("#totp-secret").inner_text().replace(" ", "")
    page.locator("input[autocomplete=one-time-code]").fill(pyotp.TOTP(secret).now())
    press(page, "Confirm the app")
    follow(page, "I have kept them, continue")
    expect(page.get_by_role("heading", name=f"Work with {HOSPITAL}")).to_be_visible()
    press(page, "Accept")
    sees(page, "You work for it here since")
    return secret


def _connect(vendor: Visit, aws: AwsStandIn) -> None:
    page = vendor.page
    follow(page.get_by_role("navigation", name="Main"), "AWS connections")
    follow(page, "Connect an account")
    page.get_by_label("Name", exact=True).fill("Claims clearing")
    page.get_by_label("AWS account ID").fill(ACCOUNT)
    for region in ("us-east-2", "us-west-1", "us-west-2"):
        page.get_by_label(region, exact=True).uncheck()
    press(page, "Continue")
    page.get_by_role("navigation", name="Ways to create the role").get_by_role("link").last.click()
    trust = page.locator("#trust").inner_text()
    policies = page.locator("pre[id^=policy-]").all_inner_texts()
    _make_the_account(aws, trust, policies)
    press(page, "Verify the connection")
    sees(page, "Verification is under way")


def _make_the_account(aws: AwsStandIn, trust: str, policies: list[str]) -> None:
    """What the vendor's administrator pastes in, and two buckets of which one keeps no versions."""
    iam, s3 = aws.admin("iam", ACCOUNT), aws.admin("s3", ACCOUNT)
    iam.create_role(RoleName="SuretyReader", AssumeRolePolicyDocument=trust)
    for number, policy in enumerate(policies):
        made = iam.create_policy(PolicyName=f"surety-{number}", PolicyDocument=policy)
        iam.attach_role_policy(RoleName="SuretyReader", PolicyArn=made["Policy"]["Arn"])
    for name, kept in (("cedar-claims", "Enabled"), ("cedar-letters", "Suspended")):
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": kept})


def _collect(vendor: Visit) -> None:
    """The verified connection is collected by itself, and what was collected is assessed; the worker does all of it."""
    page = vendor.page
    expect(page.locator(".page-head .status-word")).to_have_text("Verified", timeout=PATIENCE)
    follow(page, "Runs")
    expect(page.locator("tbody .status-word").first).to_have_text(
        re.compile("Complete|Partial"), timeout=PATIENCE
    )
    follow(page.get_by_role("navigation", name="Main"), "Findings")
    until_seen(page, page.get_by_role("img", name=re.compile("^1 fail")))


def _grant(vendor: Visit) -> str:
    page = open_hospital(vendor, "What it sees of our posture")
    sees(page, "Nothing. You choose the safeguards")
    follow(page, "Share")
    page.get_by_label(re.compile("^With findings")).check()
    press(page, "See it as they would")
    preview = page.get_by_role("region", name=f"What {HOSPITAL} would see")
    expect(preview.get_by_text("S3 bucket").first).to_be_visible()
    expect(preview).not_to_contain_text("cedar-letters")
    press(page, f"Share this with {HOSPITAL}")
    sees(page, "By this grant, on the page that it has", "Nobody has looked yet")
    return page.url


def _see_the_posture(hospital: Visit) -> str:
    """The address of the page."""
    hospital.go("/business-associates/")
    row = hospital.page.get_by_role("row").filter(has_text=VENDOR)
    expect(row).to_contain_text(re.compile(r"\d+ of \d+ evidenced, \d+ gaps?"))
    page = open_vendor(hospital, "Posture")
    sees(page, f"{VENDOR}: ", "With findings", "Oldest evidence")
    page.get_by_role("navigation", name="Parts of what is shared").get_by_role(
        "link", name="Findings"
    ).click()
    sees(page, "S3 buckets")
    expect(page.locator("main")).not_to_contain_text("cedar-letters")
    return page.url


def _let_the_agreement_expire(hospital: Visit, tenant: Tenant) -> None:
    """Its dates move three days back, and the sweeper finds what is due since then."""
    with open_tenant(tenant.pk):
        for model in (Agreement, AgreementTerms):
            model.objects.update(ends_on=F("ends_on") - DAYS, last_on=F("last_on") - DAYS)
        Timer.objects.filter(kind=reminders.TIMER).update(ring_at=timezone.now())
    page = hospital.page
    hospital.go("/business-associates/?why=no_agreement")
    row = page.get_by_role("row").filter(has_text=VENDOR)
    expect(row).to_contain_text("No agreement in force")
    expect(row).to_contain_text("Expired")
    hospital.go("/")
    sees(page, "No agreement in force")
    page = open_vendor(hospital, "Agreement")
    sees(page, "Expired")
    follow(page, "Versions, clauses and documents")
    until_seen(page, page.get_by_text("Lapsed on"))


def _draft_and_review(vendor: Visit) -> None:
    page = vendor.page
    follow(page.get_by_role("navigation", name="Main"), "Verifications")
    follow(page, "Draft a packet")
    page.get_by_label("What it covers").fill("Claims and statements.")
    press(page, "Draft it")
    sees(page, "A draft. An expert reviews it", "Gap. ")
    follow(page, "Edit")
    page.get_by_role("textbox", name="Analysis").fill("Access is by role; each account is a person's own.")
    press(page, "Keep")
    sees(page, "Written by a person")
    follow(page, "Record the review")
    page.get_by_label("Expert's name").fill("Edda Stone")
    page.get_by_label("Qualification").fill("CISSP")
    page.get_by_label("Reviewed on").fill(today().isoformat())
    press(page, "Record the review")
    sees(page, "reviewed", "Edda Stone, CISSP")


def _certify(vendor: Visit, secret: str) -> None:
    """By an owner whose proof of both factors has grown old."""
    page = vendor.page
    _grow_stale(vendor)
    follow(page, "Certify")
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("input[autocomplete=one-time-code]").fill(pyotp.TOTP(secret).now())
    press(page, "Confirm with password and code")
    page.get_by_label("Your title").fill("Chief Information Officer")
    page.get_by_label("Your authority").fill("Resolution of the board, 3 March 2026")
    page.get_by_label("I have read the document").check()
    press(page, "Certify, sign and deliver")
    until_seen(page, page.locator("main").get_by_text("not opened yet"))
    sees(page, HOSPITAL, "delivered", "Nell Frost, Chief Information Officer")


def _grow_stale(visit: Visit) -> None:
    """An hour has passed since both factors were proved, and the app shows another code."""
    (cookie,) = [each for each in visit.context.cookies() if each["name"] == settings.SESSION_COOKIE_NAME]
    session = SessionStore(cookie["value"])
    session[PROVED_AT] = int(time.time()) - 3600
    session.save()
    TotpDevice.objects.filter(user__email=ADDRESS).update(last_step=-1)


def _receive_and_verify(hospital: Visit, vendor: Visit, folder: Path) -> None:
    fingerprint = vendor.page.locator("p", has_text="this fingerprint").locator(".mono").inner_text()
    page = open_vendor(hospital, "Verification")
    sees(page, "Next due", "received")
    follow(page, f"Verification {today().year}")
    sees(page, "Nell Frost, Chief Information Officer", "Edda Stone, CISSP")
    package, pdf = (_download(page, name, folder) for name in ("Signed package", "PDF"))
    code, said = verify(folder / "offline", package, "--key", fingerprint)
    assert code == 0, said
    assert f"verification.pdf and verification.json are what {ADDRESS} certified at" in said
    with zipfile.ZipFile(package) as archive:
        assert archive.read("verification.pdf") == pdf.read_bytes()
    page.get_by_role("radio", name="Accept").check()
    press(page, "Answer")
    sees(page, "Accepted by")
    vendor.page.reload()
    sees(vendor.page, "accepted")


def _download(page: Page, name: str, folder: Path) -> Path:
    with page.expect_download() as download:
        follow(page, name)
    path = folder / name.replace(" ", "-")
    download.value.save_as(path)
    return path


def _send_a_notice(vendor: Visit) -> None:
    page = vendor.page
    follow(page.get_by_role("navigation", name="Main"), "Notices")
    follow(page, "Security incident")
    page.get_by_label("In one line").fill("Mailbox of a clerk was opened by somebody else")
    page.get_by_label("What recipients should know").fill("Its password was changed at once.")
    press(page, "Show recipients and deadlines")
    sees(page, "1 recipient, each with its deadline", "72 hours")
    press(page, "Activate incident notice")
    sees(page, "0 of 1 acknowledged")


def _acknowledge(hospital: Visit) -> None:
    page = hospital.page
    hospital.go("/business-associates/")
    expect(page.get_by_role("row").filter(has_text=VENDOR)).to_contain_text("Notice not acknowledged")
    page = open_vendor(hospital, "Notices")
    follow(page, "Mailbox of a clerk was opened by somebody else")
    page.get_by_label("Note to the sender").fill("We called the help desk.")
    press(page, "Acknowledge")
    sees(page, "acknowledged")


def _see_the_acknowledgement(vendor: Visit) -> None:
    vendor.page.reload()
    sees(vendor.page, "1 of 1 acknowledged", "We called the help desk.")


def _revoke(vendor: Visit, grant: str) -> None:
    page = vendor.page
    page.goto(grant)
    look = page.get_by_role("region", name="Who looked when")
    expect(look).to_contain_text(HOSPITAL)
    page.locator("summary", has_text="Revoke").click()
    press(page, "Revoke it now")
    sees(page, "It sees nothing of this since")


def _see_nothing(hospital: Visit, shared: str) -> None:
    answer = hospital.page.goto(shared)
    assert answer
    assert answer.status == 404
    hospital.complaints.clear()  # the browser reports the 404
    hospital.go("/business-associates/")
    expect(hospital.page.get_by_role("row").filter(has_text=VENDOR)).to_contain_text("nothing shown")
    sees(open_vendor(hospital, "Posture"), "No posture is shared with us")


def _read_both_logs(hospital: Visit, vendor: Visit) -> None:
    """What one side did or read that is the other's stands in the logs of both."""
    shared = (
        "sharing.grant",
        "shared_posture.read",
        "sharing.revoke",
        "verification.read",
        "notice.acknowledge",
    )
    for visit, acts in ((vendor, (*shared, "verification.certify")), (hospital, shared)):
        for act in acts:
            visit.go(f"/audit/?act={act}")
            expect(visit.page.get_by_role("row").filter(has_text="done"), act).not_to_have_count(0)
    vendor.go(f"/audit/?act=shared_posture.read&actor={HOSPITAL}")
    expect(vendor.page.get_by_role("row").filter(has_text="Read a shared posture")).not_to_have_count(0)
