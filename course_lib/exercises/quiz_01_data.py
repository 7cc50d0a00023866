"""Questions of lesson 01, data."""

from course_lib.exercises.questions import Choice, Question

QUESTIONS = [
    Question(
        "How many rows does the adjacency matrix A of MovieLens-100K have, and how many ones?",
        (
            Choice(
                "943 rows and 100,000 ones",
                "That is R, users by films. In A each user and each film is a node with a row of its own.",
            ),
            Choice("2,625 rows and 100,000 ones", "Rows are right. But an edge is seen from both of its ends."),
            Choice(
                "2,625 rows and 200,000 ones",
                "943 users and 1,682 films; each of the 100,000 ratings stands once in R and once in R transposed.",
                right=True,
            ),
        ),
    ),
    Question(
        "What does the diagonal element (A²)ᵤᵤ of a user u say?",
        (
            Choice(
                "The number of films u has taken",
                "A walk of two steps from u back to u goes over one of the films: there is one walk for each.",
                right=True,
            ),
            Choice("The number of people who share a film with u", "Those stand in u's row, off the diagonal."),
            Choice("Nothing: no edge leads from u to u", "No edge does. But two steps can lead out and back."),
        ),
    ),
    Question(
        "On log axes the counts of your items look straight from 100 to 1,000. Is it a power law?",
        (
            Choice(
                "Yes, a straight line on log axes is what a power law is",
                "It would have to be straight over its whole range. One decade of a finite sample looks straight for "
                "other laws too.",
            ),
            Choice(
                "Not shown: look at the slope elsewhere, and at other laws that fit",
                "Films look nearly straight in places as well, and their slope goes from -0.2 to -2.1.",
                right=True,
            ),
            Choice(
                "No, real data never follow one",
                "That is a claim as bold as the other. This look at one decade cannot support either.",
            ),
        ),
    ),
    Question(
        "A paper reports NDCG .33 with a random split and .26 with a temporal one: same data, same model. How large is "
        "the leak of the random split?",
        (
            Choice(".07", "In this lesson, chance itself changed between two such exams. It has nothing to leak."),
            Choice(
                "At least .07, since new people make the temporal exam harder",
                "Its people also have other numbers of hidden films, which made it easier for chance and popularity.",
            ),
            Choice("Zero, since the model is the same", "The model is the same. What it learns from is not."),
            Choice(
                "Not known",
                "The exams differ in people and hidden films. Keep both, and change only what the model learned from.",
                right=True,
            ),
        ),
    ),
    Question(
        "Your shop lists each shirt once per size. What do you do before an exam on new items?",
        (
            Choice(
                "Draw the new items by id, as usual: sizes are different products",
                "Then size M is in training while size L is 'new', and its text tells the model all it needs.",
            ),
            Choice(
                "Put the sizes of a shirt into one group and keep each group on one side",
                "As title_group does for films under two ids.",
                right=True,
            ),
            Choice(
                "Remove all shirts with more than one size",
                "That also removes the leak, and with it most of your shop from the exam.",
            ),
        ),
    ),
    Question(
        "A model that uses the facts of a knowledge graph trains without an error and reaches a fair value. What does "
        "that say about the links between items and facts?",
        (
            Choice(
                "Nothing: a model can always do something with wrong links. Check the join itself",
                "Compare with something that both sides know, as the genres of the films showed here.",
                right=True,
            ),
            Choice(
                "They are right: wrong links would raise an error",
                "Every id was there, only the films behind them were others. No program sees an error in that.",
            ),
            Choice(
                "They are mostly right: the value is fair",
                "The clicks alone give a fair value. What the facts add to it is another question.",
            ),
        ),
    ),
]
