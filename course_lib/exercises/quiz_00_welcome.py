"""Questions of lesson 00, welcome."""

from course_lib.exercises.questions import Choice, Question

QUESTIONS = [
    Question(
        "Why is the graph vector of a film without ratings zero?",
        (
            Choice(
                "Because nobody likes the film",
                "Nobody has been asked. No rating is not a low rating, and the zero says nothing about the film.",
            ),
            Choice(
                "Because its column of R is empty: nothing connects it, so nothing places it",
                "A vector from the graph is made of connections, and there are none.",
                right=True,
            ),
            Choice(
                "Because its profile was not read yet",
                "Profiles make the other vector, the one from the words. The graph half never sees them.",
            ),
        ),
    ),
    Question(
        "Somebody new arrives with four films. No model is trained again. Where does the graph vector of this person "
        "come from?",
        (
            Choice(
                "It is the sum of the vectors of the four films",
                "The same holds for the vector from the words. What a person took is enough to place them.",
                right=True,
            ),
            Choice(
                "It is zero until the next training",
                "Zero is for somebody without any film. Here are four, and each of them has a vector.",
            ),
            Choice(
                "It is the vector of the person with the most films in common",
                "That person has taken other films too, and you would borrow all of that taste.",
            ),
        ),
    ),
    Question(
        "On known films, both halves together were about one per cent above the graph alone. The 95 % interval of the "
        "difference holds zero. What follows?",
        (
            Choice(
                "The words are useless",
                "On films that nobody has rated they did all the work. And not shown is not the same as zero.",
            ),
            Choice(
                "The words help a little: one per cent is above zero",
                "With these 943 people a difference of that size may be luck. That is what the interval says.",
            ),
            Choice(
                "This exam cannot tell the gain from luck; ask how many of your items are new",
                "In a shop with new items every day the second exam matters more.",
                right=True,
            ),
        ),
    ),
    Question(
        "In the exam on new films the graph is at chance. Would a better model of the same ratings change that?",
        (
            Choice(
                "Yes, with more training or more dimensions",
                "More of what? All ratings of these films are hidden. There is nothing to learn from, however long.",
            ),
            Choice(
                "No: it has no rating of these films, so it has no ground to put one above another",
                "Another source is needed, and the words are one.",
                right=True,
            ),
            Choice(
                "Yes, with more people",
                "More people who have not rated these films either. A new item is new for everybody.",
            ),
        ),
    ),
    Question(
        "Why does a lesson print a verdict such as 'within 0.30-0.34' and not the number?",
        (
            Choice(
                "To hide that the result is uncertain",
                "The exact value goes into the scoreboard and the figures, with its interval.",
            ),
            Choice(
                "Because models are too random for numbers",
                "Most of what varies is the last decimals, from one processor to the next.",
            ),
            Choice(
                "The last decimals differ between machines; a band that no weaker model reaches says what matters",
                "The verdict is the same everywhere, so a test can compare it, and a broken model cannot pass.",
                right=True,
            ),
        ),
    ),
]
