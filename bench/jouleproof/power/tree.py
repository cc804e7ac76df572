"""A power domain tree: a hall of rows of racks, each with a power budget, and the servers in its leaves."""

from dataclasses import dataclass, replace

import numpy as np

from jouleproof.errors import UserError


@dataclass(frozen=True)
class Tree:
    """The nodes of a power domain tree, parents before children. parent: (nodes,), -1 at the top. budget_w: (nodes,)
    power budgets. servers: (nodes,) numbers of servers in leaves, 0 above."""

    parent: np.ndarray
    budget_w: np.ndarray
    servers: np.ndarray

    @property
    def leaves(self) -> np.ndarray:
        return np.flatnonzero(self.servers > 0)

    @property
    def depth(self) -> np.ndarray:
        """Return (nodes,) depths, 0 at the top."""
        depth = np.zeros(len(self.parent), int)
        for node in range(1, len(self.parent)):
            depth[node] = depth[self.parent[node]] + 1
        return depth

    def scaled(self, factor: float) -> "Tree":
        """Return the tree with scaled budgets, for a policy that has to keep a margin."""
        return replace(self, budget_w=self.budget_w * factor)


def tree(
    rows: int, servers: int, nameplate_w: float, crowding: float = 2.0, racks: int = 1, uneven: bool = False
) -> Tree:
    """Make a hall of rows, each with a budget for the nameplates of `servers` servers and with places for `crowding`
    times as many.

    racks: number of racks in a row; the budget of each is its share of the row's and a quarter more. The hall's budget
    is the sum of its rows'. uneven: rows' budgets are spread evenly by up to half a server's power either way, so that
    a policy gains nothing from demands that divide a budget. Raises UserError where a budget is too small for one
    server.
    """
    if servers < 1 or rows < 1:
        raise UserError(f"placement: rows and servers per row must be at least 1, got {rows} and {servers}")
    if nameplate_w <= 0:
        raise UserError(f"placement: the nameplate must be above 0 W, got {nameplate_w:g} W")
    if racks > servers:
        raise UserError(f"placement: racks per row must be at most its {servers} servers, got {racks}")
    parent, budget, standing = [-1], [rows * servers * nameplate_w], [0]
    places = int(np.ceil(servers * crowding / racks))
    for number in range(rows):
        row = len(parent)
        row_w = nameplate_w * (servers + ((number + 0.5) / rows - 0.5 if uneven else 0.0))
        parent.append(0)
        budget.append(row_w)
        standing.append(0 if racks > 1 else places)
        if racks > 1:
            parent += [row] * racks
            budget += [1.25 * row_w / racks] * racks
            standing += [places] * racks
    if min(budget) < nameplate_w * (1 - 1e-9):
        raise UserError(
            f"placement: a budget of {min(budget):,.0f} W is too small for one server of {nameplate_w:,.0f} W; "
            "use larger rows or larger racks"
        )
    return Tree(parent=np.array(parent), budget_w=np.array(budget), servers=np.array(standing))
