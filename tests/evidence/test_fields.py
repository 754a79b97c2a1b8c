"""Fields of a document can be withheld one by one, and what is shown still proves itself."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import random
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.fields import Pattern, any_of, leaves_of, root_of, shown, tree_root

SALT = bytes(range(32))
DOCUMENT = {
    "calls": {
        "ListBuckets": {"": {"response": {"Buckets": [{"Name": "records", "Days": 3}, {"Name": "scans"}]}}},
        "GetBucketPolicy": {"a/b~c": {"absent": "NoSuchBucketPolicy"}},
    },
    "gaps": [],
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def _rfc6962(leaves: list[bytes]) -> bytes:
    """The tree hash as RFC 6962, section 2.1, defines it, by recursion."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + _rfc6962(leaves[:split]) + _rfc6962(leaves[split:])).digest()


def _recomputed(rows: list[dict[str, Any]]) -> str:
    """What a reader computes from a withheld document, as formats have it, sharing no code with the writer."""
    hashes = []
    for row in rows:
        if "leaf" in row:
            hashes.append(bytes.fromhex(row["leaf"]))
        else:
            text = rfc8785.dumps([row["salt"], row["path"], row["value"]])
            hashes.append(hashlib.sha256(b"\x00" + text).digest())
    return _rfc6962(hashes).hex()


def _withheld(document: Any, *patterns: str) -> list[dict[str, Any]]:
    hides = any_of(patterns)
    rows = [shown(leaf, withheld=hides(leaf.pointer)) for leaf in leaves_of(document, SALT)]
    return json.loads(json.dumps(rows))


def test_every_scalar_and_every_empty_list_is_a_leaf_under_its_pointer():
    assert {leaf.pointer: leaf.value for leaf in leaves_of(DOCUMENT, SALT)} == {
        "/calls/ListBuckets//response/Buckets/0/Name": "records",
        "/calls/ListBuckets//response/Buckets/0/Days": 3,
        "/calls/ListBuckets//response/Buckets/1/Name": "scans",
        "/calls/GetBucketPolicy/a~1b~0c/absent": "NoSuchBucketPolicy",
        "/gaps": [],
    }


def test_a_leafs_salt_comes_from_the_documents_and_its_pointer():
    leaf = leaves_of({"a": 1}, SALT)[0]
    assert leaf.salt == hmac.new(SALT, b"/a", hashlib.sha256).digest()[:16].hex()
    assert leaf.hash == hashlib.sha256(b"\x00" + rfc8785.dumps([leaf.salt, "/a", 1])).digest()


def test_a_withheld_field_shows_its_hash_alone_and_the_root_is_the_same():
    rows = _withheld(DOCUMENT, "Name")
    assert "records" not in json.dumps(rows)
    assert sum("leaf" in row for row in rows) == 2
    assert _recomputed(rows) == root_of(DOCUMENT, SALT)


def test_two_documents_with_equal_fields_and_other_salts_share_no_hash():
    first, second = (leaves_of(DOCUMENT, os.urandom(32)) for _ in range(2))
    assert not {leaf.hash for leaf in first} & {leaf.hash for leaf in second}


@pytest.mark.parametrize(
    ("pattern", "pointer", "matches"),
    [
        ("/a/b", "/a/b", True),
        ("/a/b", "/a/b/c/d", True),
        ("/a/b", "/a", False),
        ("/a/b", "/x/a/b", False),
        ("/a/*/c", "/a/anything/c", True),
        ("/a/*/c", "/a/anything/d", False),
        ("/calls/*//response", "/calls/ListBuckets//response/Buckets/0/Name", True),
        ("/a~1b", "/a~1b/c", True),
        ("Name", "/a/Name", True),
        ("Name", "/a/Name/0/b", True),
        ("Name", "/a/UserName", False),
    ],
)
def test_patterns_are_pointers_with_stars_or_names_of_fields(pattern, pointer, matches):
    assert Pattern(pattern).matches(pointer) is matches
    assert any_of(["/nothing", pattern])(pointer) is matches


@settings(max_examples=200, deadline=None)
@given(document=JSON, seed=st.integers(0, 2**32))
def test_whatever_is_withheld_of_whatever_document_the_rest_verifies(document, seed):
    chosen = random.Random(seed)
    rows = [shown(leaf, withheld=chosen.random() < 0.5) for leaf in leaves_of(document, SALT)]
    assert _recomputed(json.loads(json.dumps(rows))) == root_of(document, SALT)


@settings(max_examples=100, deadline=None)
@given(document=JSON, seed=st.integers(0, 2**32))
def test_a_changed_value_salt_path_or_order_is_another_root(document, seed):
    chosen = random.Random(seed)
    rows = _withheld(document)
    row = chosen.choice(rows)
    change = chosen.choice(["value", "path", "salt", "order", "drop"])
    if change == "value":
        row["value"] = [row["value"]]
    elif change == "path":
        row["path"] += "x"
    elif change == "salt":
        row["salt"] = "0" * 32
    elif change == "drop":
        rows.remove(row)
    elif len(rows) > 1:
        rows.reverse()
    else:
        rows *= 2
    assert _recomputed(rows) != root_of(document, SALT)


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=40))
def test_the_tree_is_the_one_of_rfc_6962(leaves):
    assert tree_root(leaves) == _rfc6962(leaves)
