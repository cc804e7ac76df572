"""Batching rules that the serving simulator and the serving engine share.

An iteration takes tasks in this order:

- `together`, `split`: starved tasks, then whole prompts by arrival, then decodes. Once a prompt does not fit, no later
  prompt is taken. A prompt longer than a batch is taken if it is the first task.
- `chunked`: all decodes, then as many prompt tokens as fit into the batch.

The simulator and the engine each have their own loop. The simulator's (simulator/event_loop/batching.py) is compiled,
selects a batch only when something has changed, and admits by bytes of KV cache. The engine's (engine/batching.py)
selects one before each iteration, from jobs that already have slots. A shared loop would slow the simulator down or
require a compiler in every worker. The two differ where the simulator follows the published one, in which starved tasks
queue behind newer ones and wait for them.
"""

from typing import Literal

Policy = Literal["together", "chunked", "split"]

STARVED = 4  # consecutive missed iterations after which a task goes first
