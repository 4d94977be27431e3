"""Korean particles follow the sound before them."""

import pytest

from model.report.page.language import language
from model.report.page.particle import resolved


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("토큰을(를)", "토큰을"),
        ("장/초을(를)", "장/초를"),
        ("70B을(를)", "70B를"),
        ("PUE과(와) 가동률과(와)", "PUE와 가동률과"),
        ("X330 compact은(는)", "X330 compact는"),
        ("J/토큰이(가)", "J/토큰이"),
        ("J/토큰(이)다", "J/토큰이다"),
        ("kW이(가) 된다", "kW가 된다"),
        ("239장 (148~256)이(가)", "239장 (148~256)이"),
        ('<a href="#o=x">47 kW</a>을(를)', '<a href="#o=x">47 kW</a>를'),
        ("H100(으)로", "H100으로"),
        ("서울(으)로", "서울로"),
        ("버스(으)로", "버스로"),
        ("GDDR6-AiM은(는)", "GDDR6-AiM은"),
        ("10%을(를)", "10%를"),
        ("3이(가) 7과(와) 8을(를)", "3이 7과 8을"),
        ("그대로 둔다 (괄호)", "그대로 둔다 (괄호)"),
    ],
)
def test_one_particle_is_kept(written: str, read: str) -> None:
    assert resolved(written) == read


def test_a_message_keeps_one_particle_and_its_markup() -> None:
    ko = language("ko")
    assert "(를)" not in str(ko.say("What would {model} need?", model="70B"))
    assert language("en").text("a {thing}을(를)", thing="x") == "a x을(를)"
