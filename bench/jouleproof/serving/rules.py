"""Batching rules that the serving simulator and the serving engine share.

The next iteration works on these tasks, in this order:

- `together`, `split`: starved tasks, then whole prompts by arrival, none of which overtakes one that does not fit, then
  decodes. A prompt longer than a batch is taken if it comes first.
- `chunked`: all decodes, then as many prompt tokens as fit into the batch.

The simulator and the engine each have their own loop. The simulator's (simulator/event_loop/batching.py) is compiled,
selects only when something changes, and admits by bytes of KV cache. The engine's (engine/batching.py) goes over a
worker's jobs, which already have their slots, before each iteration. A shared loop would slow the simulator down or
require a compiler in every worker. They differ where the simulator follows the published one, whose starved tasks stand
behind newer ones in the queue and wait for them.
"""

from typing import Literal

Policy = Literal["together", "chunked", "split"]

STARVED = 4  # consecutive missed iterations after which a task goes first
