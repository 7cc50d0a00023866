"""References and mistakes of lesson 07's second half: a service is measured, written to and renewed."""

import numpy as np


def p99() -> tuple[float, float]:
    """
    A client wants to send 1,000 requests, one every 10 ms. It has one connection: it waits for each answer, and what
    has become overdue meanwhile it sends at once, one after the other. Every answer takes 1 ms. Only once, in the
    middle, the service stalls, and that answer takes a whole second.

    What is the 99th percentile of the times, in milliseconds, if the client starts its watch when it sends, and if it
    starts it when the request *should* have left? Work it out on paper: how many requests are overdue, and how long
    does each of them wait? Name `p99 = (from sending, from due)`; 5 % off is fine.
    """
    # begin solution
    sent_watch, due_watch, idle_from = [], [], 0.0
    for turn in range(1000):
        due = 10.0 * turn
        sent = max(due, idle_from)
        idle_from = sent + (1000.0 if turn == 500 else 1.0)
        sent_watch.append(idle_from - sent)
        due_watch.append(idle_from - due)
    return (float(np.percentile(sent_watch, 99)), float(np.percentile(due_watch, 99)))
    # end solution


def a_stall_is_one_slow_request() -> tuple[float, float]:
    """
    You say that only one request in a thousand was slow. For the first watch that holds. But the other requests that
    should have left during that second: when were they answered?
    """
    return (1.0, 1.0)


def the_longest_time_taken() -> tuple[float, float]:
    """The first is right. The second is about the longest time; p99 leaves the slowest ten of a thousand above it."""
    return (1.0, 1000.0)


def the_mean_of_the_late_ones() -> tuple[float, float]:
    """The first is right. The second is what a late request waits on average; p99 asks who is near the far end."""
    return (1.0, 500.0)


def both_watches_see_the_stall() -> tuple[float, float]:
    """The second is right. The first watch only runs while a request is out: how often does it see the stall?"""
    return (p99()[1], p99()[1])


def take_events(requests: list[tuple[str, str]]) -> tuple[list[int], dict[str, str]]:
    """
    Write `take_events(requests)`, the store's half of the promise. Each request is a pair `(key, event)` of texts, in
    the order in which they arrive; after a crash clients send again what they got no answer to. Keep an event in
    `stored` under its key, each only once. The status is

    - 201 for an event that is stored now,
    - 200 for one that was stored before, sent again with the same key,
    - 409 for a key that belongs to *another* event. What is stored stays.

    Return the list of statuses, one for each request, and `stored`.
    """
    stored: dict[str, str] = {}
    statuses = []
    # begin solution
    for key, event in requests:
        if key not in stored:
            stored[key] = event
            statuses.append(201)
        else:
            statuses.append(200 if stored[key] == event else 409)
    # end solution
    return statuses, stored


def repeats_taken_for_new_events(requests: list[tuple[str, str]]) -> tuple[list[int], dict[str, str]]:
    """Every request is written and answered with 201. A click that was sent twice must not count as two."""
    return [201 for _ in requests], dict(requests)


def a_clash_of_keys_unnoticed(requests: list[tuple[str, str]]) -> tuple[list[int], dict[str, str]]:
    """
    A known key always gets 200 from you. Two different clicks with one key: the client believes that both are stored.
    Is the second?
    """
    statuses, stored = take_events(requests)
    return [200 if status == 409 else status for status in statuses], stored


def a_repeat_refused(requests: list[tuple[str, str]]) -> tuple[list[int], dict[str, str]]:
    """
    A known key always gets 409 from you. Think of a client that lost the answer in a crash: it did nothing wrong. What
    does it conclude from an error?
    """
    statuses, stored = take_events(requests)
    return [409 if status == 200 else status for status in statuses], stored


def some_requests(generator: np.random.Generator) -> tuple[list[tuple[str, str]]]:
    """Three events, one of them sent again, and one key used for a second event."""
    films = generator.choice(90, 4, replace=False)
    keys = [f"key-{number}" for number in generator.choice(900, 3, replace=False)]
    events = [(key, f"film-{film}") for key, film in zip(keys, films, strict=False)]
    later = [events[generator.integers(3)], (keys[generator.integers(3)], f"film-{films[3]}")]
    return (events + [later[place] for place in generator.permutation(2)],)


def may_go_live(new: np.ndarray, old: np.ndarray, margin: float) -> np.ndarray:
    r"""
    Repair `may_go_live(new, old, margin)`, the gate. `old`, shape `[num_users]`, is the NDCG@10 of each user with the
    bundle that is served; each row of `new`, `[num_bundles, num_users]`, is that of a candidate, for the *same* users.
    Return a bool for each candidate, `[num_bundles]`: whether the low end of the 95 % interval of its gain is not below
    `-margin`.

    Take the interval of a mean of pairs, $\bar d \pm 1.96\, s / \sqrt n$, with $d$ the users' differences, $s$ their
    standard deviation (`ddof=1`) and $n$ the number of users. The code you find lets bundles through on luck.
    """
    gain = (new - old).mean(axis=1)
    # begin solution
    error = (new - old).std(axis=1, ddof=1) / np.sqrt(len(old))
    return gain - 1.96 * error >= -margin
    # given
    # return gain >= -margin
    # end solution


def a_gain_demanded(new: np.ndarray, old: np.ndarray, margin: float) -> np.ndarray:
    """You ask for a proof that the new bundle is better. The gate asks for less: which loss does it still accept?"""
    return may_go_live(new, old, 0.0)


def the_high_end_asked(new: np.ndarray, old: np.ndarray, margin: float) -> np.ndarray:
    """You look at the good end of the interval: the gate opens if all *might* be well. It should guard the bad case."""
    return ~may_go_live(2 * old - new, old, -margin)


def users_not_paired(new: np.ndarray, old: np.ndarray, margin: float) -> np.ndarray:
    """
    Your interval treats the two as different people. Users differ much more than bundles do, and that spread cancels
    if each user is compared with himself or herself.
    """
    error = np.sqrt((new.var(axis=1, ddof=1) + old.var(ddof=1)) / len(old))
    return (new - old).mean(axis=1) - 1.96 * error >= -margin


def ten_candidates(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """Gains, losses, luck: each narrow and wide, two of them just above and just below the gate; in random order."""
    num_users = 16
    old = generator.permutation(np.linspace(0.1, 0.9, num_users)).round(3)
    noise = generator.normal(size=(10, num_users))
    noise = (noise - noise.mean(axis=1, keepdims=True)) / noise.std(axis=1, keepdims=True)
    mean = np.array([0.02, 0.02, -0.003, 0.006, -0.02, -0.05, 0.04, 0.04, -0.005, 0.3])[:, None]
    spread = np.array([0.006, 0.03, 0.006, 0.1, 0.1, 0.006, 0.0965, 0.1005, 0.05, 0.006])[:, None]
    return generator.permutation(old + mean + spread * noise).round(4), old, 0.01
