"""A container's health check: asks its web process, as a browser would, whether it is well."""

import http.client
import os
import sys

PATH = "/healthz"
PORT = 8000


def main() -> int:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    connection.request("GET", PATH, headers={"Host": os.environ["ALLOWED_HOSTS"].split(",")[0]})
    return connection.getresponse().status != http.client.OK


if __name__ == "__main__":
    sys.exit(main())
