"""Questions of lesson 07, deployment."""

from course_lib.exercises.questions import Choice, Question

QUESTIONS = [
    Question(
        "Why is the spread σ(u) put on the user's side of the inner product?",
        (
            Choice(
                "users differ, items do not",
                "Items differ as well. The question is what a vector may depend on if all users share it.",
            ),
            Choice(
                "the items' vectors are then the same for all users, and one index serves everybody",
                "σ(u) belongs to one user. On the items' side it would ask for another index for each of them.",
                right=True,
            ),
            Choice(
                "it changes the order of the films for this user",
                "One factor for both halves would not. Two factors do change it, and they would do so on either side.",
            ),
        ),
    ),
    Question(
        "A user is folded in on each request, and no user vector is stored. Which of these does that NOT give you?",
        (
            Choice("the last click counts at once", "It does: the next request folds in a history with that click."),
            Choice("someone new is no special case", "It does: a history of two clicks is folded in like any other."),
            Choice(
                "after a deletion the items' vectors hold no trace of the user",
                "Right, you do not get this. The items may have learned from the clicks. The trace stays until the "
                "next training leaves them out, and in old bundles and backups.",
                right=True,
            ),
            Choice("there is no user vector to delete", "It does: with the events the vector has gone, too."),
        ),
    ),
    Question(
        "One bit of a vector file has flipped on the way to the server. What notices it before the first request?",
        (
            Choice(
                "the SHA-256 in the manifest",
                "One other bit gives another hash, whatever the numbers look like.",
                right=True,
            ),
            Choice("the size of the file", "It has not changed. The size finds a file that was cut, but not this."),
            Choice("the format's version", "It tells an old program from a new file. Nothing in it knows the content."),
            Choice(
                "NDCG@10, measured again",
                "One bit in one vector moves few lists. And it would ask for the test data on every server.",
            ),
        ),
    ),
    Question(
        "A service reports a mean latency of 5 ms. What do you know about its slowest answers?",
        (
            Choice(
                "nothing: a mean hides them, and load and the start of the watch are not told",
                "Ask for percentiles, against load, counted from when each request should have left.",
                right=True,
            ),
            Choice("they take about 10 ms", "Latencies have long tails. One answer in a hundred may take a second."),
            Choice(
                "p99 is 5 ms, too, if enough requests were sent",
                "More requests make both numbers surer. They do not make them the same.",
            ),
        ),
    ),
    Question(
        "The service was killed, and a client got no answer to a click. What should it do?",
        (
            Choice(
                "nothing: without an answer the click was not stored",
                "The kill may have come between the commit and the answer. The client cannot know.",
            ),
            Choice(
                "send it again with a new key", "If the first one was stored after all, this click counts twice now."
            ),
            Choice("ask for recommendations, and look for a change", "A list can change, or stay, for other reasons."),
            Choice(
                "send it again with the same key",
                "If it was stored, the store knows the key and counts it once; if not, it is stored now.",
                right=True,
            ),
        ),
    ),
    Question(
        "Ten million items with 448 numbers each take about 18 GB in float32. Your machine has 6 GB for them. What "
        "fits?",
        (
            Choice("float16", "Two bytes a number: 9 GB."),
            Choice("an inverted file", "It holds all the vectors, and the cells besides. It saves time, not memory."),
            Choice(
                "int8",
                "One byte a number: 4.5 GB. Measure what the rounding costs before you serve it.",
                right=True,
            ),
        ),
    ),
]
