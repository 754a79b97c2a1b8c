"""Recall and precision of the PHI guard, by kind, on a corpus made here: ``python bench/phi_guard.py``.

Positives: lines of clinical notes, letters, forms, JSON fields and CSV cells, filled by Faker from a fixed seed; every
identifier in them is known. Some forms have no word beside them that gives them away; they are marked "bare" and
counted too. Negatives: evidence without PHI: the samples of scanners' documents, answers of the AWS stand-in
(--evidence FILE, JSON or zst), logs made here. The corpus is ours and so are its forms: real notes will do worse.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import kit
import zstandard
from faker import Faker

from evidence.phi.digits import is_dea, is_gtin, is_npi, is_vin
from evidence.phi.guard import scan
from evidence.phi.kinds import Kind, Weight, mask
from evidence.phi.text import find_in_text

SAMPLES = kit.CHECKOUT / "tests" / "evidence" / "formats" / "samples"
_SLOT = re.compile(r"\{(\w+)\}")


class Line(NamedTuple):
    text: str
    name: str
    gold: list[tuple[Kind, str, bool]]
    """Kind, value, and whether it stands bare: without a word that tells what it is."""


# (key or column, text). A slot is a kind's value; {other} is plain filling.
FORMS = (
    ("", "Patient: {name}   DOB: {dob}   MRN: {mrn}"),
    ("", "Patient {name} was seen today for {other}."),
    ("", "{name} is a {age} year old presenting with {other}."),
    ("", "{name}, an {age} year-old, denies chest pain."),
    ("", "Date of birth {dob}, SSN {ssn}, phone {phone}"),
    ("", "Member ID: {plan}  Group: {other}"),
    ("", "Medicare number {mbi}"),
    ("", "Lives at {street}, {statezip}."),
    ("", "Call the daughter at {phone} or fax {fax}"),
    ("", "Admitted {visit}, discharged {visit}."),
    ("", "Contact: {email}, web {url}"),
    ("", "Medical record number {mrn} / account number {account}"),
    ("", "Driver's license {licence}; VIN {vin}"),
    ("", "Pacemaker serial number {device} UDI (01){udi}"),
    ("", "NPI {npi}, DEA {dea}"),
    ("", "Paid with card {card}"),
    ("", "Logged in from {ip}"),
    ("", "voice print id: {biometric}"),
    ("", "Mrs. {surname} reports less pain since {other}."),
    ("", "Social security: {ssn}"),
    ("", "License plate: {plate}"),
    ("", "Seen by Dr. Green. {bare_name} will return in two weeks."),
    ("", "Spoke with {bare_name} about results; no allergies."),
    ("", "Follow-up of {bare_date} showed {other}."),
    ("patientName", "{name}"), ("patient_first_name", "{first}"), ("dateOfBirth", "{dob}"), ("dob", "{dob}"), ("ssn", "{ssn_plain}"),
    ("mrn", "{mrn}"), ("medical_record_number", "{mrn}"), ("memberId", "{plan}"), ("phone_number", "{phone}"), ("fax", "{fax}"),
    ("email", "{email}"), ("homeAddress", "{street}"), ("admission_date", "{visit}"), ("accountNumber", "{account}"),
    ("license_number", "{licence}"), ("client_ip", "{ip}"), ("name", "{bare_name}"),
    ("", "Pt name - {name} / birth {dob} / acct {account}"),
    ("", "RE: {name} (DOB {dob})"),
    ("", "D.O.B.: {dob}  S.S.N. {ssn_plain}  Tel. {phone}"),
    ("", "Dear {name},"),
    ("", "67M, {name}, c/o SOB since {visit}"),
    ("", "Record no. {mrn}; policy {plan}"),
    ("", "Chart# {mrn} HIC# {mbi}"),
    ("", "Subscriber {plan}, relationship: self"),
    ("", "Expired on {visit} at home, {street}."),
    ("", "Home: {street}, {statezip}, cell {phone}"),
    ("", "Daughter {name} can be reached at {phone}"),
    ("", "Attending: Dr. Green. Patient's mother, {name}, present."),
    ("", "Licence {licence}, plate {plate}, vehicle {vin}"),
    ("", "ICD implanted {visit}, S/N {device}"),
    ("", "Checking acct. {account}; card on file {card}"),
    ("lastName", "{surname}"), ("first_name", "{first}"), ("birthDate", "{dob}"), ("medicalRecordNo", "{mrn}"), ("policyNumber", "{plan}"),
    ("subscriberId", "{plan}"), ("social", "{ssn_plain}"), ("mobilePhone", "{phone}"), ("address1", "{street}"), ("dischargeDate", "{visit}"),
    ("full_name", "{name}"), ("driverLicense", "{licence}"), ("deviceSerial", "{device}"),
)  # fmt: skip
# Written after the recognisers were done, which were not changed for them since: what to expect of another's notes.
HELD_OUT = (
    ("", "{name}: {visit} - wound check, no fever"),
    ("", "Name of client {name}, D/O/B {dob}, ID {mrn}"),
    ("", "Referral for {name} ({dob}), please call {phone}"),
    ("", "Hosp no {mrn} NHS/SSN {ssn}"),
    ("", "Insured under {plan} (Blue Shield), group 22"),
    ("", "PT: {name} | SEX: F | BIRTH: {dob} | MR#: {mrn}"),
    ("", "She lives with her husband {name} at {street}"),
    ("", "Visit of {visit}. Ht 170 cm, Wt 80 kg."),
    ("", "Emergency contact: {name} {phone}"),
    ("", "Social worker spoke to {name}'s landlord"),
    ("", "Ship to: {name}, {street}, {statezip}"),
    ("", "Bank acct no {account} for refund"),
    ("", "Medicare ID {mbi}, secondary {plan}"),
    ("", "DL# {licence}, car {vin}"),
    ("", "Stent lot/serial {device}"),
    ("", "Write to {email} or fax results to {fax}"),
    ("", "This {age} yo woman, {name}, fell at home"),
    ("pt_name", "{name}"), ("surname", "{surname}"), ("DateOfBirth", "{dob}"), ("birth_dt", "{dob}"), ("med_rec_num", "{mrn}"), ("SSN_NUM", "{ssn_plain}"),
    ("street", "{street}"), ("zip", "{statezip}"), ("contactPhone", "{phone}"), ("insuranceNumber", "{plan}"), ("admitDate", "{visit}"),
    ("implantSerial", "{device}"), ("acct_no", "{account}"), ("contact", "{name}"),
)  # fmt: skip
KINDS = {
    "name": Kind.NAME, "first": Kind.NAME, "surname": Kind.NAME, "bare_name": Kind.NAME, "age": Kind.DATE, "dob": Kind.DATE, "visit": Kind.DATE,
    "bare_date": Kind.DATE, "mrn": Kind.RECORD_NUMBER, "ssn": Kind.SSN, "ssn_plain": Kind.SSN, "phone": Kind.PHONE, "fax": Kind.FAX, "email": Kind.EMAIL,
    "plan": Kind.PLAN_NUMBER, "mbi": Kind.PLAN_NUMBER, "street": Kind.PLACE, "statezip": Kind.PLACE, "url": Kind.URL, "account": Kind.ACCOUNT,
    "card": Kind.ACCOUNT, "licence": Kind.LICENCE, "npi": Kind.LICENCE, "dea": Kind.LICENCE, "vin": Kind.VEHICLE, "plate": Kind.VEHICLE,
    "device": Kind.DEVICE, "udi": Kind.DEVICE, "ip": Kind.IP_ADDRESS, "biometric": Kind.BIOMETRIC,
}  # fmt: skip


class Maker:
    """Values for slots."""

    def __init__(self, seed: int) -> None:
        Faker.seed(seed)
        self.fake, self.random = Faker("en_US"), random.Random(seed)

    def line(self, forms: tuple[tuple[str, str], ...]) -> Line:
        name, form = self.random.choice(forms)
        gold: list[tuple[Kind, str, bool]] = []

        def fill(match: re.Match[str]) -> str:
            value = self.value(match[1])
            # Ages to 89 are no identifier.
            if match[1] in KINDS and not (match[1] == "age" and int(value) < 90):
                gold.append((KINDS[match[1]], value, match[1].startswith("bare_")))
            return value

        return Line(_SLOT.sub(fill, form), name, gold)

    def value(self, slot: str) -> str:
        fake, chance = self.fake, self.random
        date = fake.date_of_birth(minimum_age=1, maximum_age=95)
        forms = ("%m/%d/%Y", "%Y-%m-%d", "%B %d, %Y", "%m-%d-%y", "%d %b %Y", "%m/%d/%y")
        makers: dict[str, Callable[[], str]] = {
            "name": lambda: chance.choice((f"{fake.first_name()} {fake.last_name()}", f"{fake.last_name()}, {fake.first_name()}", f"{fake.first_name()} {chance.choice('ABCDE')}. {fake.last_name()}")),
            "first": fake.first_name, "surname": fake.last_name, "bare_name": lambda: f"{fake.first_name()} {fake.last_name()}",
            "age": lambda: str(chance.choice((34, 67, 91, 95, 102))),
            "dob": lambda: date.strftime(chance.choice(forms)), "visit": lambda: date.strftime(chance.choice(forms)), "bare_date": lambda: date.strftime(chance.choice(forms)),
            "mrn": lambda: chance.choice((fake.numerify("########"), fake.bothify("??######").upper(), fake.numerify("MRN-#######"))),
            "ssn": fake.ssn, "ssn_plain": lambda: fake.ssn().replace("-", ""),
            "phone": self._phone, "fax": self._phone, "email": fake.email, "url": fake.url, "ip": fake.ipv4_public,
            "plan": lambda: fake.bothify("???#########").upper(), "mbi": self._mbi,
            "street": fake.street_address, "statezip": lambda: f"{fake.state_abbr()} {fake.postcode()}",
            "account": lambda: fake.numerify("%########"), "card": lambda: " ".join(re.findall(".{4}", fake.credit_card_number("visa16"))),
            "licence": lambda: fake.bothify("?#######").upper(),
            "npi": lambda: self._until("1#########", is_npi), "dea": lambda: self._until("??#######", is_dea), "vin": lambda: self._until(None, is_vin),
            "plate": fake.license_plate, "device": lambda: fake.bothify("???######").upper(), "udi": lambda: self._until("#" * 14, is_gtin),
            "biometric": lambda: fake.hexify("^" * 24), "other": lambda: " ".join(fake.words(3)),
        }  # fmt: skip
        return makers[slot]()

    def _phone(self) -> str:
        area, middle = self.random.choice(("212", "415", "617", "312", "206")), self.random.randint(220, 989)
        form = self.random.choice(("({}) {}-{:04}", "{}-{}-{:04}", "{}.{}.{:04}", "+1 {} {} {:04}"))
        return form.format(area, middle, self.random.randint(0, 9999))

    def _mbi(self) -> str:
        letter = lambda: self.random.choice("ACDEFGHJKMNPQRTUVWXY")  # noqa: E731
        digit = lambda: str(self.random.randint(0, 9))  # noqa: E731
        return f"{self.random.randint(1, 9)}{letter()}{letter()}{digit()}-{letter()}{letter()}{digit()}-{letter()}{letter()}{digit()}{digit()}"

    def _until(self, form: str | None, valid: Callable[[str], bool]) -> str:
        while True:
            made = (
                self.fake.bothify(form).upper()
                if form
                else "".join(self.random.choices("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", k=17))
            )
            if valid(made):
                return made


def measure(lines: int, seed: int, forms: tuple[tuple[str, str], ...] = FORMS) -> dict[str, dict[str, float]]:
    maker, found, missed, wrong, bare = Maker(seed), Counter(), Counter(), Counter(), Counter()
    for _ in range(lines):
        line = maker.line(forms)
        hits = Counter((hit.kind, hit.sample) for hit in find_in_text(line.text, "line", line.name))
        for kind, value, is_bare in line.gold:
            match = next(
                (
                    hit
                    for hit in hits
                    if hit[0] is kind
                    and (hit[1] in mask(value) or mask(value) in hit[1] or _shape(value) in hit[1])
                ),
                None,
            )
            if match:
                found[kind] += 1
                bare[kind, True] += is_bare
                hits[match] -= 1
                hits += Counter()
            else:
                missed[kind] += not is_bare
                bare[kind, False] += is_bare
        for (kind, _sample), count in hits.items():
            wrong[kind] += count
    return {
        kind.value: {
            "known": found[kind] + missed[kind] - bare[kind, True],
            "recall": round(
                (found[kind] - bare[kind, True]) / max(1, found[kind] + missed[kind] - bare[kind, True]), 3
            ),
            "bare": bare[kind, True] + bare[kind, False],
            "bare_found": bare[kind, True],
            "precision": round(found[kind] / max(1, found[kind] + wrong[kind]), 3),
        }
        for kind in Kind
        if found[kind] + missed[kind] + wrong[kind]
    }


def _shape(value: str) -> str:
    """An age of 90 and more is found as its digits."""
    return mask(value.split(" ", maxsplit=1)[0]) if value.isdigit() else mask(value)


def logs(seed: int, lines: int = 3_000) -> bytes:
    """Lines as web servers, sshd and CloudTrail write them; addresses in them are addresses."""
    Faker.seed(seed)
    fake, chance = Faker("en_US"), random.Random(seed)
    forms: tuple[Callable[[], str], ...] = (
        lambda: (
            f'{fake.ipv4_public()} - - [{fake.date_time():%d/%b/%Y:%H:%M:%S +0000}] "GET /{fake.uri_path()} HTTP/1.1" 200 {chance.randint(1, 10**6)} "-" "{fake.user_agent()}"'
        ),
        lambda: (
            f"{fake.date_time():%b %d %H:%M:%S} ip-10-0-{chance.randint(0, 255)}-7 sshd[{chance.randint(1, 32768)}]: Accepted publickey for ec2-user from {fake.ipv4_private()} port {chance.randint(1024, 65535)}"
        ),
        lambda: json.dumps(
            {
                "eventTime": f"{fake.date_time():%Y-%m-%dT%H:%M:%SZ}",
                "userIdentity": {
                    "arn": f"arn:aws:sts::{fake.numerify('#' * 12)}:assumed-role/Admin/{fake.user_name()}",
                    "accountId": fake.numerify("#" * 12),
                },
                "eventID": fake.uuid4(),
            }
        ),
        lambda: (
            f"{fake.date_time():%Y-%m-%d %H:%M:%S,%f} INFO worker {fake.sha256()} took {chance.random():.6f} s"
        ),
    )
    return "\n".join(chance.choice(forms)() for _ in range(lines)).encode()


def negatives(extra: list[Path]) -> Iterator[tuple[str, bytes]]:
    for path in sorted(SAMPLES.iterdir()):
        yield path.name, path.read_bytes()
    yield "logs", logs(7)
    for path in extra:
        data = path.read_bytes()
        yield (
            path.name,
            zstandard.ZstdDecompressor().stream_reader(data).read() if path.suffix == ".zst" else data,
        )


def alarms(extra: list[Path]) -> list[dict[str, object]]:
    rows = []
    for name, data in negatives(extra):
        began = time.process_time()
        hits = list(scan(io.BytesIO(data), name))
        seconds = time.process_time() - began
        weights = Counter(hit.weight for hit in hits)
        kinds = Counter(hit.kind.value for hit in hits if hit.weight is not Weight.NOTE)
        rows.append(
            {
                "document": name,
                "kilobytes": round(len(data) / 1024),
                **{w.value: weights[w] for w in Weight},
                "kinds": dict(kinds),
                "seconds": round(seconds, 2),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--lines", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--evidence", type=Path, action="append", default=[])
    arguments = parser.parse_args()
    lines = arguments.lines or (4_000 if arguments.quick else 20_000)
    kinds, documents = measure(lines, arguments.seed), alarms(arguments.evidence)
    held_out = measure(lines, arguments.seed, HELD_OUT)
    print(f"{'kind':24} {'known':>7} {'recall':>7} {'precision':>9} {'bare':>6} {'found':>6}")
    for kind, row in kinds.items():
        print(
            f"{kind:24} {row['known']:7} {row['recall']:7.3f} {row['precision']:9.3f} {row['bare']:6} {row['bare_found']:6}"
        )
    print(f"\n{'held-out forms':24} {'known':>7} {'recall':>7} {'precision':>9}")
    for kind, row in held_out.items():
        print(f"{kind:24} {row['known']:7} {row['recall']:7.3f} {row['precision']:9.3f}")
    print(f"\n{'document without PHI':28} {'KiB':>6} {'block':>6} {'review':>6} {'note':>6}  false alarms")
    for row in documents:
        print(
            f"{row['document']:28.28} {row['kilobytes']:6} {row['block']:6} {row['review']:6} {row['note']:6}  {row['kinds'] or ''}"
        )
    print(
        json.dumps(
            {
                "benchmark": "phi_guard",
                "lines": lines,
                "kinds": kinds,
                "held_out": held_out,
                "documents": documents,
            }
        )
    )


if __name__ == "__main__":
    main()
