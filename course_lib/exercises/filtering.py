"""Reference and mistakes of lesson 03's graph filter: singular vectors between two roots of degrees."""

import numpy as np


def ideal_filter(R: np.ndarray, num_factors: int) -> np.ndarray:
    r"""
    Write the second half of GF-CF alone, the ideal low-pass filter: `ideal_filter(R, num_factors)`. `R` holds zeros and
    ones, `[num_users, num_items]`; everybody took something and everything was taken. Return the scores
    $R\, D_I^{-1/2} V V^\top D_I^{1/2}$, of the shape of `R`. The columns of $V$, `[num_items, num_factors]`, are the
    right singular vectors of $\tilde R = D_U^{-1/2} R D_I^{-1/2}$ with the largest singular values. Let
    `np.linalg.svd(..., full_matrices=False)` find them.
    """
    # begin solution
    of_users, of_items = np.sqrt(R.sum(axis=1, keepdims=True)), np.sqrt(R.sum(axis=0))
    _, _, V_transposed = np.linalg.svd(R / of_users / of_items, full_matrices=False)
    V = V_transposed[:num_factors].T
    return (R / of_items) @ V @ V.T * of_items
    # end solution


def filtered(R: np.ndarray, matrix: np.ndarray, chosen: slice) -> np.ndarray:
    """The filter with chosen rows of V transposed, for the mistakes below."""
    V = np.linalg.svd(matrix, full_matrices=False)[2][chosen].T
    of_items = np.sqrt(R.sum(axis=0))
    return (R / of_items) @ V @ V.T * of_items


def normalised(R: np.ndarray) -> np.ndarray:
    """R with the roots of both degrees divided out."""
    return R / np.sqrt(R.sum(axis=1, keepdims=True)) / np.sqrt(R.sum(axis=0))


def columns_of_the_third_factor(R: np.ndarray, num_factors: int) -> np.ndarray:
    """
    NumPy returns three things, U, the singular values, and V *transposed*. You took its first columns. Where do the
    singular vectors stand in it, and which place belongs to an item?
    """
    V = np.linalg.svd(normalised(R), full_matrices=False)[2][:, :num_factors]
    of_items = np.sqrt(R.sum(axis=0))
    return (R / of_items) @ V @ V.T * of_items


def a_high_pass_filter(R: np.ndarray, num_factors: int) -> np.ndarray:
    """You kept the roughest patterns, in which neighbours differ most. In which order does NumPy return them?"""
    return filtered(R, normalised(R), slice(-num_factors, None))


def the_raw_matrix_decomposed(R: np.ndarray, num_factors: int) -> np.ndarray:
    """These are singular vectors of R itself. Its largest ones are about who is busy, and so is its frequency scale."""
    return filtered(R, R, slice(num_factors))


def the_roots_changed_places(R: np.ndarray, num_factors: int) -> np.ndarray:
    """The filter is right, but the roots around it have changed places: popular films go in loud and come out quiet."""
    V = np.linalg.svd(normalised(R), full_matrices=False)[2][:num_factors].T
    of_items = np.sqrt(R.sum(axis=0))
    return (R * of_items) @ V @ V.T / of_items


def the_roots_left_out(R: np.ndarray, num_factors: int) -> np.ndarray:
    """$V$ is right. But the formula has a root on either side of $VV^\\top$, and yours has none."""
    V = np.linalg.svd(normalised(R), full_matrices=False)[2][:num_factors].T
    return R @ V @ V.T
