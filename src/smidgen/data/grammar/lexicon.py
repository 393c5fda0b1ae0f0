"""The vocabulary of the grammar source, chosen by hand for short, friendly stories.

Every list is a kind: its words may replace one another wherever the kind is asked for, so a word enters a
list only if all sentences that use the list stay sensible with it.
"""

from smidgen.data.grammar.word import (
    HE,
    SHE,
    VOWELS,
    Person,
    Verb,
    adjective,
    irregular,
    noun,
    place,
    regular,
    rows,
    words,
)

# Names that are no other English word ("Rose", "Grace", "Jack") and belong to one gender.
GIRLS = tuple(
    Person(name, SHE)
    for name in words("""
        Mia Anna Lily Emma Nora Clara Ruth Ella Lucy Alice Ida Eva
        Sara Julia Molly Hannah Maria Zoe Leah Tessa Nina Paula Helen Sophie
    """)
)
BOYS = tuple(
    Person(name, HE)
    for name in words("""
        Tom Ben Leo Peter Oscar Hugo Adam Henry Paul Felix Simon David
        Noah Otto Jonas Finn Carl George Louis Martin Owen Eric Max Anton
    """)
)

FEMALE_NOUNS = (noun("woman", "women"), *map(noun, words("girl queen princess grandmother aunt")))
MALE_NOUNS = (noun("man", "men"), *map(noun, words("boy king prince grandfather uncle")))
FEMALE_RELATIVES = words("mother sister aunt grandmother daughter")
MALE_RELATIVES = words("father brother uncle grandfather son")
WORKERS = tuple(
    map(
        noun,
        words("""
            farmer teacher doctor baker sailor singer painter driver cook nurse gardener neighbor
            artist actor engineer inventor student shepherd soldier tailor dancer writer miller
        """),
    )
)
ANIMALS = (
    noun("mouse", "mice"),
    noun("goose", "geese"),
    noun("wolf", "wolves"),
    *map(
        noun,
        words("""
            dog cat horse cow hen duck goat fox bear rabbit owl eagle elephant frog
            bird squirrel monkey pony puppy kitten turtle lamb donkey pig otter
        """),
    ),
)
THINGS = (
    noun("knife", "knives"),
    *map(
        noun,
        words("""
            ball book box key basket bell umbrella map letter stone ring spoon bottle bag rope blanket
            candle shell feather coin brush bucket envelope arrow pencil picture ribbon ladder flute clock
            lantern pillow button wheel hat coat scarf cup plate lamp bowl mirror kite drum doll apron
        """),
    ),
)
FOODS = tuple(
    map(
        noun,
        words("""
            apple egg orange pear cake cookie pie carrot onion
            potato sandwich plum peach pancake banana muffin tomato apricot
        """),
    )
)
MASS_FOODS = words("bread milk water rice honey soup juice tea cheese butter")
PLACES = (
    *(
        place("in", name)
        for name in words("""
            garden kitchen barn forest park library village yard
            castle orchard meadow bakery field cave tent tower
        """)
    ),
    *(place("at", name) for name in words("school market station harbor mill inn")),
    *(place("on", name) for name in words("beach hill island farm bridge")),
    *(place("by", name) for name in words("river lake pond well gate")),
)

PERSON_ADJECTIVES = words("""
    kind brave clever quiet proud tall young old friendly gentle strong happy tired hungry shy careful
""")
ANIMAL_ADJECTIVES = words("small big brown black white gray hungry young old quick gentle sleepy little")
THING_ADJECTIVES = words("""
    small big red blue green yellow old new heavy shiny pretty orange ugly odd expensive white
""")
VOWEL_ADJECTIVES = tuple(word for word in THING_ADJECTIVES if word[0] in VOWELS)
CONSONANT_ADJECTIVES = tuple(word for word in THING_ADJECTIVES if word[0] not in VOWELS)
FEELINGS = words("happy tired hungry sad proud busy late ready sleepy thirsty lucky angry quiet")
ANIMAL_STATES = words("hungry tired thirsty sleepy happy quiet wet dirty cold")
THING_STATES = words("heavy old new dirty wet clean beautiful cheap lovely expensive")
COMPARED = tuple(
    map(
        adjective,
        words("tall old young strong fast kind brave happy quick quiet loud small short slow proud calm"),
    )
)

