"""Duration of a batch's iterations. A segment is a series of iterations of one batch, until something may change."""

import numpy as np

from jouleproof.serving.simulator.event_loop.events import push
from jouleproof.serving.simulator.event_loop.records import BEND, DECODE, PROMPT, SEGMENT_END, compiled


@compiled
def plan(s, m, prompts, decodes, context):
    """Plan the next segment: one iteration if the batch has prompts, else as many as its shortest decode has left.

    prompts: their tokens. context: tokens that attention reads.
    """
    machine, now, times = s.machines[m], s.simulation[0].now, s.times
    kind = machine.kind
    machine.batch_prompts = prompts
    machine.active = prompts + decodes
    machine.most_decodes = max(machine.most_decodes, decodes)
    machine.begun = now
    machine.growth = 0.0
    machine.steps = 1
    per_context = times.affine[kind, 2]
    bent = max(decodes - BEND, 0)
    further = times.affine[kind, 0] * decodes + times.affine[kind, 1] * bent + per_context * context
    if prompts == 0:
        fewest = machine.left[0]
        for place in range(1, machine.batch_size):
            fewest = min(fewest, machine.left[place])
        machine.steps = fewest
        machine.phase = DECODE
        machine.watts = times.decode_w[kind]
        machine.step = interpolated(times.tokens, times.decode_s[kind], decodes) + further
        machine.growth = per_context * decodes
    else:
        machine.phase = PROMPT
        machine.watts = held_at_ends(times.tokens, times.prompt_w[kind], prompts)
        machine.step = interpolated(times.tokens, times.prompt_s[kind], prompts + decodes)
        if decodes > 0:
            machine.step *= times.mixed[kind]
        machine.step += further  # a prompt in the batch does not save the cost per decode
    _plan_end(s, m, now + length(machine.step, machine.growth, machine.steps))


@compiled
def cut_short(s, m):
    """End the current segment with its current iteration, so that a new batch can be selected."""
    machine, now = s.machines[m], s.simulation[0].now
    if machine.cut or machine.batch_prompts > 0:
        return
    machine.cut = 1
    elapsed = now - (machine.end - length(machine.step, machine.growth, machine.steps))
    machine.steps = whole_iterations(machine.step, machine.growth, elapsed) + 1
    _plan_end(s, m, now + (length(machine.step, machine.growth, machine.steps) - elapsed))


@compiled
def _plan_end(s, m, time):
    machine = s.machines[m]
    machine.end = time
    machine.version += 1
    push(s, time, SEGMENT_END, m, machine.version)


@compiled
def length(step, growth, steps):
    """Return the seconds of `steps` iterations: the first takes `step`, each later one `growth` longer."""
    return step * steps + growth * (0.5 * steps * (steps - 1))


@compiled
def whole_iterations(step, growth, elapsed):
    """Return how many whole iterations fit into a time."""
    if growth == 0.0:
        return np.int64(elapsed // step)
    half = step - 0.5 * growth
    steps = np.int64((np.sqrt(half * half + 2.0 * growth * elapsed) - half) / growth)
    while length(step, growth, steps + 1) <= elapsed:
        steps += 1
    while steps > 0 and length(step, growth, steps) > elapsed:
        steps -= 1
    return steps


@compiled
def interpolated(x, y, value):
    """Interpolate linearly between knots; extrapolate the outer segments."""
    i = 0
    while i < len(x) - 2 and value > x[i + 1]:
        i += 1
    return (y[i + 1] - y[i]) / (x[i + 1] - x[i]) * (value - x[i]) + y[i]


@compiled
def held_at_ends(x, y, value):
    return interpolated(x, y, min(max(value, x[0]), x[-1]))
