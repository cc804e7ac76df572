"""What a reader sees of a drawn figure: its texts and their positions on the canvas, in pixels of the PNG."""

import math
import re
from itertools import combinations, pairwise

from matplotlib.text import Text


def laid_out(figure):
    """Lay out the figure at the resolution at which it is saved."""
    figure.set_dpi(200)
    figure.draw_without_rendering()
    return figure


def axis_lines(axes):
    return (("x", axes.xaxis), ("y", axes.yaxis))


def visible_tick_labels(line):
    """Tick labels inside the view, in their order on the canvas; matplotlib keeps others that it does not draw."""
    low, high = sorted(line.get_view_interval())
    slack = 1e-9 * (high - low)
    ticks = [tick for tick in line.get_major_ticks() if low - slack <= tick.get_loc() <= high + slack]
    labels = [(tick.get_loc(), tick.label1) for tick in ticks if tick.label1.get_visible() and tick.label1.get_text()]
    return [label for _, label in sorted(labels, key=lambda label: label[0])]


def hidden_tick_labels(figure):
    lines = [line for axes in figure.axes for _, line in axis_lines(axes)]
    labels = {id(tick.label1) for line in lines for tick in line.get_major_ticks() + line.get_minor_ticks()}
    invisible = {id(text) for axes in figure.axes if not axes.axison for text in axes.findobj(Text)}
    written = {id(text) for axes in figure.axes for text in axes.texts}
    visible = {id(label) for line in lines if line.axes.axison for label in visible_tick_labels(line)}
    return (labels | (invisible - written)) - visible


def texts(figure):
    hidden = hidden_tick_labels(figure)
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and id(text) not in hidden
    ]


def outside_the_canvas(figure, tolerance=1.0):
    """Texts and legends that the canvas cuts off."""
    page = figure.bbox.padded(tolerance)
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts(figure)]
    boxes += [("legend", legend.get_window_extent()) for legend in figure.legends]
    return [
        (name, box.extents.round().tolist())
        for name, box in boxes
        if not (page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1)
    ]


def overlapping(labels):
    """Pairs of texts whose boxes share pixels."""
    boxes = [(label.get_text(), label.get_window_extent().padded(-0.5)) for label in labels]
    return [(a, b) for (a, one), (b, other) in combinations(boxes, 2) if one.overlaps(other)]


def overlapping_tick_labels(line):
    """Neighbouring labels that overlap; the distance of labels at the same angle is that of their baselines."""
    labels = visible_tick_labels(line)
    angles = {label.get_rotation() for label in labels}
    if angles <= {0.0}:
        return overlapping(labels)
    (angle,) = angles
    crowded = []
    for a, b in pairwise(labels):
        apart = abs(place_of(b) - place_of(a)) * math.sin(math.radians(angle))
        if apart < a.get_fontsize() * a.figure.dpi / 72:
            crowded.append((a.get_text(), b.get_text()))
    return crowded


def place_of(label):
    return label.get_transform().transform(label.get_position())[0]


def has_unit(label):
    return re.search(r"\([^()]+\)$", label) is not None


def is_number(text):
    return re.fullmatch(r"[\d.,eE+−\-^{}\s×]+", text.replace(r"\mathdefault", "").replace("$", "")) is not None


def is_categorical(line):
    """Whether the ticks of an axis are names."""
    labels = [label.get_text() for label in visible_tick_labels(line)]
    return bool(labels) and not any(map(is_number, labels))


def unlabelled_axes(figure):
    """Axes that have neither a label with a unit nor names, on them or on a shared axis. The axis across a colour bar
    needs none."""
    missing = []
    for axes in figure.axes:
        if not axes.axison:
            continue
        shared = {"x": axes.get_shared_x_axes(), "y": axes.get_shared_y_axes()}
        for way, line in axis_lines(axes):
            if axes.get_label() == "<colorbar>" and len(line.get_ticklocs()) == 0:
                continue
            lines = [line, *(getattr(other, f"{way}axis") for other in shared[way].get_siblings(axes))]
            if not any(has_unit(shown.get_label_text()) or is_categorical(shown) for shown in lines):
                missing.append((axes.get_title(), way, line.get_label_text()))
    return missing
