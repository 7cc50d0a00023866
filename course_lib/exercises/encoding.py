"""References and mistakes of lesson 04's first half: attention, pooling and centring, on a text of a few pieces."""

import numpy as np
import torch


def masked_attention(Q: torch.Tensor, K: torch.Tensor, V: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    r"""
    Soon texts will run through the model side by side, and short ones are filled up with padding. No piece may listen
    to padding. Write one head that knows: `masked_attention(Q, K, V, mask)` returns
    $\mathrm{softmax}(QK^\top / \sqrt d)\,V$. `Q` and `K` are `[num_places, d]`, `V` is `[num_places, k]`, all tensors;
    `mask`, `[num_places]`, is true at a piece and false at padding. In each row, the shares of the real pieces add up
    to one and those of padding are zero. The rows that belong to padding itself are computed like all others.
    """
    # begin solution
    score = Q @ K.T / Q.shape[1] ** 0.5
    return torch.softmax(score.masked_fill(~mask, -torch.inf), dim=-1) @ V
    # end solution


def the_root_forgotten(Q: torch.Tensor, K: torch.Tensor, V: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """All is there but the scale. With many dimensions, how much would a piece hear of the second loudest?"""
    return torch.softmax((Q @ K.T).masked_fill(~mask, -torch.inf), dim=-1) @ V


def shares_of_the_speaker(Q: torch.Tensor, K: torch.Tensor, V: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """
    Your columns add up to one: each piece gives away one unit of attention in all. Who has one unit to spend, the one
    who listens or the one who speaks? And which axis of the matrix is that?
    """
    score = Q @ K.T / Q.shape[1] ** 0.5
    return torch.softmax(score, dim=0).masked_fill(~mask, 0) @ V


def masked_shares_of_the_speaker(Q: torch.Tensor, K: torch.Tensor, V: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """
    The mask is in the right place. But you normalise the columns, and a column of padding has nothing left to share:
    it is NaN, and spreads. Along which axis should the shares add up to one?
    """
    score = Q @ K.T / Q.shape[1] ** 0.5
    return torch.softmax(score.masked_fill(~mask, -torch.inf), dim=0) @ V


def masked_after_the_softmax(Q: torch.Tensor, K: torch.Tensor, V: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Padding is silent, but it has taken its share of the softmax with it. Add up a row of what is left."""
    return torch.softmax(Q @ K.T / Q.shape[1] ** 0.5, dim=-1).masked_fill(~mask, 0) @ V


def padding_scored_zero(Q: torch.Tensor, K: torch.Tensor, V: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Padding has the score 0 now. What does the softmax make of a zero? Some honest scores lie below it."""
    score = Q @ K.T / Q.shape[1] ** 0.5
    return torch.softmax(score.masked_fill(~mask, 0), dim=-1) @ V


def no_mask_at_all(Q: torch.Tensor, K: torch.Tensor, V: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The formula is right, and padding is heard like any piece. The mask has not been used."""
    return torch.softmax(Q @ K.T / Q.shape[1] ** 0.5, dim=-1) @ V


def one_head_with_padding(
    generator: np.random.Generator,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Queries and keys of five places in four dimensions, values in two; the last place or two are padding."""
    Q, K, V = (torch.from_numpy(generator.normal(0, 1.5, (5, width)).round(1)) for width in (4, 4, 2))
    return Q, K, V, torch.arange(5) < int(generator.integers(3, 5))


def mean_pool(h: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """
    `mean_pool(h, mask)` should take the mean over the real pieces of each text: `h` is `[num_texts, num_places, d]`,
    `mask` is `[num_texts, num_places]`, 1 at a piece and 0 at padding; the result is `[num_texts, d]`. Somebody wrote
    it and tested it by the cosine to the right vector, as above. It was 1.00 for every text. Centred, as in the next
    section, the same vectors were wrong. Find the bug that a cosine cannot see, and repair it.
    """
    # begin solution
    return (h * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
    # given
    # return (h * mask[:, :, None]).mean(dim=1)
    # end solution


def padding_in_the_mean(h: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """This one even a cosine can see: padding takes part in your mean. The given code had silenced it already."""
    return h.mean(dim=1)


def pieces_of_the_whole_batch(h: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """You divide every text by the same number. How many pieces has the first text, and how many the second?"""
    return (h * mask[:, :, None]).sum(dim=1) / mask.sum()


def a_sum_and_no_mean(h: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Padding is out. But a long text has a long vector now: what is missing between a sum and a mean?"""
    return (h * mask[:, :, None]).sum(dim=1)


def a_batch_of_texts(generator: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Two texts at four places, in two dimensions: one fills all places, the other one or two."""
    h = torch.from_numpy(generator.normal(1.0, 1.0, (2, 4, 2)).round(1))
    lengths = generator.permutation([int(generator.integers(1, 3)), 4])
    return h, (torch.arange(4) < torch.from_numpy(lengths)[:, None]).to(h.dtype)


def centred_newcomers(catalogue: np.ndarray, new: np.ndarray) -> np.ndarray:
    """
    A film opens, and its raw vector is to be compared with the centred ones of the catalogue. Write
    `centred_newcomers(catalogue, new)`. `catalogue`, `[num_films, d]`, holds the raw vectors of the known films, `new`,
    `[num_new, d]`, those of one or more new films. Return the new ones centred as the catalogue is and of length one,
    of the shape of `new`.
    """
    # begin solution
    centred_new = new - catalogue.mean(axis=0)
    return centred_new / np.linalg.norm(centred_new, axis=1, keepdims=True)
    # end solution


def centred_by_their_own_mean(catalogue: np.ndarray, new: np.ndarray) -> np.ndarray:
    """
    The newcomers have a mean of their own, and you took that out. Think of a single new film: what would be left of
    it? And are two films comparable that were measured from different centres?
    """
    with np.errstate(invalid="ignore"):
        alone = new - new.mean(axis=0)
        return alone / np.linalg.norm(alone, axis=1, keepdims=True)


def not_centred(catalogue: np.ndarray, new: np.ndarray) -> np.ndarray:
    """They have length one, but they are still in the cone, and lean to where all films lean. Which vector is that?"""
    return new / np.linalg.norm(new, axis=1, keepdims=True)


def length_before_centre(catalogue: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Both steps are there. After the second, do the vectors still have length one?"""
    return new / np.linalg.norm(new, axis=1, keepdims=True) - catalogue.mean(axis=0)


def the_mean_of_each_film(catalogue: np.ndarray, new: np.ndarray) -> np.ndarray:
    """
    You took one number from each vector: the mean of its own coordinates. The direction that all films share is a
    vector. Over which axis is it the mean?
    """
    centred_new = new - new.mean(axis=1, keepdims=True)
    return centred_new / np.linalg.norm(centred_new, axis=1, keepdims=True)


def a_cone_and_newcomers(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Six known films in three dimensions around a common centre, and one to three new ones around the same."""
    centre = generator.choice([-1, 1], 3) * generator.uniform(1.0, 3.0, 3)
    num_new = int(generator.integers(1, 4))
    return (centre + generator.normal(size=(6, 3))).round(1), (centre + generator.normal(size=(num_new, 3))).round(1)
