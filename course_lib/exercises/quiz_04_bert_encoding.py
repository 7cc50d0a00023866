"""Questions of lesson 04, BERT encoding."""

from course_lib.exercises.questions import Choice, Question

QUESTIONS = [
    Question(
        "Why does attention divide its scores by the root of d?",
        (
            Choice(
                "So that the shares of a row add up to one",
                "The softmax does that, whatever the scale of the scores.",
            ),
            Choice(
                "Because the dot product of two vectors of d independent numbers with variance 1 has variance d: the "
                "softmax would hear one piece only",
                "With the root the variance is 1 for every d. Without it, one share of eleven was .80 on pure noise.",
                right=True,
            ),
            Choice(
                "So that long texts are not louder than short ones",
                "d is the width of a head. The length of the text is not in it.",
            ),
        ),
    ),
    Question(
        "The same title gets another vector when it is encoded beside a longer text. What went wrong?",
        (
            Choice(
                "Padding was counted, in the mean or in attention",
                "The short text was filled up, and the filling has vectors as well. It must be masked in both places.",
                right=True,
            ),
            Choice(
                "Attention looked from one text into the other",
                "Texts of a batch never see each other. Each has an attention matrix of its own.",
            ),
            Choice(
                "The tokenizer cut the title into other pieces",
                "It cuts each text alone, from the left, and always in the same way.",
            ),
        ),
    ),
    Question(
        "Two title texts drawn at random have a cosine of .42. Are the films alike?",
        (
            Choice(
                "Yes, somewhat: unrelated texts would have a cosine near 0",
                "That would hold if the vectors pointed everywhere. Raw ones share a direction.",
            ),
            Choice(
                "It cannot be said, because a cosine ignores how long the vectors are",
                "It does, but length is not what is missing here. The direction that all share is.",
            ),
            Choice(
                "No: it is what any two title texts share",
                "About .42 is the mean over random pairs. Subtract the catalogue's mean before you compare.",
                right=True,
            ),
        ),
    ),
    Question(
        "Forty steps of guessing hidden pieces took the loss below counting. Why did the neighbours not improve?",
        (
            Choice(
                "The model only learned the training profiles by heart",
                "The loss was measured on profiles that were held out. It learned something that carries over.",
            ),
            Choice(
                "Guessing a piece and placing a whole text are different skills, and the loss asks for the first one",
                "Nothing in the loss says that similar texts should lie close. Measure what you want, not the loss.",
                right=True,
            ),
            Choice(
                "There were no labels",
                "Labels are not the point: BERT's own training had none either. A text is its own answer.",
            ),
        ),
    ),
    Question(
        "The profile vectors predict genres with an AUC of .9. Did the language model know the films?",
        (
            Choice(
                "Yes: it could not have hit the genres otherwise",
                "It was given title, year and genres. It had nothing to hit.",
            ),
            Choice(
                "No: it would have reached 1 if it had known them",
                "Nobody reaches 1 here: drama and romance are a matter of taste, also for those who know the film.",
            ),
            Choice(
                "This does not say: it was told the genres",
                "Agreement shows that it used what it was told. The profiles written twice say more.",
                right=True,
            ),
        ),
    ),
    Question(
        "A text model reaches .22 on new items, and chance is .06. What do you ask before you believe in its taste?",
        (
            Choice(
                "What it reaches on items that are not new",
                "There words are weak, as you saw. It says nothing about where this gain comes from.",
            ),
            Choice(
                "What one list for everybody reaches, sorted by a popularity that is guessed from the same words",
                "Genres alone got further with such a list than with personal ones. What it reaches is not taste.",
                right=True,
            ),
            Choice(
                "What a larger encoder reaches",
                "It may reach more, for the same unknown reason.",
            ),
            Choice(
                "What popularity from the training clicks reaches",
                "New items have no training clicks, so that all of them tie. The words have to give it away.",
            ),
        ),
    ),
]
