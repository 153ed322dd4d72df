"""The form with which a reviewer decides: what was typed, and the decision that it means."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from makerhub.designs.approvals import LONGEST_EVIDENCE, Decision, Scope
from makerhub.designs.models import ApprovalState
from makerhub.errors import Invalid, translatable
from makerhub.people.models import Organisation
from makerhub.web.times import parse_day_end

DECISIONS = (ApprovalState.COMMUNITY_REVIEWED, ApprovalState.CLINICALLY_APPROVED, ApprovalState.PROTOTYPE)
HERE, JURISDICTION = "hub", "jurisdiction"
A_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Typed:
    """What was typed, as it was typed; `material` is empty for all, `where` is the hub or its whole jurisdiction."""

    state: str = ""
    material: str = ""
    where: str = HERE
    evidence: str = ""
    link: str = ""
    valid_until: str = ""
    sure: str = ""

    @classmethod
    def read(cls, form: Mapping[str, str]) -> "Typed":
        """What a form holds; a form that was not sent holds nothing."""
        return cls(**{name: form[name].strip() for name in asdict(cls()) if name in form})

    @property
    def is_sure(self) -> bool:
        """Whether it was confirmed."""
        return self.sure == "yes"

    def fields(self) -> dict[str, str]:
        """Everything but the confirmation, for hidden fields."""
        return {name: text for name, text in asdict(self).items() if name != "sure"}

    def decision(
        self, *, materials: Sequence[str], of_hub: Organisation, jurisdiction: str, zone: ZoneInfo, now: datetime
    ) -> Decision:
        """The decision that was meant. Raises `Invalid` by field; `approvals` checks what can be read."""
        problems: dict[str, str] = {}
        if self.state not in DECISIONS:
            problems["state"] = translatable("Choose what you have decided.")
        if self.material and self.material not in materials:
            problems["material"] = translatable("Choose one of these.")
        if self.where not in (HERE, JURISDICTION) or (self.where == JURISDICTION and not jurisdiction):
            problems["where"] = translatable("Choose one of these.")
        if self.link and (not self.link.startswith(("https://", "http://")) or len(self.link.split()) != 1):
            problems["link"] = translatable("Enter a whole address, like https://example.org/report.")
        if len(self.with_link) > LONGEST_EVIDENCE:
            problems["evidence"] = translatable("Keep this and the link under 500 characters together.")
        until = self._valid_until(zone, problems)
        if problems:
            raise Invalid(fields=problems)
        is_here = self.where == HERE
        scope = Scope(self.material, of_hub.id if is_here else None, "" if is_here else jurisdiction)
        return Decision(scope, ApprovalState(self.state), self.with_link, now, until)

    @property
    def with_link(self) -> str:
        """The evidence with the address of its report at its end; only an address is no evidence."""
        return f"{self.evidence}\n{self.link}" if self.evidence and self.link else self.evidence

    def _valid_until(self, zone: ZoneInfo, problems: dict[str, str]) -> datetime | None:
        """The last second of the day, so that it reads as the day that was typed."""
        if not self.valid_until or self.state == ApprovalState.PROTOTYPE:
            return None
        try:
            return parse_day_end(self.valid_until, zone) - A_SECOND
        except Invalid:
            problems["valid_until"] = translatable("Enter a day, like 2026-04-30.")
            return None
