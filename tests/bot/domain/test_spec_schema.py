from bot.domain.spec_schema import schema
from tests.bot.domain.generate_pps_schema import TARGET
from tests.bot.domain.generate_pps_schema import schema as generated


def test_the_committed_fields_are_those_of_the_sdk() -> None:
    assert TARGET.read_text() == generated()


def test_every_field_is_known_in_both_spellings() -> None:
    snake = schema().field("CreatePipelineRequest", "datum_timeout")
    assert snake is not None
    assert snake is schema().field("CreatePipelineRequest", "datumTimeout")


def test_every_kind_leads_somewhere() -> None:
    scalars = {
        "string",
        "bool",
        "int32",
        "int64",
        "uint64",
        "float",
        "duration",
        "timestamp",
        "map",
    }
    known = scalars | schema().messages.keys() | schema().enums.keys()
    assert {field.kind for fields in schema().messages.values() for field in fields} <= known
