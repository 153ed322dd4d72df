"""The ladder of evidence: what holds whatever the evidence."""

from datetime import datetime, timedelta

import pytest
from builders import NOW
from hypothesis import given
from hypothesis import strategies as st

from makerhub.facilities.ladder import EvidenceKind, Limits, Proof, Standing, lacking, ladder

K = EvidenceKind
days = st.integers(-40, 40).map(lambda many: NOW + timedelta(days=many))
proofs = st.builds(Proof, st.sampled_from(EvidenceKind), days, days, st.none() | days)
evidence = st.lists(proofs, max_size=6)

NEEDED: dict[Standing, list[set[EvidenceKind]]] = {
    Standing.DRAFT: [set()],
    Standing.MAIL_PROVED: [{K.MAIL_DOMAIN}],
    Standing.REGISTERED: [{K.MAIL_DOMAIN, K.REGISTER_MATCH}],
    Standing.VERIFIED: [{K.REGISTER_MATCH, K.CALL_BACK}, {K.REGISTER_MATCH, K.POSTED_CODE}],
}


def holding(*kinds: EvidenceKind) -> list[Proof]:
    return [Proof(kind, NOW, NOW + timedelta(days=1)) for kind in kinds]


@pytest.mark.parametrize(
    ("kinds", "standing"),
    [
        ((), Standing.DRAFT),
        ((K.REGISTER_MATCH,), Standing.DRAFT),
        ((K.CALL_BACK, K.POSTED_CODE), Standing.DRAFT),
        ((K.MAIL_DOMAIN,), Standing.MAIL_PROVED),
        ((K.MAIL_DOMAIN, K.CALL_BACK), Standing.MAIL_PROVED),
        ((K.MAIL_DOMAIN, K.REGISTER_MATCH), Standing.REGISTERED),
        ((K.REGISTER_MATCH, K.CALL_BACK), Standing.VERIFIED),
        ((K.REGISTER_MATCH, K.POSTED_CODE), Standing.VERIFIED),
        (tuple(K), Standing.VERIFIED),
    ],
)
def test_each_rung_asks_for_its_evidence(kinds: tuple[EvidenceKind, ...], standing: Standing) -> None:
    assert ladder(holding(*kinds), NOW) is standing


@given(evidence, proofs, days)
def test_more_evidence_never_lowers(given_so_far: list[Proof], more: Proof, now: datetime) -> None:
    assert ladder([*given_so_far, more], now).rung >= ladder(given_so_far, now).rung


@given(evidence, days)
def test_no_rung_without_evidence_that_holds(given_so_far: list[Proof], now: datetime) -> None:
    kinds = {proof.kind for proof in given_so_far if proof.holds(now)}
    assert any(needed <= kinds for needed in NEEDED[ladder(given_so_far, now)])


@given(evidence, st.integers(0, 80))
def test_time_alone_only_lowers(given_so_far: list[Proof], later: int) -> None:
    """Of evidence that has been given already: what is given in the future may raise, of course."""
    known = [proof for proof in given_so_far if proof.given_at <= NOW]
    assert ladder(known, NOW + timedelta(days=later)).rung <= ladder(known, NOW).rung


@given(evidence, st.data())
def test_what_is_revoked_counts_no_more(given_so_far: list[Proof], data: st.DataObject) -> None:
    if not given_so_far:
        return
    one = data.draw(st.integers(0, len(given_so_far) - 1))
    taken = given_so_far[one]
    revoked = [*given_so_far[:one], Proof(taken.kind, taken.given_at, taken.expires_at, NOW), *given_so_far[one + 1 :]]
    without = [proof for number, proof in enumerate(given_so_far) if number != one]
    assert ladder(revoked, NOW) is ladder(without, NOW)


def test_evidence_holds_from_its_first_moment_to_before_its_last() -> None:
    proof = Proof(K.MAIL_DOMAIN, NOW, NOW + timedelta(days=1))
    moments = (-1, 0, 86_399, 86_400)
    assert [proof.holds(NOW + timedelta(seconds=s)) for s in moments] == [False, True, True, False]


def test_only_a_verified_facility_has_no_limit() -> None:
    limits = Limits(draft=0, mail_proved=25, registered=200)
    assert [limits.most(standing) for standing in Standing] == [0, 25, 200, None]


@given(evidence, days)
def test_what_is_lacking_is_what_lifts_to_the_rung_and_no_less(given_so_far: list[Proof], now: datetime) -> None:
    """All of one way reaches the rung; without any one of it the way does not."""
    for rung, ways in lacking(given_so_far, now).items():
        assert rung.rung > ladder(given_so_far, now).rung
        for way in ways:
            assert way
            more = [Proof(kind, now, now + timedelta(days=1)) for kind in way]
            assert ladder([*given_so_far, *more], now).rung >= rung.rung
    reached = ladder(given_so_far, now)
    assert set(lacking(given_so_far, now)) == {rung for rung in Standing if rung.rung > reached.rung}
