"""Files made to harm a reader, read and scanned one by one: ``python bench/hostile_files.py``.

Each is given to the formats' readers and to the PHI guard in a process of its own (ended after 30 s), which
measures processor time (its own and its children's) and peak memory above what it takes idle. A row fails beyond a
second (and one more for each 32 MiB of the file) or 64 MiB, or where anything but BadDocument or BadArchive comes out. `--only WORD` runs some of them.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import kit

SECONDS, MIB = 1.0, 64
KILLED_AFTER = 30
MIB_BYTES = 1024 * 1024
BYTES_A_SECOND = 32 * MIB_BYTES
Maker = Callable[[], Iterator[bytes]]
FINDING = b'{"class_uid": 2004, "metadata": {"event_code": "c"}, "finding_info": {"title": "t"}%s}'


def json_deep() -> Iterator[bytes]:
    yield b'[{"class_uid": 2004, "a": ' + b"[" * 1_000_000


def json_deep_objects() -> Iterator[bytes]:
    yield b'{"class_uid": 2004, "a":' * 200_000


def json_million_keys() -> Iterator[bytes]:
    yield b'[{"class_uid": 2004'
    yield b"".join(b', "key%d": %d' % (n, n) for n in range(1_000_000))
    yield b"}]"


def json_million_keys_at_the_top() -> Iterator[bytes]:
    yield b'{"class_uid": 2004'
    yield b"".join(b', "key%d": %d' % (n, n) for n in range(1_000_000))
    yield b"}"


def json_large_keys() -> Iterator[bytes]:
    yield b'{"class_uid": 2004'
    for n in range(100):
        yield b', "%d' % n + b"k" * MIB_BYTES + b'": 1'
    yield b"}"


def json_large_text() -> Iterator[bytes]:
    yield b'[{"class_uid": 2004, "message": "'
    for _ in range(200):
        yield b"x" * MIB_BYTES
    yield b'"}]'


def json_large_number() -> Iterator[bytes]:
    yield b'[{"class_uid": 2004, "time": ' + b"1" * 1_900_000 + b"}]"


def json_million_numbers() -> Iterator[bytes]:
    yield b"[" + FINDING % (b', "list": [' + b"1," * 1_000_000 + b"1]") + b"]"


def json_space() -> Iterator[bytes]:
    yield b"[" + b" " * 50 * MIB_BYTES + b"]"


def json_escapes() -> Iterator[bytes]:
    yield b"[" + FINDING % (b', "m": "' + b"\\\\" * 900_000 + b'"') + b"]"


def json_half_characters() -> Iterator[bytes]:
    yield b"[" + FINDING % (b', "m": "' + b"\\ud83d\\ude00" * 100_000 + b'\\ud800"') + b"]"


def json_name_over_many_values() -> Iterator[bytes]:
    yield (
        b"["
        + FINDING
        % (b', "' + b"k" * 1_000_000 + b'": [' + b",".join(b'"v%d"' % n for n in range(50_000)) + b"]")
        + b"]"
    )


def log_of_names() -> Iterator[bytes]:
    yield b"Patient A" * 100_000


def xml_laughs() -> Iterator[bytes]:
    yield b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a0 "ha">'
    for n in range(1, 30):
        yield b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10)
    yield b"]><testsuites>&a29;</testsuites>"


def xml_outside() -> Iterator[bytes]:
    yield b'<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuites><testcase name="&x;"/></testsuites>'


def xml_attribute() -> Iterator[bytes]:
    yield b'<testsuites><testsuite name="'
    for _ in range(100):
        yield b"x" * MIB_BYTES
    yield b'"/></testsuites>'


def xml_many_attributes() -> Iterator[bytes]:
    yield b"<testsuites><testcase " + b" ".join(b'a%d="1"' % n for n in range(150_000)) + b"/></testsuites>"


def xml_attributes_on_the_way() -> Iterator[bytes]:
    for _ in range(99):
        yield b'<testsuites a="' + b"x" * MIB_BYTES + b'">'


def xml_texts_on_the_way() -> Iterator[bytes]:
    for _ in range(99):
        yield b"<testsuites>" + b"x" * MIB_BYTES


def xml_large_element() -> Iterator[bytes]:
    yield b"<testsuites><testcase>"
    for n in range(100):
        yield b'<property name="' + b"x" * 200_000 + b'%d"/>' % n
        yield b"<p>" + b"x" * MIB_BYTES + b"</p>"


def xml_names() -> Iterator[bytes]:
    yield b"<testsuites>"
    for n in range(100):
        yield b"".join(b"<e%d-%s/>" % (n * 1000 + m, b"x" * 900) for m in range(1000))


def xml_deep() -> Iterator[bytes]:
    yield b"<testsuites>" * 1_000_000


def csv_columns() -> Iterator[bytes]:
    yield b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n" + b"1," * 999_999 + b"1\n"


def csv_short_columns() -> Iterator[bytes]:
    yield b"a," * 400_000 + b"\n" + b"1," * 400_000 + b"\n"


def csv_quote() -> Iterator[bytes]:
    yield b'a,b\n"' + b"x\n" * 2_000_000


def pdf(objects: list[bytes], trailer: bytes = b"") -> bytes:
    made, places = b"%PDF-1.7\n", []
    parts = []
    at = len(made)
    for number, each in enumerate(objects, 1):
        places.append(at)
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (number, each))
        at += len(parts[-1])
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        made + b"".join(parts) + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table
        + b"trailer\n<</Root 1 0 R /Size %d %s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, at)
    )  # fmt: skip


CATALOG, PAGES = b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</Font<</F <</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"


def one_page(content: bytes, how: bytes = b"") -> bytes:
    stream = b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), how, content)
    return pdf([CATALOG, PAGES, PAGE, stream])


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(b"\0" * MIB_BYTES) for _ in range(size // MIB_BYTES)) + packer.flush()


def pdf_bomb() -> Iterator[bytes]:
    yield one_page(bomb(1024 * MIB_BYTES), b"/Filter/FlateDecode")


def pdf_bomb_twice() -> Iterator[bytes]:
    yield one_page(zlib.compress(bomb(1024 * MIB_BYTES)), b"/Filter[/FlateDecode/FlateDecode]")


def pdf_objects() -> Iterator[bytes]:
    yield pdf([CATALOG, PAGES, PAGE, b"<</Length 0>>stream\n\nendstream", *[b"1"] * 1_000_000])


def pdf_operators() -> Iterator[bytes]:
    yield one_page(zlib.compress(b"BT /F 9 Tf " + b"(a) Tj " * 2_000_000 + b"ET"), b"/Filter/FlateDecode")


def pdf_circle() -> Iterator[bytes]:
    yield pdf([CATALOG, b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>"])


def pdf_tree() -> Iterator[bytes]:
    """Thirty levels of page trees, each twice in the one above: 2^30 pages."""
    levels = [b"<</Type/Pages/Kids[%d 0 R %d 0 R]/Count 2>>" % (n + 3, n + 3) for n in range(30)]
    yield pdf([CATALOG, *levels, b"<</Type/Page>>"])


def pdf_arrays() -> Iterator[bytes]:
    yield pdf([CATALOG, b"<</Type/Pages/Kids" + b"[" * 1_000_000 + b">>"])


def pdf_forms() -> Iterator[bytes]:
    """Forms that draw the next one ten times each."""
    forms = [
        b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X %d 0 R>>>>/Length 60>>stream\n%s\nendstream"
        % (n + 6, (b"/X Do " * 10).ljust(60))
        for n in range(20)
    ]
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>"
    yield pdf([CATALOG, PAGES, page, b"<</Length 5>>stream\n/X Do\nendstream", *forms])


def pdf_xref_circle() -> Iterator[bytes]:
    made = pdf([CATALOG, PAGES, PAGE, b"<</Length 0>>stream\n\nendstream"])
    yield made.replace(b"/Size 5 ", b"/Size 5 /Prev %d" % made.rindex(b"xref\n0"))


def pdf_and_zip() -> Iterator[bytes]:
    yield one_page(b"BT /F 9 Tf (x) Tj ET") + zipped({"a.txt": b"x"})


def zipped(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def zip_bomb() -> Iterator[bytes]:
    yield zipped({"a.txt": b"\0" * 500 * MIB_BYTES})


def zip_in_zip() -> Iterator[bytes]:
    made = zipped({"a.txt": b"x"})
    for _ in range(10):
        made = zipped({"a.zip": made})
    yield made


def zip_slip() -> Iterator[bytes]:
    yield zipped({"../../etc/cron.d/x": b"x"})


def zip_names() -> Iterator[bytes]:
    yield zipped({f"{n}.txt": b"" for n in range(60_000)})


def zip_hostile_name() -> Iterator[bytes]:
    yield zipped({"invoice\u202efdp.txt": b"x"})


def zip_long_name() -> Iterator[bytes]:
    yield zipped({"x" * 2_000: b"x"})


def gzip_bomb() -> Iterator[bytes]:
    yield gzip.compress(b"\0" * 500 * MIB_BYTES)


def tar_with(member: tarfile.TarInfo) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.addfile(member, io.BytesIO(b"\0" * member.size))
    return data.getvalue()


def tar_link() -> Iterator[bytes]:
    member = tarfile.TarInfo("x")
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    yield tar_with(member)


def tar_header() -> Iterator[bytes]:
    member = tarfile.TarInfo("x")
    member.type, member.size = tarfile.XHDTYPE, 200 * MIB_BYTES
    yield tar_with(member)


def xlsx(sheet: bytes, shared: bytes = b"<sst/>") -> bytes:
    return zipped(
        {
            "[Content_Types].xml": b"<Types/>",
            "xl/sharedStrings.xml": shared,
            "xl/worksheets/sheet1.xml": sheet,
        }
    )


def xlsx_large() -> Iterator[bytes]:
    yield xlsx(b"<worksheet><sheetData>" + b'<row><c r="A1"><v>1</v></c></row>' * (32 * MIB_BYTES))


def xlsx_shared() -> Iterator[bytes]:
    texts = b"".join(b"<si><t>%s</t></si>" % os.urandom(500).hex().encode() for _ in range(50_000))
    yield xlsx(b"<worksheet/>", b"<sst>" + texts + b"</sst>")


def xlsx_laughs() -> Iterator[bytes]:
    yield xlsx(b"".join(xml_laughs()))


def gif_html() -> Iterator[bytes]:
    yield b"GIF89a/*" + b"\0" * 100 + b"*/=1;<html><script>alert(1)</script></html>"


def svg_script() -> Iterator[bytes]:
    yield b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'


def html_script() -> Iterator[bytes]:
    yield b"<!doctype html><html><script src=//evil.example></script></html>"


CASES: tuple[Maker, ...] = (
    json_deep, json_deep_objects, json_million_keys, json_million_keys_at_the_top, json_large_keys, json_large_text,
    json_large_number, json_million_numbers, json_space, json_escapes, json_half_characters, json_name_over_many_values,
    log_of_names, xml_laughs, xml_outside, xml_attribute, xml_many_attributes, xml_attributes_on_the_way,
    xml_texts_on_the_way, xml_large_element, xml_names, xml_deep, csv_columns, csv_short_columns, csv_quote, pdf_bomb,
    pdf_bomb_twice, pdf_objects, pdf_operators, pdf_circle, pdf_tree, pdf_arrays, pdf_forms, pdf_xref_circle, pdf_and_zip,
    zip_bomb, zip_in_zip, zip_slip, zip_names, zip_hostile_name, zip_long_name, gzip_bomb, tar_link, tar_header, xlsx_large,
    xlsx_shared, xlsx_laughs, gif_html, svg_script, html_script,
)  # fmt: skip
NAMES = (
    "a\0b.csv",
    "report\u202efdp.txt",
    "../../etc/passwd",
    "x" * 100_000,
    "\x1b[31mred\r\n",
    "Patient A" * 10_000,
)


def one(path: str, how: str) -> None:
    """In a process of its own: prints what came out, seconds, MiB above idle."""
    from evidence.formats.base import BadDocument, Source, read_document
    from evidence.formats.kit.mapping import mapping_from
    from evidence.phi.guard import scan

    fields = {"check": "c1", "result": "c2", "resource": "c3", "results": {"1": "PASS"}}
    mapping = mapping_from(fields)
    name = Path(path).name
    list(scan(io.BytesIO(b'[{"a": "b"}]'), "warm.json"))
    idle = _peak()
    began = _seconds()
    with Path(path).open("rb") as stream:
        try:
            if how == "read":
                is_csv = name.endswith(".csv")
                source = Source(stream=stream, name=name, mapping=mapping)
                said = f"{sum(1 for _ in read_document(source, format_name='csv' if is_csv else '').outcomes)} outcomes"
            else:
                said = f"{sum(1 for _ in scan(stream, name))} hits"
        except BadDocument as error:
            said = f"refused: {error}"
    print(json.dumps({"said": said[:70], "seconds": _seconds() - began, "mib": _peak() - idle}))


def _seconds() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _peak() -> float:
    """The process's own or that of its largest child, if that is more than a fresh interpreter with pypdf (40 MiB)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return own + max(0.0, child - own if child > own else 0.0)


