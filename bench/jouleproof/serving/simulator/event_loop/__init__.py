"""The compiled event loop of the simulator; start reading at `loop.run`.

It reimplements the rules of the published simulator (Mutinifni/splitwise-sim, commit 8f99e7d). Corrections are values
of Limits and Times, never other paths through the rules.

From the bottom up: `records` (what is stored), `linked_lists` and `events` (where it is stored), `iterations` (how long
a batch takes), `accounting` (time, energy, latencies), `pools` (groups of machines), `batching` (which tasks the next
iterations work on), `chunked` (the same for prompts in chunks), `transfers` (KV caches that move), `routing` (which
machine a request goes to), `loop`.

All compiled code is in this folder: numba's cache on disk notices edits only of the file that defines `run`, so `run`
carries a checksum of all files (`loop.CODE_VERSION`).
"""
