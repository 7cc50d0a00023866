"""Questions of lesson 05, fusion."""

from course_lib.exercises.questions import Choice, Question

QUESTIONS = [
    Question(
        "Why is h_u·h_i + e_u·e_i one model and not two?",
        (
            Choice(
                "Because graph and words are trained together.",
                "They need not be: the identity holds for vectors of any origin, also for two finished models.",
            ),
            Choice(
                "Because both vectors have the same number of dimensions.",
                "They need not have: 64 and 384 stack as well as 64 and 64.",
            ),
            Choice(
                "Because it is the inner product of the stacked vectors.",
                "Stack h and e for each user and each item, and one index of items serves the sum.",
                right=True,
            ),
        ),
    ),
    Question(
        "Late fusion takes z-scores per user, with w = 0.25. You double all word vectors. What happens to the lists?",
        (
            Choice(
                "Nothing.",
                "The words' scores grow fourfold, and so does their spread: the z-score divides it away.",
                right=True,
            ),
            Choice("The words count twice as much.", "In a raw sum they would even count four times as much."),
            Choice(
                "The words count four times as much.",
                "In a raw sum, yes: both e_u and e_i doubled. Here each person's scores are divided by their spread.",
            ),
        ),
    ),
    Question(
        "You tried 21 weights. How do you choose the one for which you report the test score?",
        (
            Choice(
                "By the test score: it is what you report.",
                "The best of 21 test scores is flattered by the choice. It can never be worse than w = 0.",
            ),
            Choice(
                "By validation; test is looked at once, with the chosen weight.",
                "The choice has cost the test part nothing, so its number still means what it says.",
                right=True,
            ),
            Choice(
                "Take w = 0.5, which favours nobody.",
                "Even after z-scoring, w = 0.5 loses to EASE alone here. Not choosing is a choice too.",
            ),
        ),
    ),
    Question(
        "Why must the free vectors of items start at zero in early fusion?",
        (
            Choice(
                "So that training converges.",
                "Known items would train from random vectors as well: LightGCN does.",
            ),
            Choice(
                "So that the words decide in known items too.",
                "Known items leave zero with the first step; their free vector learns what the words do not say.",
            ),
            Choice(
                "So that all vectors have the same length.",
                "The length is not what matters; and projected words differ in length from item to item.",
            ),
            Choice(
                "So that an item nobody took is its words and nothing else.",
                "No click ever moves its free vector. Started at random, it would stay noise added to the words.",
                right=True,
            ),
        ),
    ),
    Question(
        "Shuffled words help almost as much as the true ones. What have you learned?",
        (
            Choice(
                "That the gain does not come from what the words say.",
                "It comes from more parameters, or from a second model. The control has done its work.",
                right=True,
            ),
            Choice(
                "That the encoder is too weak; take a larger one.",
                "A larger one can be tried, but nothing so far says that the words of a smaller one were used at all.",
            ),
            Choice(
                "That shuffling was not random enough.",
                "One shuffle already gives nearly every film the words of another one.",
            ),
        ),
    ),
    Question(
        "On films nobody took, chance is .06, genres and year get .30, words and facts .36. How much is due to words?",
        (
            Choice(".36: without words there is no recommendation.", "Chance alone reaches .06 on this exam."),
            Choice(
                ".30, from .06 to .36.",
                "That is what all that is known of a film brings, its genres and the bare year included.",
            ),
            Choice(
                ".06, from .30 to .36.",
                "The fair opponent knows genres and year too, and needs no language model for them.",
                right=True,
            ),
        ),
    ),
]
