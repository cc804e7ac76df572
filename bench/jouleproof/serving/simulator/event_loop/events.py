"""The event heap, ordered by time and, at equal times, by the order in which events were pushed."""

from jouleproof.serving.simulator.event_loop.records import EVENTS_FULL, TRANSFER_RETRY, compiled


@compiled
def push(s, time, kind, of, version):
    simulation, events = s.simulation[0], s.events
    place = simulation.events
    if place == len(events):
        simulation.status = EVENTS_FULL
        return
    if kind != TRANSFER_RETRY:
        simulation.alive += 1
    order = simulation.order
    simulation.order = order + 1
    simulation.events = place + 1
    while place > 0:
        above = (place - 1) // 2
        parent = events[above]
        if parent.time < time or (parent.time == time and parent.order < order):
            break
        _fill(events[place], parent.time, parent.order, parent.kind, parent.of, parent.version)
        place = above
    _fill(events[place], time, order, kind, of, version)


@compiled
def pop(s):
    """Remove the first event and return its time, kind, machine or request, and version."""
    simulation, events = s.simulation[0], s.events
    top = events[0]
    popped = top.time, top.kind, top.of, top.version
    size = simulation.events - 1
    simulation.events = size
    end = events[size]
    time, order, kind, of, version = end.time, end.order, end.kind, end.of, end.version
    place = 0
    while True:
        below = 2 * place + 1
        if below >= size:
            break
        if below + 1 < size:
            left, right = events[below], events[below + 1]
            if right.time < left.time or (right.time == left.time and right.order < left.order):
                below += 1
        child = events[below]
        if time < child.time or (time == child.time and order < child.order):
            break
        _fill(events[place], child.time, child.order, child.kind, child.of, child.version)
        place = below
    _fill(events[place], time, order, kind, of, version)
    return popped


@compiled
def _fill(event, time, order, kind, of, version):
    event.time = time
    event.order = order
    event.kind = kind
    event.of = of
    event.version = version