def run(case: Maker, folder: Path) -> Iterator[dict[str, object]]:
    name = case.__name__.replace("_", "-")
    path = folder / (f"{name}.csv" if name.startswith("csv") else name)
    with path.open("wb") as file:
        file.writelines(case())
    for how in ("read", "scan"):
        command = [kit.PYTHON, __file__, "--one", str(path), how]
        try:
            done = subprocess.run(
                command, check=False, capture_output=True, text=True, timeout=KILLED_AFTER, cwd=kit.CHECKOUT
            )
            row = (
                json.loads(done.stdout) if done.returncode == 0 else {"said": f"BROKE: {done.stderr[-70:]!r}"}
            )
        except subprocess.TimeoutExpired:
            row = {"said": "BROKE: no end", "seconds": float(KILLED_AFTER)}
        row = {"seconds": 0.0, "mib": 0.0} | row
        bad = (
            row["said"].startswith("BROKE")
            or row["seconds"] > SECONDS + path.stat().st_size / BYTES_A_SECOND
            or row["mib"] > MIB
        )
        yield {"file": name, "kib": path.stat().st_size // 1024, "how": how, **row, "good": not bad}
    path.unlink()


def hostile_names() -> Iterator[dict[str, object]]:
    from evidence.formats.base import BadDocument, Source, read_document
    from evidence.phi.guard import scan

    for name in NAMES:
        began = time.process_time()
        try:
            list(scan(io.BytesIO(b"x"), name))
            list(read_document(Source(stream=io.BytesIO(b"x"), name=name)).outcomes)
            said = "read"
        except BadDocument as error:
            said = f"refused: {error}"
        seconds = time.process_time() - began
        yield {"file": f"name {name[:12]!r}", "kib": 0, "how": "both", "said": said[:70], "seconds": seconds, "mib": 0.0,
               "good": seconds <= SECONDS}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--one", nargs=2)
    arguments = parser.parse_args()
    if arguments.one:
        one(*arguments.one)
        return
    rows = list(hostile_names()) if not arguments.only else []
    with tempfile.TemporaryDirectory(prefix="surety-hostile-") as folder:
        for case in CASES:
            if arguments.only in case.__name__:
                for row in run(case, Path(folder)):
                    rows.append(row)
                    print(
                        f"{'' if row['good'] else 'FAILS':5} {row['file']:32} {row['kib']:7} KiB {row['how']:4} "
                        f"{row['seconds']:6.2f} s {row['mib']:6.1f} MiB  {row['said']}",
                        flush=True,
                    )
    bad = [row for row in rows if not row["good"]]
    print(json.dumps({"benchmark": "hostile_files", "files": len(rows), "bad": len(bad), "rows": rows}))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
