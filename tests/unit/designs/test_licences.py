"""What a design's licence lets a hub do."""

import pytest

from makerhub.designs.licences import (
    FOR_YOURSELF_ONLY,
    NOT_FOR_MONEY,
    NOT_TO_BE_CHANGED,
    UNKNOWN,
    LicencePolicy,
    LicenceRefused,
    Permissions,
    permissions_of,
    require_permission,
)

FREE, PAID = LicencePolicy(), LicencePolicy(money=True)


@pytest.mark.parametrize(
    ("license_id", "permissions"),
    [
        ("CERN-OHL-W-2.0", Permissions()),
        ("CERN-OHL-1.2", Permissions()),
        ("CC0-1.0", Permissions()),
        ("CC-BY-SA-4.0", Permissions()),
        ("GPL-3.0-or-later", Permissions()),
        ("CC-BY-NC-4.0", Permissions(money=False)),
        ("CC-BY-NC-SA-3.0", Permissions(money=False)),
        ("CC-BY-ND-4.0", Permissions(adaptation=False)),
        ("CC-BY-NC-ND-4.0", Permissions(money=False, adaptation=False)),
    ],
)
def test_a_known_licence_permits_what_it_says(license_id: str, permissions: Permissions) -> None:
    assert permissions_of(license_id) == permissions


@pytest.mark.parametrize(
    ("license_id", "sentence"),
    [
        ("SDFL", FOR_YOURSELF_ONLY),
        ("LicenseRef-Personal-Use", FOR_YOURSELF_ONLY),
        ("All-Rights-Reserved", FOR_YOURSELF_ONLY),
        ("NONE", FOR_YOURSELF_ONLY),
        ("", UNKNOWN),
        ("CC-BY-5.0", UNKNOWN),
        ("CC-BY-NC-ND-SA-4.0", UNKNOWN),
        ("MIT; DROP TABLE", UNKNOWN),
        ("LicenseRef-Hospital", UNKNOWN),
    ],
)
def test_a_private_or_unknown_licence_is_refused_with_a_way_out(license_id: str, sentence: str) -> None:
    with pytest.raises(LicenceRefused) as refused:
        require_permission(license_id, FREE)
    assert refused.value.template == sentence
    assert license_id in refused.value.fields["license"]


def test_the_operator_may_accept_further_licences() -> None:
    require_permission("LicenseRef-Hospital", LicencePolicy(further=frozenset({"LicenseRef-Hospital"})), adapted=True)


def test_a_hub_that_takes_money_refuses_what_forbids_that() -> None:
    require_permission("CC-BY-NC-SA-4.0", FREE)
    with pytest.raises(LicenceRefused) as refused:
        require_permission("CC-BY-NC-SA-4.0", PAID)
    assert refused.value.template == NOT_FOR_MONEY


def test_what_must_not_be_changed_can_be_made_but_not_mended() -> None:
    require_permission("CC-BY-ND-4.0", PAID)
    with pytest.raises(LicenceRefused) as refused:
        require_permission("CC-BY-ND-4.0", PAID, adapted=True)
    assert refused.value.template == NOT_TO_BE_CHANGED
