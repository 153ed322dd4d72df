"""Every table of a hub, for the migrations and for whoever needs the whole metadata."""

from makerhub.audit import models as audit
from makerhub.delivery import models as delivery
from makerhub.demand import models as demand
from makerhub.designs import models as designs
from makerhub.facilities import models as facilities
from makerhub.hubs import models as hubs
from makerhub.keys.models import KeyProof
from makerhub.lifecycle import Transition
from makerhub.moderation import models as moderation
from makerhub.notices import models as notices
from makerhub.people import block_models as blocks
from makerhub.people import entry_models as entry
from makerhub.people import home_models as homes
from makerhub.people import models as people
from makerhub.places import models as places
from makerhub.printers import agent_models, fit
from makerhub.printers import models as printers
from makerhub.production import models as production
from makerhub.production import trial_models
from makerhub.stock import models as stock
from makerhub.trace import models as trace

__all__ = [
    "KeyProof",
    "Transition",
    "agent_models",
    "audit",
    "blocks",
    "delivery",
    "demand",
    "designs",
    "entry",
    "facilities",
    "fit",
    "homes",
    "hubs",
    "moderation",
    "notices",
    "people",
    "places",
    "printers",
    "production",
    "stock",
    "trace",
    "trial_models",
]
