"""Documents of our own in the form of each benchmark, with the oddities that its rules are about."""

from typing import Any

Rows = list[dict[str, Any]]

GEARS = {"text": ["the gear.", " a bolt", 'oil\'s "best"\nuse', "naïve é"], "label": ["A", "B", "C", "D"]}

TINY_DOCUMENTS: dict[str, Rows] = {
    "hellaswag": [
        {
            "activity_label": "Kite [sic] flying",
            "ctx_a": " A child runs  down a hill.",
            "ctx_b": "the Kite Rises",
            "endings": [
                "[step] and it falls.",
                "over [x]  the  trees [title] Then home.",
                " and sings. ",
                "[header] [a] b",
            ],
            "label": "2",
        },
        {
            "activity_label": "Baking",
            "ctx_a": "[header] How to bake bread [title] Mix flour. [step] Take water.",
            "ctx_b": "",
            "endings": ["Knead it.", "Sell it.", "Fly it.", "Read it."],
            "label": "0",
        },
    ],
    "arc_easy": [
        {"question": "Which part turns? ", "choices": GEARS, "answerKey": "C"},
        {"question": "7", "choices": {"text": ["x", "y", "z"], "label": ["1", "2", "3"]}, "answerKey": "3"},
    ],
    "arc_challenge": [
        {
            "question": "Which of five?\n",
            "choices": {"text": ["p", "q", "r", "s", "t"], "label": ["A", "B", "C", "D", "E"]},
            "answerKey": "E",
        },
    ],
    "piqa": [
        {"goal": "Open a jar?", "sol1": "Turn the lid ", "sol2": "Don't [turn] \\the\\ lid", "label": 1},
        {"goal": "", "sol1": "1", "sol2": "2", "label": 0},
    ],
    "blimp": [
        {
            "sentence_good": "The dogs bark.",
            "sentence_bad": "The dogs barks.",
            "linguistics_term": "subject_verb_agreement",
            "UID": "regular_plural_subject_verb_agreement_1",
        },
        {
            "sentence_good": "'Tis so.",
            "sentence_bad": '"Tis" so.',
            "linguistics_term": "subject_verb_agreement",
            "UID": "regular_plural_subject_verb_agreement_1",
        },
    ],
    "wikitext": [
        {
            "page": " = Tin whistle = \n \n The whistle 's sound @-@ it cost 1 @,@ 250 @.@ 5 pounds , he "
            "said N times ; then : no ! \n"
        },
        {
            "page": ' = = = = Deep = = = = \n = = = Less = = = \n = = Two = = \n ( one [ two ] { three } ) " four " '
            "' five ' s ' N Dogs ' tails at 5 ° C . A / B ? \n \n \n"
        },
        {"page": "naïve\tpage without any end"},
    ],
    "lambada_openai": [
        {"text": "The kettle sang and she poured the tea"},
        {"text": 'Two  spaces,\nlines and a "quoted\nword"'},
    ],
    "boolq": [
        {"passage": "Iron rusts.\nSlowly. ", "question": "does iron rust", "label": 1},
        {"passage": "", "question": "is it 5?", "label": 0},
    ],
    "copa": [
        {
            "premise": " It rained all night. ",
            "question": "effect",
            "choice1": "The River rose.",
            "choice2": "A cat sang.",
            "label": 0,
        },
        {"premise": "He sneezed.", "question": "cause", "choice1": "É was cold.", "choice2": "I slept.", "label": 1},
    ],
    "winogrande": [
        {
            "sentence": "The cup broke because the _ was too hard .",
            "option1": "floor",
            "option2": "cup",
            "answer": "1",
        },
        {"sentence": "_ lent Mia a pen, so _ wrote.", "option1": "Ann", "option2": "Mia ", "answer": "2"},
    ],
    "truthfulqa_mc2": [
        {
            "question": "Can pigs fly?",
            "mc1_targets": {"choices": ["No.", "Yes."], "labels": [1, 0]},
            "mc2_targets": {"choices": ["No.", "They can't.", "Yes.", "On Mondays."], "labels": [1, 1, 0, 0]},
        },
        {
            "question": "Is glass a liquid?",
            "mc1_targets": {"choices": ["No.", "Yes."], "labels": [1, 0]},
            "mc2_targets": {"choices": ["It is.", "No.", "Only old glass."], "labels": [0, 1, 0]},
        },
    ],
    "openbookqa": [
        {"question_stem": "A lever lifts ", "choices": GEARS, "answerKey": " D"},
        {"question_stem": "12", "choices": GEARS, "answerKey": "A"},
    ],
    "swag": [
        {
            "startphrase": "She opens the box. Inside ",
            "ending0": "is a bell.",
            "ending1": "runs away.",
            "ending2": "she dives ",
            "ending3": " , nothing.",
            "label": 3,
        },
    ],
    "mmlu": [
        {
            "question": " What is 2 + 3? \n",
            "subject": "college_physics",
            "choices": ["4", "5 ", "6", "-7"],
            "answer": 1,
        },
        {"question": "Pick one.\nNow.", "subject": "college_physics", "choices": ["a", "b", "c", "d"], "answer": 3},
    ],
    "race": [
        {
            "article": "Tom keeps bees.\nHe sells honey.",
            "problems": repr(
                [
                    {"question": "Tom sells  _  .", "answer": "B", "options": ["wax", "honey.", "bees", "hats"]},
                    {"question": "Who?", "answer": "A", "options": ["Tom", "Ann", "Bob", "Eve"]},
                    {"question": "What does Tom's  _  ?", "answer": "D", "options": ["a\n", "b", "'c'", "keep"]},
                ]
            ),
        },
        {
            "article": "Short.",
            "problems": repr(
                [{"question": "It is  _  .", "answer": "C", "options": ["long", "red", "short", "wet"]}]
            ),
        },
    ],
    "sciq": [
        {
            "support": "  Ice floats. ",
            "question": "What floats?",
            "distractor1": "iron",
            "distractor2": "lead",
            "distractor3": "stone ",
            "correct_answer": "ice",
        },
        {
            "support": "",
            "question": "What burns?",
            "distractor1": "ash",
            "distractor2": "sand",
            "distractor3": "salt",
            "correct_answer": "wood",
        },
    ],
    "commonsense_qa": [
        {
            "question": " Where do ships rest? ",
            "choices": {"label": ["A", "B", "C", "D", "E"], "text": ["harbour", "roof", "bank ", "tree", "sky"]},
            "answerKey": "A",
        },
        {
            "question": "What is wet?",
            "choices": {"label": ["A", "B", "C", "D", "E"], "text": ["fire", "dust", "air", "stone", "rain"]},
            "answerKey": "E",
        },
    ],
}
