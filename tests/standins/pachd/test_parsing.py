import json
from typing import Any

import pytest

from tests.standins.pachd.errors import Refused
from tests.standins.pachd.parsing import json_name, parse
from tests.standins.pachd.sdk import pps


def read(spec: dict[str, Any] | str) -> dict[str, Any]:
    text = spec if isinstance(spec, str) else json.dumps(spec)
    return parse(text, pps.CreatePipelineRequest)


@pytest.mark.parametrize(
    ("name", "expected"), [("s3_out", "s3Out"), ("tf_job", "tfJob"), ("image", "image")]
)
def test_names_become_camel_case_as_protoc_makes_them(name: str, expected: str) -> None:
    assert json_name(name) == expected


def test_both_spellings_of_a_field_are_read() -> None:
    assert read({"datum_tries": 3}) == read({"datumTries": 3}) == {"datumTries": 3}


def test_map_keys_keep_their_spelling() -> None:
    spec = {"transform": {"env": {"MY_VAR": "x"}}, "metadata": {"labels": {"a_b": "c"}}}
    assert read(spec) == spec


@pytest.mark.parametrize(
    "spec",
    [
        {"datumTries": "3"},
        {"datumTries": 3.0},
        {"parallelismSpec": {"constant": "4"}},
        {"resourceRequests": {"cpu": "0.5"}},
        {"datumTimeout": "3600s"},
        {"datumTimeout": "1.5s"},
        {"input": {"cron": {"name": "tick", "start": "2024-01-02T03:04:05Z"}}},
        {"tolerations": [{"operator": "EXISTS", "tolerationSeconds": "60"}]},
        {"transform": None},
        {"egress": {"URL": "s3://bucket"}},
    ],
)
def test_what_protojson_accepts_is_accepted_and_kept(spec: dict[str, Any]) -> None:
    assert read(spec) == spec


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"imagee": 1}, 'unknown field "imagee"'),
        ({"egress": {"url": "s3://bucket"}}, 'unknown field "url"'),
        ({"transform": {"imag": "x"}}, 'unknown field "imag"'),
        ({"transform": {"cmd": "python"}}, "unexpected token"),
        ({"transform": {"cmd": [1]}}, "invalid value for string field cmd: 1"),
        ({"transform": {"image": 1}}, "invalid value for string field image"),
        ({"transform": {"env": {"A": 1}}}, "invalid value for string field A"),
        ({"transform": "x"}, "unexpected token"),
        ({"autoscaling": "true"}, "invalid value for bool field autoscaling"),
        ({"datumTries": 1.5}, "invalid value for int64 field datumTries"),
        ({"datumTries": True}, "invalid value for int64 field datumTries"),
        ({"datumTries": " 3"}, "invalid value for int64 field datumTries"),
        ({"parallelismSpec": {"constant": -1}}, "invalid value for uint64 field constant"),
        ({"resourceRequests": {"cpu": "much"}}, "invalid value for float field cpu"),
        ({"datumTimeout": "1h"}, 'invalid google.protobuf.Duration value "1h"'),
        ({"datumTimeout": 60}, "unexpected token 60"),
        ({"tolerations": [{"operator": "LIKE"}]}, "invalid value for enum field operator"),
        ({"tolerations": [None]}, "unexpected token null"),
        ({"datum_tries": 1, "datumTries": 1}, "duplicate field"),
        ('{"salt": "a", "salt": "b"}', 'duplicate field "salt"'),
        ('{"salt": "a"} {"salt": "b"}', "syntax error"),
        ('{"resourceRequests": {"cpu": NaN}}', "invalid value NaN"),
        ("{", "syntax error"),
        ("[]", "unexpected token"),
        (
            {"egress": {"objectStorage": {"url": "s3://a"}, "sqlDatabase": {"url": "b"}}},
            "oneof is already set",
        ),
    ],
)
def test_what_protojson_refuses_is_refused(spec: dict[str, Any] | str, message: str) -> None:
    with pytest.raises(Refused) as caught:
        read(spec)
    assert message in caught.value.message
