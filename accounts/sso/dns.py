"""Text records in the DNS."""

from __future__ import annotations

import dns.exception
import dns.nameserver
import dns.resolver
from django.conf import settings

from accounts.outbound import UnreachableError

SECONDS = 5.0


def text_records(name: str) -> frozenset[str]:
    """The TXT records of a name; none where the name isn't there. Raises UnreachableError.

    Asks the machine's resolvers, or settings.DNS_RESOLVERS (each "address:port").
    """
    resolver = dns.resolver.Resolver(configure=not settings.DNS_RESOLVERS)
    if settings.DNS_RESOLVERS:
        resolver.nameservers = [_server(said) for said in settings.DNS_RESOLVERS]
    try:
        answer = resolver.resolve(name + ".", "TXT", lifetime=SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return frozenset()
    except dns.exception.DNSException as error:
        raise UnreachableError(f"The DNS gives no answer about {name}. Try again shortly.") from error
    return frozenset(b"".join(record.strings).decode("ascii", "replace") for record in answer)


def _server(said: str) -> dns.nameserver.Nameserver:
    address, _, port = said.rpartition(":")
    return dns.nameserver.Do53Nameserver(address.strip("[]"), int(port))
