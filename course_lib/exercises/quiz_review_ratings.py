"""Questions of the elective on review ratings."""

from course_lib.exercises.questions import Choice, Question

QUESTIONS = [
    Question(
        "A model's output has the shape [16, 1], the labels have [16], and you compute the mean squared error. What "
        "happens?",
        (
            Choice("PyTorch stops: the shapes differ", "These two can be broadcast. PyTorch only warns, once."),
            Choice(
                "the right error: a dimension of 1 does not count",
                "It counts when it is stretched. Write down which pairs are compared.",
            ),
            Choice(
                "every prediction is compared with every label, and the model learns to say the mean",
                "Both become [16, 16]. The loss still falls a little, so nobody notices. squeeze(-1) mends it.",
                right=True,
            ),
        ),
    ),
    Question(
        "How do you prove that an encoder is frozen?",
        (
            Choice(
                "compare a weight before and after a step of the optimiser",
                "A fact about the weights. Counting the parameters with requires_grad is a good second one.",
                right=True,
            ),
            Choice("it is in eval() mode", "That switches dropout off. The gradients flow as before."),
            Choice("the training loss falls slowly", "It can fall slowly for many reasons, such as a low rate."),
            Choice("the comment above the line says so", "So did the comment in the listing."),
        ),
    ),
    Question(
        'Why is "always five" good by MAE and bad by MSE?',
        (
            Choice(
                "MAE does not punish errors below one star",
                "It does, in proportion. A wrong guess by half a star counts half a star.",
            ),
            Choice(
                "five is the median of these stars, and the rare one-star review counts 4 by the one error, 16 by the "
                "other",
                "The median is the number that is best by MAE, the mean the one that is best by MSE.",
                right=True,
            ),
            Choice(
                "five is the mean of these stars",
                "The mean is about 4.2, and it would win by MSE.",
            ),
        ),
    ),
    Question(
        "An item's vector is the mean of all its reviews. It predicts the stars of these reviews well. What do you ask "
        "first?",
        (
            Choice(
                "whether the review in question was part of the mean",
                "If so, the answer was in the question. In the lesson leaving it out took away most of the effect.",
                right=True,
            ),
            Choice("whether the mean should be a maximum", "Another pooling leaks the same way."),
            Choice(
                "whether the vectors were scaled to length 1",
                "Worth knowing. But it does not make a prediction too good to be true.",
            ),
        ),
    ),
    Question(
        "Counted words from all 18,116 reviews keep up with BERT fine-tuned on 1,000. What does that show?",
        (
            Choice("counting reads better than BERT", "On the same thousand reviews fine-tuning is ahead."),
            Choice(
                "fine-tuning was done wrongly",
                "It beats frozen vectors and counted words on the same reviews, with intervals that say so.",
            ),
            Choice(
                "a cheap model that can use all the data may be worth a good one that cannot",
                "Compare what you could run, not names. With a GPU, fine-tune on all of them and compare again.",
                right=True,
            ),
            Choice(
                "the two are equally good on equal data",
                "They did not have equal data: the counter read eighteen times as many reviews, and their ends.",
            ),
        ),
    ),
    Question(
        "Why is there no graph model in this lesson?",
        (
            Choice("reviews are text, and a graph has no place for text", "Lesson 05 fed text to the graph's layer 0."),
            Choice(
                "the data have no user ids, so nobody can say which user and item an edge joins",
                "One end of each edge is missing. With user ids of your own, take the item vectors to lesson 05.",
                right=True,
            ),
            Choice("there are too few items", "1,206 items are fewer than the films, but enough for a graph."),
        ),
    ),
]