VERBS: dict[str, Verb] = {
    verb.base: verb
    for verb in (
        *(
            irregular(*forms)
            for forms in rows("""
                begin began begun, blow blew blown, break broke broken, bring brought brought, buy bought bought,
                choose chose chosen, do did done, draw drew drawn, drink drank drunk, drive drove driven,
                eat ate eaten, fall fell fallen, feed fed fed, find found found, fly flew flown,
                forget forgot forgotten, give gave given, go went gone, grow grew grown, hear heard heard,
                hide hid hidden, hold held held, hurt hurt hurt, keep kept kept, know knew known,
                leave left left, lose lost lost, make made made, meet met met, read read read, ride rode ridden,
                ring rang rung, run ran run, say said said, see saw seen, shake shook shaken, sing sang sung,
                sit sat sat, sleep slept slept, speak spoke spoken, stand stood stood, steal stole stolen,
                swim swam swum, take took taken, teach taught taught, tear tore torn, tell told told,
                think thought thought, throw threw thrown, wake woke woken, wear wore worn, write wrote written
            """)
        ),
        *map(
            regular,
            words("""
                admire answer arrive ask bake blame borrow call carry clean climb color cook cough cover cry dance
                disappear dress drop fetch fix follow giggle grab greet guess help hug invite jump laugh learn lift
                like live look love move need notice open paint play pull push remember rest scare shiver smile sneeze
                snore surprise talk thank touch trust visit wait walk want wash watch whistle work wrap yawn
            """),
        ),
    )
}


def verbs(bases: str) -> tuple[Verb, ...]:
    return tuple(VERBS[base] for base in words(bases))


PERSON_ACTIONS = verbs("sing dance laugh work swim walk sleep wait play smile rest read cook whistle talk")
ANIMAL_ACTIONS = verbs("sleep wait rest play hide eat run jump")
# Intransitive in every use: "slept the box" is no English.
NEVER_TRANSITIVE = verbs("sleep sneeze cough smile laugh yawn snore shiver arrive wait giggle")
# A sentence without their object is no English: "Mia carried in the garden".
NEEDS_THING = verbs("carry find take lift hold want need keep touch fetch buy borrow admire grab wrap")
NEEDS_PERSON = verbs("thank greet invite surprise trust hug scare admire find")
# No states ("was needing") and nothing with two objects ("was brought the box" is a good passive).
THING_ACTIONS = verbs("carry lift hold touch hide wrap move push draw paint clean cover color wash")
PERSON_OBJECT = verbs("like love know help see follow visit need trust hear remember admire thank")

Frame = tuple[Verb, tuple[str, ...]]


def frame(base: str, complements: str) -> Frame:
    return VERBS[base], tuple(complements.split(", "))


