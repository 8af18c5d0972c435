"""The grader against a fair reader: short stories written by hand, in the words of the one who wrote them.

The grader knows what the stories of `tell` can say, and no other English: most of what it gets wrong here is good
English that no template has. What it gets right has to stay right; each of its errors stands here with its reason. Many
texts begin by naming their people in the stories' own way, or the grader would read nothing of them at all.
"""

import pytest

from storyworld import grade

MILA = "Mila was a shy girl who lived in a small house near the market. "
BOTH = MILA + "Her best friend was a funny boy named Omar. "
KITE = MILA + "Mila had a red kite, and she took it everywhere. "
LEARN = MILA + "Mila wanted to learn how to swim. Everyone else could do it. "

OWN = "good English that no template has"
ROLE = "a pronoun as object and one as subject are read by the same slot"
MASS = "read with the sentence it is told with, which fits some things and not others"
SEASON = "what is said of plants and sights is not held against the season"
UNREAD = "a sentence that it cannot read makes everything possible"
ANSWER = "whether a question is answered is not looked at"

# What a fair reader says: is it good English ("english"), can it be ("possible"), does the wish come true ("ends")?
# question | right or wrong | the reason the grader says otherwise, or "" | the text
CASES = [
    # ------------------------------------------------------------ English, right
    ("english", True, OWN, "Ben lost his shoe in the mud and hopped home on one foot."),
    ("english", True, OWN, BOTH + "The two of them built a dam across the brook."),
    ("english", True, "", BOTH + "Mila was happy."),
    ("english", True, "", KITE + "Mila walked home."),
    ("english", True, "", BOTH + "Mila thanked Omar three times."),
    # ------------------------------------------------------------ English, wrong
    ("english", False, "", "Mila were a shy girl."),
    ("english", False, "", "Once upon a time there lived an fox."),
    ("english", False, "", "Him lived in a house near the market."),
    ("english", False, "", "Omar goed to the well and drinked."),
    ("english", False, "", "the girl, and. Then happy"),
    ("english", False, "", MILA + "She have many friend."),
    ("english", False, "", MILA + "He was a girl."),
    ("english", False, "", BOTH + "Mila gave Omar to."),
    ("english", False, "", BOTH + "Mila walked walked home."),
    ("english", False, "", BOTH + "Mila thanked he three times."),
    ("english", False, "", KITE + "Mila gave a kite red to the Omar."),
    ("english", False, ROLE, MILA + "Mila owned a pair of red boots. Them were a present from someone far away."),
    # ------------------------------------------------------------ what can be
    ("possible", True, "", BOTH + "One mild day, Mila and Omar walked to the well. Omar walked home."),
    ("possible", True, "", KITE + "Mila walked home. Mila played with the red kite all morning."),
    ("possible", True, "", BOTH + "Omar was asleep in his bed. Mila sat in the garden and read."),
    ("possible", True, "", BOTH + "Mila was happy. Omar was afraid. Mila thanked Omar three times."),
    ("possible", True, "", KITE + "Mila lost the red kite and cried. Mila walked home."),
    ("possible", False, UNREAD, BOTH + "One mild day, Mila walked to the well. Omar walked home. Mila thanked Omar."),
    ("possible", False, "", BOTH + "One mild day, Mila walked to the well. Mila gave the red kite to Omar."),
    ("possible", False, "", KITE + "Mila played with the blue kite all morning."),
    ("possible", False, "", MILA + "Mila thanked Omar three times."),
    ("possible", False, UNREAD, BOTH + "Omar died. Omar walked home."),
    ("possible", False, UNREAD, BOTH + "Mila has no friends. Mila thanked Omar three times."),
    ("possible", False, SEASON, MILA + "One winter day, when it was cold, Mila walked to the orchard, where apples and "
     "pears ripened in rows."),
    ("possible", False, MASS, MILA + "Mila had saved a big jar of honey for this very day. Mila hid in a box. Mila "
     "swallowed the big jar of honey in three bites."),
    # ------------------------------------------------------------ wishes
    ("ends", True, OWN, LEARN + "Mila practiced for seven days. Suddenly, it was easy. Mila swam, and all clapped. "
     "It had been a good day, and Mila was happy."),
    ("ends", True, OWN, BOTH + "They had a quarrel about a ball. The next day both of them said sorry. They were "
     "friends again, and stayed friends."),
    ("ends", False, "", LEARN),
    ("ends", False, "", LEARN + "Mila walked home."),
    ("ends", False, "", LEARN + "It had been a good day, and Mila was happy."),
    ("ends", False, "", MILA + "It had been a good day, and Mila was happy."),
    ("ends", False, "", MILA + "She wished for a dog. Then it rained."),
    ("ends", False, "", BOTH + "Omar could not find his cap. They went home without it and forgot to tell anyone."),
    ("ends", False, "", LEARN + "Suddenly, it was easy. Omar swam, and Mila clapped. It had been a good day, and "
     "Mila was happy."),
    ("ends", False, ANSWER, BOTH + "There was nothing that Mila wished for more than to swim. \"Can you teach me to "
     'swim, Omar?" asked Mila. Suddenly, it was easy. Mila swam, and Omar clapped. It had been a good day, and '
     "Mila was happy."),
]  # fmt: skip
MARKS = {"english": "grammar", "possible": "consistency", "ends": "plot"}


@pytest.mark.parametrize(
    ("question", "right", "text"),
    [
        pytest.param(question, right, text, marks=[pytest.mark.xfail(strict=True, reason=reason)] if reason else [])
        for question, right, reason, text in CASES
    ],
)
def test_the_grader_says_what_a_fair_reader_says(question, right, text):
    assert (getattr(grade(text), MARKS[question]) == 1) == right
