"""Whether the agent in this container runs, and the master knows it: exit status 0, or 1 with a reason."""

import json
import os
import sys
from pathlib import Path

state = Path(os.environ["FFRTMP_STATE_DIR"])
instances = [json.loads(file.read_bytes()) for file in state.glob("*/instance.json")]
if not any(each["registered"] and Path(f"/proc/{each['process']['pid']}").exists() for each in instances):
    sys.exit("the agent is not registered with its master yet; its log says why")
