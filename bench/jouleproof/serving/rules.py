"""The rules of batching that the serving simulator and the serving engine share.

Which tasks the next iteration works on:

- `together`, `split`: tasks that starve, then whole prompts in the order of arrival, none overtaking one that finds no
  room, then decodes. A prompt longer than a batch is taken where it is the first.
- `chunked`: all decodes, then as much of the prompts as the batch has room for.

Each has a loop of its own over what it has in hand: the simulator's (simulator/event_loop/batching.py) is compiled over
records, selects only when something changes, and admits by bytes of KV cache; the engine's (engine/batching.py) goes
over the jobs of a worker before each iteration, which have their slots already. One loop for both would cost the
simulator its speed, or every worker the compiler. They differ where the published simulator is followed: its tasks that
starve stand behind newer ones in the queue, and wait for those.
"""

from typing import Literal

Policy = Literal["together", "chunked", "split"]

STARVED = 4  # iterations missed in a row, after which a task goes first
