"""Questions of lesson 02, collaborative filtering."""

from course_lib.exercises.questions import Choice, Question

QUESTIONS = [
    Question(
        "A user has 30 test films, and each film on your list of 10 is a hit. What are recall@10, precision@10 and "
        "NDCG@10?",
        (
            Choice("1, 1 and 1", "Recall divides by all 30, and ten places cannot hold them."),
            Choice(
                "1/3, 1 and 1",
                "Recall divides by 30, precision by 10. NDCG divides by what fits into the list.",
                right=True,
            ),
            Choice("1/3, 1/3 and 1", "Precision divides by the length of the list. Ten of ten are hits."),
            Choice(
                "1/3, 1 and less than 1",
                "That is so where the ideal list has 30 places. Here it has min(k, n) = 10 of them.",
            ),
        ),
    ),
    Question(
        "Why must the diagonal of the matrix B of EASE be zero?",
        (
            Choice(
                "So that B has an inverse",
                "B is never inverted. The inverse is that of RᵀR + λI, and λ sees to it that there is one.",
            ),
            Choice(
                "So that nobody gets a film twice",
                "Films already taken are masked when the list is made, whatever the diagonal says.",
            ),
            Choice(
                "Without that, each film would explain itself, and B = I would rebuild R perfectly",
                "It would have learned nothing about any other film.",
                right=True,
            ),
        ),
    ),
    Question(
        "The 95 % intervals of two models overlap. Are the two equally good?",
        (
            Choice(
                "Not shown: look at the interval of the difference, user by user",
                "Users differ far more among themselves than two models do on one user. Pairs take that out.",
                right=True,
            ),
            Choice(
                "Yes, no difference can be shown then",
                "Bars show how users differ. The interval of the difference can lie clear of zero all the same.",
            ),
            Choice(
                "No, the higher mean is better",
                "It may be. The means alone do not tell it from luck.",
            ),
        ),
    ),
    Question(
        "You try five numbers of neighbours on the test part and report the best one. What is wrong?",
        (
            Choice("Five are too few", "With more of them, the same mistake becomes larger."),
            Choice(
                "Nothing, as long as the model learned from the training part alone",
                "Choosing is learning too, and here it learned from the exam.",
            ),
            Choice(
                "The number is the largest of five tries on the exam itself, so it is too high",
                "On new users it will not come out again. Choose on validation, report on test, once.",
                right=True,
            ),
        ),
    ),
    Question(
        "Why can BPR learn less from a step than the full softmax?",
        (
            Choice(
                "It uses products, and products are worse than cosines",
                "Either loss can use either score. With products, the softmax was the worst of the four.",
            ),
            Choice(
                "It sees one random negative at a time, and most of these are easy",
                "A film that already stands far below teaches little. The softmax sees all films, the hard ones too.",
                right=True,
            ),
            Choice(
                "It does not know which films the user took",
                "It does: each step takes one of them and wants it above the other film.",
            ),
        ),
    ),
    Question(
        "A paper says: our model gains 25 % over matrix factorisation. What do you ask first?",
        (
            Choice(
                "How the matrix factorisation was tuned, and where EASE and tuned neighbours stand",
                "Section 8 makes such a gain shrink to nothing with fairer opponents, without touching the new model.",
                right=True,
            ),
            Choice(
                "Whether p is below 0.05",
                "It may well be: a badly tuned opponent does lose. Significant is not the same as fair.",
            ),
            Choice(
                "How many parameters the new model has",
                "Good to know, but the gain may be large because the other model is small in care, not in size.",
            ),
        ),
    ),
]
