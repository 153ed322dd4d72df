"""Eastings and northings of the British National Grid as latitude and longitude, for many points at once (pure).

The formulas and figures are those of the Ordnance Survey's “A guide to coordinate systems in Great Britain”. The step
from its datum to WGS84 is the seven-parameter one, good to about five metres: far better than a postcode needs.
"""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

AIRY = (6_377_563.396, 6_356_256.909)
WGS84 = (6_378_137.000, 6_356_752.314245)
SCALE = 0.9996012717
ORIGIN_LATITUDE, ORIGIN_LONGITUDE = np.radians(49.0), np.radians(-2.0)
ORIGIN_EAST, ORIGIN_NORTH = 400_000.0, -100_000.0
SHIFT_METRES = (446.448, -125.157, 542.060)
TURN_SECONDS = (0.1502, 0.2470, 0.8421)
STRETCH = -20.4894e-6
CLOSE_ENOUGH_METRES = 1e-4


def to_degrees(eastings: Numbers, northings: Numbers) -> tuple[Numbers, Numbers]:
    """Latitudes and longitudes, WGS84 in degrees, of points given in metres."""
    return _to_wgs84(*_on_airy(eastings, northings))


def _on_airy(eastings: Numbers, northings: Numbers) -> tuple[Numbers, Numbers]:
    """Latitudes and longitudes in radians on the grid's own ellipsoid."""
    a, b = AIRY
    e2 = 1 - b**2 / a**2
    latitude = _foot(northings)
    east = eastings - ORIGIN_EAST
    sine, cosine, tangent = np.sin(latitude), np.cos(latitude), np.tan(latitude)
    nu = a * SCALE / np.sqrt(1 - e2 * sine**2)
    rho = a * SCALE * (1 - e2) / (1 - e2 * sine**2) ** 1.5
    eta2 = nu / rho - 1
    t2 = tangent**2
    vii = tangent / (2 * rho * nu)
    viii = tangent / (24 * rho * nu**3) * (5 + 3 * t2 + eta2 - 9 * t2 * eta2)
    ix = tangent / (720 * rho * nu**5) * (61 + 90 * t2 + 45 * t2**2)
    x = 1 / (cosine * nu)
    xi = (nu / rho + 2 * t2) / (cosine * 6 * nu**3)
    xii = (5 + 28 * t2 + 24 * t2**2) / (cosine * 120 * nu**5)
    north = latitude - vii * east**2 + viii * east**4 - ix * east**6
    return north, ORIGIN_LONGITUDE + x * east - xi * east**3 + xii * east**5


def _foot(northings: Numbers) -> Numbers:
    """The latitudes at which the meridian of the origin has these northings."""
    a = AIRY[0] * SCALE
    latitude: Numbers = ORIGIN_LATITUDE + (northings - ORIGIN_NORTH) / a
    for _ in range(10):
        left = northings - ORIGIN_NORTH - _arc(latitude)
        if np.all(np.abs(left) < CLOSE_ENOUGH_METRES):
            break
        latitude = latitude + left / a
    return latitude


def _arc(latitude: Numbers) -> Numbers:
    """Metres along the meridian from the origin."""
    a, b = AIRY
    n = (a - b) / (a + b)
    less, more = latitude - ORIGIN_LATITUDE, latitude + ORIGIN_LATITUDE
    metres: Numbers = (
        b
        * SCALE
        * (
            (1 + n + 1.25 * n**2 + 1.25 * n**3) * less
            - (3 * n + 3 * n**2 + 21 / 8 * n**3) * np.sin(less) * np.cos(more)
            + (15 / 8 * n**2 + 15 / 8 * n**3) * np.sin(2 * less) * np.cos(2 * more)
            - 35 / 24 * n**3 * np.sin(3 * less) * np.cos(3 * more)
        )
    )
    return metres


def _to_wgs84(latitude: Numbers, longitude: Numbers) -> tuple[Numbers, Numbers]:
    a, b = AIRY
    e2 = 1 - b**2 / a**2
    nu = a / np.sqrt(1 - e2 * np.sin(latitude) ** 2)
    x, y = nu * np.cos(latitude) * np.cos(longitude), nu * np.cos(latitude) * np.sin(longitude)
    z = (1 - e2) * nu * np.sin(latitude)
    rx, ry, rz = np.radians(np.array(TURN_SECONDS) / 3600)
    tx, ty, tz = SHIFT_METRES
    x, y, z = (
        tx + (1 + STRETCH) * x - rz * y + ry * z,
        ty + rz * x + (1 + STRETCH) * y - rx * z,
        tz - ry * x + rx * y + (1 + STRETCH) * z,
    )
    return _on_wgs84(x, y, z)


def _on_wgs84(x: Numbers, y: Numbers, z: Numbers) -> tuple[Numbers, Numbers]:
    """Degrees of points given in metres from the middle of the Earth."""
    a, b = WGS84
    e2 = 1 - b**2 / a**2
    flat = np.hypot(x, y)
    latitude = np.arctan2(z, flat * (1 - e2))
    for _ in range(5):
        nu = a / np.sqrt(1 - e2 * np.sin(latitude) ** 2)
        latitude = np.arctan2(z + e2 * nu * np.sin(latitude), flat)
    return np.degrees(latitude), np.degrees(np.arctan2(y, x))
