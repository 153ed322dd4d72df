"""Mail domains as they are compared (pure): in IDNA, in lower case, whole and never by a part."""

from collections.abc import Collection


def domain_of(text: str) -> str:
    """The domain of an address, or a domain itself, in ASCII and lower case; empty for what can be none."""
    domain = text.rpartition("@")[2].strip().strip(".").lower()
    try:
        return domain.encode("idna").decode("ascii").lower() if "." in domain else ""
    except UnicodeError:
        return ""


def is_among(email: str, domains: Collection[str]) -> bool:
    """Whether the address is at exactly one of these domains; one below such a domain is another domain."""
    domain = domain_of(email)
    return bool(domain) and domain in {domain_of(one) for one in domains}
