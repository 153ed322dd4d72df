"""The ladder of evidence as a dispatcher sees it: which rung is reached, what the next ones lack, and who gave what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from makerhub.facilities.ladder import EvidenceKind, Limits, Standing, lacking
from makerhub.facilities.models import Evidence, EvidenceState
from makerhub.facilities.service import proof_of
from makerhub.lifecycle import history
from makerhub.people.models import Person

HOLDS, EXPIRED = "holds", "expired"


@dataclass(frozen=True)
class Rung:
    """A rung with the most items that it allows (None: as many as are asked for) and what is still to be proved for it.

    `lacks` is empty for a rung that is reached; else all of one of these is to be proved.
    """

    standing: Standing
    most: int | None
    lacks: Sequence[Sequence[EvidenceKind]]


@dataclass(frozen=True)
class Piece:
    """A piece of evidence with who gave it, how it stands (a word of `words.py`), and why it was taken back."""

    evidence: Evidence
    by: str
    how: str
    why: str

    @property
    def holds(self) -> bool:
        """Whether it proves something now, so that it can be taken back."""
        return self.how == HOLDS


def rungs(evidence: Sequence[Evidence], limits: Limits, now: datetime) -> list[Rung]:
    """All rungs, from the lowest."""
    lacks = lacking(map(proof_of, evidence), now)
    return [
        Rung(rung, limits.most(rung), [sorted(way, key=list(EvidenceKind).index) for way in lacks.get(rung, ())])
        for rung in Standing
    ]


def pieces(session: Session, evidence: Sequence[Evidence], now: datetime) -> list[Piece]:
    """The evidence with names, in the order in which it is given."""
    givers = col(Person.id).in_({one.given_by for one in evidence})
    names = dict(session.exec(select(Person.id, Person.name).where(givers)).all())
    return [_piece(session, one, names.get(one.given_by, ""), now) for one in evidence]


def _piece(session: Session, one: Evidence, by: str, now: datetime) -> Piece:
    if one.state is EvidenceState.REVOKED:
        return Piece(one, by, one.state, history(session, one)[-1].why)
    return Piece(one, by, HOLDS if proof_of(one).holds(now) else EXPIRED, "")
