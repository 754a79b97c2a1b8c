"""The PHI guard: what it finds, where, how it shows it, and what it leaves alone."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import Any

import openpyxl
import pytest
import typst

from evidence.formats.base import BadDocument
from evidence.phi.digits import is_card, is_dea, is_gtin, is_npi, is_ssn, is_vin
from evidence.phi.guard import scan
from evidence.phi.kinds import Kind, Weight, mask
from evidence.phi.text import find_in_text, plain_name
from tests.evidence.formats.kit import SAMPLES


def found(text: str, name: str = "") -> dict[Kind, str]:
    return {hit.kind: hit.sample for hit in find_in_text(text, "here", name)}


def scanned(data: bytes, name: str = "") -> list[tuple[Kind, str]]:
    return [(hit.kind, hit.place) for hit in scan(io.BytesIO(data), name)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Patient: Maria Gonzalez-Ruiz", Kind.NAME),
        ("Gonzalez, Maria is a 45-year-old", Kind.NAME),
        ("Mrs. Okafor reports less pain", Kind.NAME),
        ("DOB 03/14/1961", Kind.DATE),
        ("date of birth: March 14, 1961", Kind.DATE),
        ("a 93 year old man", Kind.DATE),
        ("discharged 2026-11-02", Kind.DATE),
        ("SSN 219099999", Kind.SSN),
        ("219-09-9999", Kind.SSN),
        ("MRN: 00482913", Kind.RECORD_NUMBER),
        ("medical record # AB-48291", Kind.RECORD_NUMBER),
        ("Medicare 1EG4-TE5-MK73", Kind.PLAN_NUMBER),
        ("Member ID: XYZ123456789", Kind.PLAN_NUMBER),
        ("1200 North Maple Avenue", Kind.PLACE),
        ("Springfield, IL 62704", Kind.PLACE),
        ("call (212) 555-0199 x2, or 212-664-7665", Kind.PHONE),
        ("Fax: 212-664-7665", Kind.FAX),
        ("+44 20 7946 0958", Kind.PHONE),
        ("jane.doe@example.org", Kind.EMAIL),
        ("account number 48291377", Kind.ACCOUNT),
        ("4111 1111 1111 1111", Kind.ACCOUNT),
        ("driver's license D1234567", Kind.LICENCE),
        ("DEA AB1234563", Kind.LICENCE),
        ("NPI 1234567893", Kind.LICENCE),
        ("1HGCM82633A004352", Kind.VEHICLE),
        ("pacemaker serial number PJN123456", Kind.DEVICE),
        ("(01)00844588003288(17)141120", Kind.DEVICE),
        ("https://example.org/x", Kind.URL),
        ("from 8.8.8.8", Kind.IP_ADDRESS),
        ("2606:4700:4700::1111", Kind.IP_ADDRESS),
        ("voice print id: a81f00bd", Kind.BIOMETRIC),
    ],
)
def test_each_identifier_is_found(text: str, kind: Kind) -> None:
    assert kind in found(text)


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("patientLastName", "Okafor", Kind.NAME),
        ("PATIENT_NAME", "Ada Okafor", Kind.NAME),
        ("dateOfBirth", "1961-03-14", Kind.DATE),
        ("ssn", "219099999", Kind.SSN),
        ("mrn", "482913", Kind.RECORD_NUMBER),
        ("memberId", "XYZ123456789", Kind.PLAN_NUMBER),
        ("phone", "2126647665", Kind.PHONE),
    ],
)
def test_a_key_or_column_says_what_a_bare_value_is(name: str, value: str, kind: Kind) -> None:
    assert kind in found(value, name)
    assert kind not in found(value, "resource")


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:iam::111122223333:role/Admin created 2026-11-02T10:00:00Z",
        "AwsAccountId 111122223333, account number 111122223333",
        "i-0abcd1234ef567890 vol-0123456789 sg-12345678",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "10.0.4.7 192.168.1.1 172.31.0.9 127.0.0.1",
        "Certificate serial number 04:AF:12:9B valid until 12/31/2027",
        "request took 219.09 ms, 666-12-3456 and 900-12-3456 are no numbers of persons",
        "version 1.2.3.4, port 8443, build 20261102",
        "a 45-year-old policy",
        "Patient Access API, Member account settings, patient safety",
    ],
)
def test_evidence_of_how_systems_are_set_up_raises_no_alarm(text: str) -> None:
    assert [hit for hit in find_in_text(text, "") if hit.weight is not Weight.NOTE] == []


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
def test_scanners_documents_raise_no_alarm(path: Any) -> None:
    assert [
        hit for hit in scan(io.BytesIO(path.read_bytes()), path.name) if hit.weight is not Weight.NOTE
    ] == []


def test_numbers_keep_the_rules_of_those_who_give_them() -> None:
    assert is_ssn("219-09-9999")
    assert not any(
        map(is_ssn, ("000-12-3456", "666-12-3456", "912-12-3456", "219-00-9999", "219-09-0000", "21909999"))
    )
    assert is_npi("1234567893") and not is_npi("1234567890")
    assert is_dea("AB1234563") and not is_dea("AB1234560")
    assert is_vin("1HGCM82633A004352") and not is_vin("1HGCM82643A004352")
    assert is_card("4111111111111111") and not is_card("4111111111111112")
    assert is_gtin("00844588003288") and not is_gtin("00844588003287")


def test_a_sample_shows_the_form_and_never_the_value() -> None:
    assert found("MRN: AB-48291")[Kind.RECORD_NUMBER] == "xx-00000"
    assert mask("O'Brien 7\u202e") == "x'xxxxx 0?"


def test_a_number_belongs_to_the_words_right_before_it() -> None:
    assert found("MRN 00482913 / account number 77120034").keys() == {Kind.RECORD_NUMBER, Kind.ACCOUNT}
    assert plain_name("patientLast_NAME-2") == "patient last name 2"


def test_json_is_looked_into_with_its_keys_and_told_by_pointer() -> None:
    data = json.dumps(
        [{"patients": [{"mrn": "482913", "note": "DOB 03/14/1961"}]}, {"dob": 19610314}]
    ).encode()
    assert scanned(data) == [(Kind.RECORD_NUMBER, "/0/patients/0/mrn"), (Kind.DATE, "/0/patients/0/note")]


def test_csv_is_looked_into_with_its_columns_and_told_by_cell() -> None:
    data = b"host,patient_name,dob\ndb-1,Ada Okafor,1961-03-14\n"
    assert scanned(data, "export.csv") == [(Kind.NAME, "line 2, column 2"), (Kind.DATE, "line 2, column 3")]


def test_text_is_told_by_line_also_where_it_only_begins_like_json() -> None:
    assert scanned(b"one\n[x] SSN 219-09-9999\n") == [(Kind.SSN, "line 2")]
    assert scanned(b"[2026-11-02] start\n[2026-11-02] SSN 219-09-9999\n") == [(Kind.SSN, "line 2")]


def test_a_long_line_is_looked_into_once_everywhere() -> None:
    for offset in range(3_780, 4_020, 7):
        assert len(scanned(b"x" * offset + b" SSN 219-09-9999 " + b"x" * 4_000)) == 1


def test_a_pdf_is_told_by_page() -> None:
    data = typst.compile(b"Minutes #pagebreak() Patient: Ada Okafor, DOB 03/14/1961")
    assert scanned(data) == [(Kind.NAME, "page 2"), (Kind.DATE, "page 2")]


def test_a_workbook_is_told_by_cell() -> None:
    book, data = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    sheet.append(["MRN", "Comment"])
    sheet.append(["00482913", "DOB 03/14/1961"])
    book.save(data)
    assert {hit for hit in scanned(data.getvalue()) if "cell" in hit[1]} == {
        (Kind.RECORD_NUMBER, "cell A2 of sheet1"),
        (Kind.DATE, "cell B2 of sheet1"),
    }


def office(folder: str, xml: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(f"{folder}.xml", xml)
        archive.writestr(f"{folder.partition('/')[0]}/media/image1.png", b"\x89PNG")
    return data.getvalue()


@pytest.mark.parametrize("folder", ["word/document", "ppt/slides/slide1"])
def test_words_that_formatting_cut_are_found_in_office_files(folder: str) -> None:
    xml = '<a xmlns:w="w"><w:p><w:r><w:t>SSN 219-</w:t></w:r><w:r><w:t>09-9999</w:t></w:r></w:p></a>'
    kinds = [kind for kind, _place in scanned(office(folder, xml))]
    assert kinds == [Kind.SSN, Kind.PHOTO]


def test_what_cannot_be_looked_into_is_refused() -> None:
    for data in (
        b"PK\x03\x04 no archive",
        b"\x7fELF",
        b"%PDF-1.7 broken",
        office("word/document", '<!DOCTYPE a [<!ENTITY x "y">]><a/>'),
    ):
        with pytest.raises(BadDocument):
            scanned(data)


@pytest.mark.parametrize(
    "text", ["A", "1", "1-", "Aa ", "1 ", "a@", "a.", "ssn 1", "MRN A1-", "2-12 ", ":a", "Patient A", "1 A "]
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    list(find_in_text(text * (100_000 // len(text)), ""))
    assert time.process_time() - began < 2
