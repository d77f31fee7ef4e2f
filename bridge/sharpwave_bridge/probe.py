"""`python -m sharpwave_bridge.probe`: start Julia, run a kernel, print what came out as one line of JSON."""

from __future__ import annotations

import json
import time

import numpy as np

from .errors import BridgeError
from .julia import call, session


def main() -> None:
    began = time.perf_counter()
    try:
        numbers = np.arange(3.0)
        call("increment", numbers)
        seconds = time.perf_counter() - began
        if numbers.tolist() != [1.0, 2.0, 3.0]:
            raise BridgeError(f"the first kernel gave {numbers.tolist()}, not [1.0, 2.0, 3.0]")
        runtime = session().runtime
        answer = {
            "runtime": runtime.name,
            "julia": runtime.version,
            "threads": runtime.threads,
            "seconds_to_first_result": round(seconds, 3),
        }
    except BridgeError as error:
        answer = {"error": " ".join(str(error).split())}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
