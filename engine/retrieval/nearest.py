"""Find references by embeddings: cosine similarity, and a draw among the best (Phidias, arXiv 2409.11406, 3.4)."""

from __future__ import annotations

import numpy as np

from engine.errors import InputError


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows (...,D) brought to length 1; those of length 0 stay."""
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)


def similarities(query: np.ndarray, views: np.ndarray) -> np.ndarray:
    """Cosine (N,) of ``query`` (D,) with that of V ``views`` (N,V,D) of each of N things which is nearest to it."""
    if views.ndim != 3 or query.shape != views.shape[2:]:
        raise InputError(f"The query has shape {query.shape} and the shelf {views.shape}; (D,) and (N, V, D) are needed.")
    return (unit(views) @ unit(query)).max(1) if views.size else np.zeros(len(views))


def best(scores: np.ndarray, k: int) -> np.ndarray:
    """Indices of the ``k`` highest scores (N,), best first; equal ones in their order; fewer if there are fewer."""
    if k < 1:
        raise InputError(f"{k} candidates were asked for.", "Ask for 1 or more.")
    return np.argsort(-scores, kind="stable")[:k]


def shares(scores: np.ndarray, temperature: float) -> np.ndarray:
    """Probability (K,) of each of K scores: softmax at ``temperature``; at 0 the best has it all."""
    if not (np.isfinite(temperature) and temperature >= 0):
        raise InputError(f"The retrieval temperature is {temperature}; allowed is 0 or more.", "0 always takes the best match.")
    if temperature == 0:
        return np.eye(len(scores))[int(scores.argmax())]
    odds = np.exp((scores - scores.max()) / temperature)
    return odds / odds.sum()


def sample(scores: np.ndarray, k: int, temperature: float, rng: np.random.Generator) -> int:
    """An index into ``scores`` (N,), drawn by softmax among the ``k`` best. Raises `InputError` if there are no scores."""
    if len(scores) == 0:
        raise InputError("There is nothing to draw a reference from.", "Add models to the folder, or use the shipped shelf.")
    candidates = best(scores, k)
    return int(candidates[rng.choice(len(candidates), p=shares(scores[candidates], temperature))])
