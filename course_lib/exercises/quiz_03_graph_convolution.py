"""Questions of lesson 03, graph convolution."""

from course_lib.exercises.questions import Choice, Question

QUESTIONS = [
    Question(
        "Why does Â divide by the roots of two degrees, and not once by the degree of the listener?",
        (
            Choice(
                "So that every row adds up to one",
                "That is the single division, D⁻¹A, a mean over neighbours. The rows of Â do not add up to one.",
            ),
            Choice(
                "So that busy speakers are turned down as well, and the matrix stays symmetric",
                "A mean asks who listens and not who speaks. And a symmetric matrix has orthogonal eigenvectors, which "
                "section 7 needs; its eigenvalues lie between −1 and 1.",
                right=True,
            ),
            Choice(
                "So that nodes without neighbours are no problem",
                "Both ways divide by zero there, and both need the same care.",
            ),
        ),
    ),
    Question(
        "LightGCN with 0 layers is ...",
        (
            Choice("popularity", "Nothing in it counts how often an item was taken."),
            Choice("EASE", "EASE has no vectors at all; it weighs items against items."),
            Choice(
                "matrix factorisation",
                "Users and items keep their own vectors, and the score is their product: the fair opponent.",
                right=True,
            ),
        ),
    ),
    Question(
        "A paper reports that three layers beat matrix factorisation by 17 % under BPR. What do you ask first?",
        (
            Choice(
                "What both reach with a stronger loss",
                "Here a full softmax without layers beat BPR with three. The layers may only have mended the loss.",
                right=True,
            ),
            Choice(
                "What six layers reach",
                "More layers smooth more. The question is what the graph adds, and it stands with three.",
            ),
            Choice(
                "Whether the gain holds on a dense matrix",
                "Under BPR it did, on films, which are dense. The opponent is the weak point, and not the data.",
            ),
        ),
    ),
    Question(
        "An even number of layers lets through what sets users apart from items, an odd number does not. Why?",
        (
            Choice(
                "With an odd number, users hear only users",
                "After an odd number of steps a person holds what films said. And a mean over layers holds both.",
            ),
            Choice(
                "With an odd number, there are more parameters to train",
                "Layers have no parameters: there is one table of vectors, whatever their number.",
            ),
            Choice(
                "With an odd number, the filter is zero at the eigenvalue −1",
                "The eigenvector there has one sign on users and the other on items. In 1 − 1 + 1 − 1 it is wiped out.",
                right=True,
            ),
        ),
    ),
    Question(
        "On shopping baskets the untrained graph filter beat every LightGCN, and EASE beat both. What follows?",
        (
            Choice(
                "Graphs are of no use for recommendation",
                "The filter also beat the trained vectors without a graph. It paid, as a filter and not as layers.",
            ),
            Choice(
                "A graph model must be held against zero layers, tuned neighbours and EASE before you praise it",
                "Every one of these opponents would have changed the story if it had been left out.",
                right=True,
            ),
            Choice(
                "Training makes a recommender worse",
                "LightGCN saw twelve epochs here, and EASE is fitted to the data as well: it solves a least-squares "
                "problem in closed form.",
            ),
        ),
    ),
    Question(
        "Which model of this lesson is out of the race with a million items?",
        (
            Choice(
                "EASE",
                "Its matrix has items times items cells: a million million numbers.",
                right=True,
            ),
            Choice("LightGCN", "Its table grows with the number of nodes, and a step with the number of edges."),
            Choice(
                "GraphFilter",
                "It needs 64 singular vectors, items times 64, and products with the sparse matrix.",
            ),
            Choice("Popularity", "One number for each item."),
        ),
    ),
]
