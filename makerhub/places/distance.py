"""Points on the globe and how far apart they are (pure)."""

import math
from dataclasses import dataclass

EARTH_KM = 6371.0088
"""The mean radius of the Earth, as the IUGG states it."""


@dataclass(frozen=True)
class Point:
    """A place in degrees, WGS84: north and east are positive."""

    latitude: float
    longitude: float

    def rounded(self, places: int = 2) -> "Point":
        """The point to so many decimal places; two are about a kilometre."""
        return Point(round(self.latitude, places), round(self.longitude, places))


def is_on_earth(latitude: float, longitude: float) -> bool:
    """Whether the two numbers can be a latitude and a longitude."""
    return -90 <= latitude <= 90 and -180 <= longitude <= 180


def kilometres(one: Point, other: Point) -> float:
    """The length of the great circle between two points."""
    north, south = math.radians(one.latitude), math.radians(other.latitude)
    across = math.radians(other.longitude - one.longitude)
    half = math.sin((south - north) / 2) ** 2 + math.cos(north) * math.cos(south) * math.sin(across / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(half)))
