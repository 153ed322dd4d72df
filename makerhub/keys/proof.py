"""Whether the key file and the database belong together: a known word, sealed in a row of its own."""

from datetime import datetime

from sqlmodel import Session, select

from makerhub.db import Database, IntegrityError
from makerhub.keys.box import KeyBox, NotGenuine, place
from makerhub.keys.models import KeyProof

WORD = "makerhub"


def prove(database: Database, key_box: KeyBox, now: datetime) -> None:
    """Make the proof when the database has none; else raise `Unreadable` when the key file is not the database's."""
    if has_proof(database):
        check(database, key_box)
        return
    proof = KeyProof(sealed_word=b"", made_at=now)
    proof.sealed_word = key_box.seal(WORD, place(KeyProof, proof.id, "sealed_word"))
    try:
        with database.changing() as session:
            session.add(proof)
    except IntegrityError:  # another process was first
        check(database, key_box)


def has_proof(database: Database) -> bool:
    """Whether a hub has used this database with any key."""
    with database.reading() as session:
        return session.exec(select(KeyProof)).first() is not None


def check(database: Database, key_box: KeyBox) -> None:
    """Raise `Unreadable` when the proof in the database can not be opened."""
    with database.reading() as session:
        proof = the_proof(session)
    opened = key_box.open(proof.sealed_word, place(KeyProof, proof.id, "sealed_word"))
    if opened != WORD:
        raise NotGenuine(place=str(place(KeyProof, proof.id, "sealed_word")))


def the_proof(session: Session, *, alone: bool = False) -> KeyProof:
    """The proof; `alone` waits for whoever else changes the keys, and keeps others waiting until the session ends."""
    found = select(KeyProof)
    return session.exec(found.with_for_update() if alone else found).one()
