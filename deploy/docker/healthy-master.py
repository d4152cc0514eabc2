"""Whether the master in this container answers: exit status 0, or 1 with a reason."""

import os
import ssl
import sys
import urllib.request

port = os.environ.get("FFRTMP_PORT", "8080")
# It is told nothing, and only asked whether it is there: whose certificate it has does not matter.
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
try:
    with urllib.request.urlopen(f"https://localhost:{port}/health", timeout=4, context=context):
        pass
except OSError as error:
    sys.exit(f"the master does not answer on port {port}: {error}")
