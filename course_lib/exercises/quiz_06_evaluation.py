"""Questions of lesson 06, evaluation."""

from course_lib.exercises.questions import Choice, Question

QUESTIONS = [
    Question(
        "The 95 % intervals of two models overlap; both were tested on the same users. What follows?",
        (
            Choice(
                "The models are equal.",
                "Nobody can show that, least of all with intervals that answer another question.",
            ),
            Choice(
                "Nothing yet: look at the interval of the difference, user by user.",
                "An easy user is easy for both. In the difference that cancels, so it is known much better.",
                right=True,
            ),
            Choice(
                "The difference is smaller than .05.",
                "An interval is in units of the metric; .05 is a probability of error.",
            ),
        ),
    ),
    Question(
        "Holm multiplies the smallest of 198 p-values by 198. Why does the next one only get 197?",
        (
            Choice(
                "If the first is a true discovery, only 197 hypotheses can still give a false alarm.",
                "If it is a false one, the harm is done already; the guard is against a single false alarm.",
                right=True,
            ),
            Choice(
                "The tests share users, so that one of them is spent.",
                "Holm holds whatever the tests share; it does not look at that.",
            ),
            Choice(
                "To find more; the guard against false alarms gets weaker by it.",
                "It finds more than Bonferroni with the same guarantee: at most 5 % for even one false alarm.",
            ),
        ),
    ),
    Question(
        "A paper ranks each target against 100 random items and finds graph models ahead. What do you ask for?",
        (
            Choice(
                "More seeds, so that the sampling noise goes.",
                "The metric stays another one in expectation, without any noise: the order can be turned around.",
            ),
            Choice(
                "A thousand random items: enough for any catalogue.",
                "It is nearer, but how near depends on the catalogue. Ranking everything takes no longer than a blink.",
            ),
            Choice(
                "The full ranking.",
                "With few samples the order of good models can turn, as it does in this lesson.",
                right=True,
            ),
        ),
    ),
    Question(
        "Your model is 20 % better than EASE with the λ of an example for other data. What do you do first?",
        (
            Choice(
                "Test whether the gain is significant.",
                "It surely is. A test says that the difference is no accident, not that the comparison was fair.",
            ),
            Choice(
                "Tune λ on validation, with the same care as your own model.",
                "EASE with λ = 10 loses to LightGCN here, and wins as validation chooses it.",
                right=True,
            ),
            Choice(
                "Tune λ on the test part, to give EASE its best.",
                "Generous, but then EASE has met the exam and your model has not: no fair comparison either.",
            ),
        ),
    ),
    Question(
        "Women have a lower NDCG. Which of these could explain a part of it without any fault of the model?",
        (
            Choice(
                "They have rated fewer films, so fewer test films can be hit.",
                "So the lesson compares within bands of history, and about a third of the gap goes. The rest stays.",
                right=True,
            ),
            Choice(
                "There are fewer of them in the data.",
                "A mean over fewer people is less sure, not lower. If a model learns less from few, that is the model.",
            ),
            Choice(
                "The bootstrap was drawn over users.",
                "That decides how wide the interval is, not where the mean lies.",
            ),
        ),
    ),
    Question(
        "IPS is unbiased. Why not always use it?",
        (
            Choice(
                "It needs a model of every user's taste.",
                "It needs none; that is its charm. It needs the chance with which each item was shown.",
            ),
            Choice(
                "It prefers popular items.",
                "The plain log does. IPS divides by the chance to be shown, and so gives rare items their weight back.",
            ),
            Choice(
                "SNIPS has less bias and less scatter.",
                "SNIPS has much less scatter, and pays with a little bias.",
            ),
            Choice(
                "It needs the right chances, and dividing by small ones makes it scatter.",
                "A few rare observations then decide everything. Self-normalising or clipping trade that for bias.",
                right=True,
            ),
        ),
    ),
]