# Verbs with three different forms, and what may be done: "write", "a letter".
PROCESS_FRAMES: tuple[Frame, ...] = (
    frame("eat", "an apple, the bread, a pear, the cake, two eggs, the soup"),
    frame("drink", "the milk, some water, the juice, a cup of tea"),
    frame("write", "a letter, a story, a poem, a song"),
    frame("break", "a cup, the window, a plate, the bowl"),
    frame("take", "the umbrella, the basket, a picture, the key"),
    frame("give", "the dog a bone, the horse an apple, the teacher a flower, the sailor a coin"),
    frame("choose", "a red hat, the blue coat, a book, the biggest pear"),
    frame("draw", "a horse, a map, a picture, a house"),
    frame("throw", "the ball, a stone, the rope, a stick"),
    frame("hide", "the key, the letter, a coin, the map"),
    frame("wear", "a scarf, the green hat, a warm coat, new shoes"),
    frame("ride", "the pony, a horse, the donkey, a bicycle"),
    frame("drive", "the truck, a car, the bus, the tractor"),
    frame("sing", "a song, an old song, a happy song"),
    frame("speak", "to the teacher, to the king, to the baker"),
    frame("tear", "the letter, the map, the page, the old shirt"),
    frame("ring", "the bell, the old bell, the school bell"),
    frame("grow", "tomatoes, flowers, onions, carrots"),
    frame("shake", "the tree, the box, the blanket"),
    frame("steal", "the cookies, a ring, the pie"),
    frame("blow", "out the candles, out the lantern"),
    frame("fly", "a kite, the kite, the red kite"),
    frame("do", "the work, the dishes"),
    frame("begin", "the lesson, a new story, the game"),
    frame("wake", "the baby, the baker, the dog"),
)
IRREGULAR_FRAMES: tuple[Frame, ...] = (
    *PROCESS_FRAMES,
    # Nobody plans these or is seen at them: "was seeing a fox", "fell asleep with Tom".
    frame("fall", "asleep"),
    frame("see", "a fox, an owl, the sea, a rainbow, the moon"),
    frame("forget", "the umbrella, the song, the key, the answer"),
)
PLANNED_FRAMES: tuple[Frame, ...] = (
    *PROCESS_FRAMES,
    frame("paint", "the door, a picture, the old boat, the fence"),
    frame("open", "the box, the window, the gate, the letter"),
    frame("clean", "the kitchen, the windows, the table"),
    frame("bake", "a cake, some bread, an apple pie, the cookies"),
    frame("visit", "the farmer, the queen, the old mill"),
    frame("help", "the baker, the old woman, the sailor"),
    frame("feed", "the hens, the goat, the ducks, the kitten"),
    frame("wash", "the dog, the plates, the apples"),
    frame("climb", "the hill, the tree, the ladder"),
    frame("fix", "the clock, the wheel, the roof"),
    frame("learn", "a new song, a poem, the alphabet"),
    frame("watch", "the birds, the boats, the clouds"),
    frame("cook", "the soup, some rice, the potatoes"),
    frame("call", "the doctor, the dog, the gardener"),
)
FRAMES: tuple[Frame, ...] = tuple(dict.fromkeys(IRREGULAR_FRAMES + PLANNED_FRAMES))

# What people may do to themselves: "Mia washed herself".
REFLEXIVE_FRAMES = (
    "washed _",
    "hurt _",
    "looked at _",
    "talked to _",
    "made _ a sandwich",
    "bought _ a hat",
    "taught _ a song",
    "drew a picture of _",
    "laughed at _",
    "asked _ a question",
    "dressed _",
    "covered _ with a blanket",
    "blamed _ for the mistake",
    "told _ a story",
    "cooked _ some soup",
    "poured _ a cup of tea",
)

VOWEL_NOUNS = tuple(each for each in ANIMALS + THINGS + FOODS if each.singular[0] in VOWELS)
CONSONANT_NOUNS = tuple(each for each in ANIMALS + THINGS + FOODS if each.singular[0] not in VOWELS)
ALL_NOUNS = FEMALE_NOUNS + MALE_NOUNS + WORKERS + ANIMALS + THINGS + FOODS

# What carries no picture of its own. Two sentences that differ in these only stay on one side of the split.
FUNCTION_WORDS = frozenset(
    words("""
        a an the this that these those every each another one two three four many several both all few no some any
        much too either so neither and or but nor if who what which whose where when why how is are was were be
        been am being do does did done has have had having will can cannot could must should may would not never
        ever i you he she it we they me him her us them my your his its our their myself yourself himself herself
        itself ourselves yourselves themselves in on at by near behind beside under to from of with for into out
        than as there then after before while
    """)
)
