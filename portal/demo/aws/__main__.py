"""``python -m portal.demo.aws --port N``: run the stand-in for AWS on 127.0.0.1."""

from __future__ import annotations

import argparse
import os
import sys
import threading

# moto reads these when it is imported.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
os.environ.setdefault("MOTO_ALLOW_NONEXISTENT_REGION", "true")
# moto's 1,300 stock images come with snapshots that every account then owns.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
os.environ.pop("MOTO_ACCOUNT_ID", None)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m portal.demo.aws", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one; it is printed when ready")
    parser.add_argument("--seed", type=int, default=20250101, help="seed of moto's generator of ids")
    parser.add_argument("--exit-with-parent", action="store_true", help="end when standard input closes")
    return parser.parse_args()


def _exit_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    arguments = _parse()
    from portal.demo.aws.server import build_server

    server = build_server(arguments.host, arguments.port, seed=arguments.seed)
    if arguments.exit_with_parent:
        threading.Thread(target=_exit_with_parent, daemon=True).start()
    sys.stdout.write(f"ready http://{arguments.host}:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
