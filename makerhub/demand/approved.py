"""What may be made for a request line: the materials whose approval is enough for the facility that asks."""

from datetime import datetime

from sqlmodel import Session

from makerhub.demand.models import RequestLine, SupplyRequest
from makerhub.designs.approvals import ApprovalPolicy, approved_materials
from makerhub.designs.models import Part
from makerhub.people.models import Organisation


def materials_for(
    session: Session, policy: ApprovalPolicy, line: RequestLine, part: Part, now: datetime
) -> frozenset[str]:
    """The materials of which this part may be printed for this line."""
    request = session.get_one(SupplyRequest, line.request_id)
    kind = session.get_one(Organisation, request.facility_id).kind
    return approved_materials(session, policy, part, kind, request.hub_id, now)
