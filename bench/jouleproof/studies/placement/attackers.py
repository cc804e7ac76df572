"""Attackers that infer a workload's class, model, prompt length and identity from a release.

An attacker learns from releases of workloads that it knows, such as those it runs itself, and guesses for tenants that
it has never seen. Its gain is its accuracy less that of always guessing the most frequent answer, in shares.
"""

from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDS, TREES, MOST_FEATURES = 3, 40, 200


def features(released: np.ndarray) -> np.ndarray:
    """Return an attacker's features: the released numbers (every n-th of a long release), and order statistics, which
    ignore the time."""
    step = -(-released.shape[1] // MOST_FEATURES)
    levels = np.percentile(released, [0, 10, 50, 90, 100], axis=1).T
    return np.hstack([released[:, ::step], levels, released.std(axis=1, keepdims=True)])


def attackers(seed: int) -> dict[str, Any]:
    return {
        "trees": ExtraTreesClassifier(TREES, random_state=seed, n_jobs=1),
        "linear": make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
    }


def gain(released: np.ndarray, truth: np.ndarray, tenant: np.ndarray, seed: int) -> float:
    """Return the best attacker's gain on tenants that it has not seen; 0 where there is only one answer, or only one
    tenant, so that none is unseen."""
    values, counts = np.unique(truth, return_counts=True)
    folds = min(FOLDS, len(np.unique(tenant)))
    if len(values) < 2 or folds < 2:
        return 0.0
    inputs = features(released)
    accuracies = []
    for attacker in attackers(seed).values():
        right = np.zeros(len(truth))
        for learn, test in GroupKFold(folds).split(inputs, truth, tenant):
            right[test] = _guessed(attacker, inputs[learn], truth[learn], inputs[test]) == truth[test]
        accuracies.append(float(right.mean()))
    return max(accuracies) - float(counts.max() / counts.sum())


def gain_elsewhere(
    released: np.ndarray, truth: np.ndarray, elsewhere: np.ndarray, truth_there: np.ndarray, seed: int
) -> float:
    """Return the best attacker's gain where it learns on one fleet and guesses on another."""
    guess = np.unique(truth_there, return_counts=True)[1].max() / len(truth_there)
    accuracies = []
    for attacker in attackers(seed).values():
        guessed = _guessed(attacker, features(released), truth, features(elsewhere))
        accuracies.append(float(np.mean(guessed == truth_there)))
    return max(accuracies) - float(guess)


def _guessed(attacker: Any, inputs: np.ndarray, truth: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Train an attacker and return its guesses; one that has seen only one answer always gives that."""
    if (truth == truth[0]).all():
        return np.full(len(asked), truth[0])
    attacker.fit(inputs, truth)
    return attacker.predict(asked)


def identified(before: np.ndarray, after: np.ndarray) -> float:
    """Return the share of workloads whose release of one week is nearest to their release of the week before, less that
    of a random guess. The attacker has seen these workloads."""
    spread = before.std(axis=0) + 1e-9
    a, b = before / spread, after / spread
    distance = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2 * a @ b.T
    near = distance <= distance.min(axis=0, keepdims=True) + 1e-9 * np.abs(distance).max()
    right = np.diag(near) / near.sum(axis=0)  # it has to guess among equally near ones
    return float(right.mean()) - 1 / len(before)
