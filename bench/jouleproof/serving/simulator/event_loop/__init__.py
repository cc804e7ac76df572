"""The compiled event loop of the simulator. A reader starts at `loop.run`.

The rules are those of the published simulator (Mutinifni/splitwise-sim, commit 8f99e7d), in other words than its own;
what is corrected is set by Limits and Times, never by another path through the rules.

From the bottom up: `records` (what is stored), `linked_lists` and `events` (where it is stored), `iterations` (how long
a batch takes), `accounting` (time, energy, latencies), `pools` (groups of machines), `batching` (which tasks the next
iterations work on), `chunked` (the same where prompts are read in chunks), `transfers` (KV caches that move), `routing`
(which machine a request goes to), `loop`.

Everything compiled stays in this folder: numba's cache on disk sees edits of the file of `run` alone, so `run` carries
a checksum of all of them (`loop.CODE_VERSION`).
"""
