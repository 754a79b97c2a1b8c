#!/usr/bin/env bash
# For cron or a systemd timer on an EC2 instance with an instance role: pushes what OpenSCAP found on this machine.
# No secret is stored anywhere: AWS tells the portal which role runs here. docs/api-client.md says what to set up before.
#
# Once, with Python 3.11 or newer:
#   python3.11 -m venv /opt/surety
#   /opt/surety/bin/pip install \
#     "surety-client[aws] @ git+https://git.example.org/surety.git@COMMIT#subdirectory=clients/python"
set -euo pipefail

export SURETY_URL=https://portal.example.org
export SURETY_CLIENT_ID=00000000-0000-0000-0000-000000000000 # an id, not a secret
export SURETY_KEYLESS=aws
export AWS_REGION="${AWS_REGION:-us-east-1}" # whose STS the portal asks

CONTENT=/usr/share/xml/scap/ssg/content/ssg-al2023-ds.xml
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

# oscap ends with 2 where a rule failed: that is what is to be told.
oscap xccdf eval --profile xccdf_org.ssgproject.content_profile_hipaa --results "$folder/results.xml" "$CONTENT" \
  >/dev/null || [ $? -eq 2 ]

/opt/surety/bin/surety push "$folder/results.xml" --name "$(hostname).xccdf.xml" --stream "openscap $(hostname)" --complete
