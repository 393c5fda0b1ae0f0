"""What happens in a story, beat by beat: every beat can be told in several ways.

Fields in braces come from the cast (see ``cast.py``): ``{hero}`` and ``{friend}`` are people, ``{he}``,
``{him}``, ``{his}`` the pronouns of the hero, ``{fhe}``, ``{fhim}``, ``{fhis}`` those of the friend.
"""

Beat = tuple[str, ...]
Plot = tuple[Beat, ...]

OPENINGS: Beat = (
    "One morning, {hero} went {to_place} with {friend}.",
    "{hero} lived in a small house near the {place}.",
    "It was a {weather} day, and {hero} wanted to go {to_place}.",
    "Once there was {a_girl} who was called {hero}.",
    "{hero} and {friend} were good friends.",
    "On Sunday, {hero} met {friend} {at_place}.",
    "{hero} woke up early because the sun was shining.",
    "Every summer, {hero} stayed with {his} grandmother near the {place}.",
    "There was once {an_animal} that lived near the {place}.",
    "After breakfast, {hero} walked {to_place}.",
    "{hero} was happy because it was {his} birthday.",
    "The {worker} and {hero} lived in the same village.",
    "{hero} was {doing} when {friend} came in.",
    "{hero} and {friend} were {doing} {at_place}.",
    "{hero}'s house stood near the {place}.",
    "{hero}'s best friend was {friend}.",
)

ENDINGS: Beat = (
    "In the evening, {hero} and {friend} walked home together.",
    "{hero} was very happy that day.",
    "That night, {hero} slept well and dreamed about the {animal}.",
    '"What a good day!" said {hero}.',
    "Everybody laughed, and {hero} laughed too.",
    "From that day on, {hero} and {friend} were the best of friends.",
    "When the moon came up, they were all fast asleep.",
    "{hero} never forgot that day.",
    '"Let us do the same again tomorrow," said {friend}.',
    "At last, {hero} went home and told {his} mother everything.",
    "The {worker} smiled and gave them some {mass} and {a_food}.",
    "And the {animal} lived happily {at_place}.",
    '"Thank you for everything," said {hero}.',
    "Then the stars came out over the {place}.",
)

LOST: Plot = (
    (
        "{hero} had lost {his} {thing} and could not find it.",
        "{hero} looked for {his} {thing}, but it was not there.",
        '"Where is my {thing}?" asked {hero}.',
        '"Oh no, I have lost my {thing}!" said {hero}.',
    ),
    (
        "{He} looked under the bed and behind the door, but there was nothing.",
        "{He} looked {at_place}, but {he} found only {a_other_thing}.",
        '{He} asked {friend}, "Have you seen my {thing}?"',
        "{He} was sad, because the {thing} was a present from {his} aunt.",
    ),
    (
        '"Do not cry," said {friend}, "we will look for it together."',
        '"I will help you," said {friend}.',
        "{friend} wanted to help, so they both went {to_place}.",
        '"I saw it {at_place}," said {friend}.',
    ),
    (
        "They asked the {worker}, but the {worker} had not seen the {thing}.",
        "They asked the {worker}, who pointed to the {animal}.",
        'The {worker} said, "Ask the {animal}!"',
        "They looked everywhere {at_place}.",
    ),
    (
        "Then they saw {an_animal} that was sleeping on the {thing}.",
        "At last, {friend} found the {thing} under {a_other_thing}.",
        "The {thing} was {at_other}, and the {animal} was sitting beside it.",
        "Suddenly, the {animal} came out with the {thing}.",
    ),
    (
        '"Here it is!" said {friend}.',
        "{hero} thanked {friend} and held the {thing} tight.",
        '"You found it!" said {hero}, and {he} danced with joy.',
        "{hero} was so glad that {he} hugged {friend}.",
    ),
)

PICNIC: Plot = (
    (
        "They packed {a_food}, some {mass} and a blanket.",
        "{hero} put two {foods} and some {mass} into a basket.",
        '"Shall we eat outside today?" asked {friend}.',
        '{friend} said, "I have made some {mass} for us."',
    ),
    (
        "They sat down {at_place}, where the grass was soft.",
        "They found a quiet spot {at_place}.",
        "{friend} spread the blanket {at_place}.",
        "It was warm {at_place}, and the birds were singing.",
    ),
    (
        "{an_animal_cap} came closer and looked at the {foods}.",
        "A hungry {animal} was watching them.",
        "Then {friend} heard a noise behind a tree.",
        '"Look, there is {an_animal}!" said {friend}.',
    ),
    (
        '"Are you hungry, little {animal}?" asked {hero}.',
        "{hero} gave the {animal} {a_food}.",
        "The {animal} took {a_food} and ran away.",
        "The {animal} ate all the {foods}, and {friend} laughed.",
    ),
    (
        "Dark clouds came, and it began to rain.",
        "After lunch, they played with {a_thing}.",
        "{hero} sang a song, and {friend} danced.",
        "They lay in the grass and looked at the clouds.",
    ),
)

RESCUE: Plot = (
    (
        "On the way, {hero} heard somebody crying {at_place}.",
        "Suddenly, {hero} saw a small {animal} that could not move.",
        "A little {animal} had fallen into a hole {at_place}.",
        "{hero} heard a sad sound {at_place}.",
    ),
    (
        '"Who is there?" asked {hero}.',
        '"Please help me," said a small voice.',
        "It was {an_animal}, and it was very cold.",
        "The {animal} was cold and afraid.",
    ),
    (
        "{hero} ran to the {worker} and asked for a rope.",
        "{He} called {friend}, who brought a long rope.",
        '"Wait here, I will get {friend}," said {hero}.',
        "{He} did not know what to do, so {he} called {friend}.",
    ),
    (
        "They pulled and pulled until the {animal} was free.",
        "{friend} held the rope, and {hero} lifted the {animal} out.",
        "Together, they carried the {animal} {to_other}.",
        "{hero} was careful, and the {animal} was not hurt.",
    ),
    (
        "They gave the {animal} some {mass} and a warm blanket.",
        'The {worker} said, "You are very brave."',
        "The {animal} looked at {hero} and seemed to smile.",
        "The {animal} drank some water and felt better.",
    ),
    (
        '"Can we keep it?" asked {friend}.',
        "After that, the {animal} followed {hero} everywhere.",
        '"May it stay with us?" asked {hero}.',
        "They called the {animal} {pet}.",
    ),
)

GIFT: Plot = (
    (
        "{hero} wanted to give {friend} a present.",
        "It was {friend}'s birthday, and {hero} had no present.",
        '"What does {friend} like?" thought {hero}.',
        "{hero} had three coins and wanted to buy {a_thing}.",
    ),
    (
        "{He} went {to_place} and talked to the {worker}.",
        '"How much is the {color} {thing}?" asked {hero}.',
        "{He} saw a {color} {thing} {at_place}.",
        "The {worker} showed {hero} {a_thing} and {a_other_thing}.",
    ),
    (
        '"It is too expensive for me," said {hero}.',
        "But {hero} had only three coins, and the {thing} cost five.",
        '"I can help you in the shop," said {hero}.',
        'The {worker} asked, "Can you feed my {animals}?"',
    ),
    (
        "So {hero} worked all day for the {worker}.",
        "{He} carried water and fed the {animals}.",
        "{He} cleaned the shop until it was dark.",
        "{hero} thought about it and then had a better idea.",
    ),
    (
        "In the end, the {worker} gave {hero} the {thing}.",
        "{He} made the present {himself}, and it was beautiful.",
        "{He} painted the {thing} {color} and wrapped it in paper.",
        '"You worked well, so take the {thing}," said the {worker}.',
    ),
    (
        '"This is for you," said {hero}.',
        "{friend} opened the box and found the {thing}.",
        '"It is the nicest present of all!" said {friend}.',
        "{friend} was so surprised that {fhe} could not speak.",
    ),
)

BAKING: Plot = (
    (
        "{hero} and {friend} wanted to bake a cake for the {worker}.",
        '"Do we have any {foods}?" asked {friend}.',
        "There was no bread in the house, so {hero} decided to bake some.",
        "The {worker} was ill, so {hero} made some soup.",
    ),
    (
        "They needed milk, butter and three eggs.",
        "{friend} brought some {mass}, and {hero} cut {a_food}.",
        '"First, we need a big bowl," said {hero}.',
        "{hero} washed {his} hands and looked for a spoon.",
    ),
    (
        "But there were no eggs left, so {friend} went {to_place}.",
        "{friend} dropped an egg, and both of them laughed.",
        "The {animal} jumped on the table and ate the butter.",
        '"Who has eaten the {foods}?" asked {hero}.',
    ),
    (
        "The kitchen smelled wonderful.",
        "They waited and waited, and the {animal} waited too.",
        "An hour later, the cake was ready.",
        "{hero} opened the oven and looked inside.",
    ),
    (
        "Everybody wanted another big piece.",
        '"It is sweeter than honey," said {friend}.',
        "They gave the biggest piece to the {worker}.",
        "The {worker} came in and asked for a piece.",
    ),
)

CONTEST: Plot = (
    (
        "There was a race {at_place}, and everybody wanted to win.",
        '"I can run faster than you," said {friend}.',
        "{hero} and {friend} wanted to know who was faster.",
        "The {worker} had promised a prize to the fastest runner.",
    ),
    (
        '"Let us run {to_other}," said {hero}.',
        '"We shall see," said {hero}.',
        "{hero} was not as fast as {friend}, but {he} never gave up.",
        "The {worker} rang a bell, and they began to run.",
    ),
    (
        "{friend} ran fast, but then {fhe} fell.",
        "{hero} was behind {friend} at first.",
        "Halfway there, {an_animal} stood in the way.",
        "{friend} stopped because {fhe} saw {an_animal}.",
    ),
    (
        "{hero} could have won, but {he} stopped and helped {friend}.",
        '"Are you hurt?" asked {hero}.',
        "{hero} waited for {friend}, and they ran on side by side.",
        "{hero} took {friend} by the hand.",
        '"Take care that you do not fall," said {hero}.',
    ),
    (
        "They reached the {other_place} at the same time.",
        '"You both win," said the {worker}.',
        "The {animal} was the first, and everybody cheered.",
        "The prize was {a_thing}, and they shared it.",
    ),
)

QUARREL: Plot = (
    (
        "{hero} and {friend} both wanted the {color} {thing}.",
        '"Give me the {thing}!" said {hero}.',
        "{friend} had broken {hero}'s {thing}.",
        "{hero} was angry because {friend} had taken {his} {thing}.",
    ),
    (
        '"No, it belongs to me," said {friend}.',
        '"I did not do it," said {friend}.',
        "{friend} did not answer and walked away.",
        "For two days, they did not say a word.",
    ),
    (
        "{hero} sat alone {at_place} and felt sad.",
        "It was no fun to play alone.",
        "{hero} told the {worker} what had happened.",
        '"Why are you so sad?" asked the {worker}.',
    ),
    (
        'The {worker} said, "A friend is worth more than {a_thing}."',
        "{hero} thought about it for a long time.",
        '"Perhaps you should talk to {friend}," said the {worker}.',
        "Then {hero} saw {friend}, who was sitting {at_other}.",
    ),
    (
        '"I am sorry," said {hero}.',
        '"I am sorry too," said {friend}.',
        "{hero} gave {friend} the {thing}.",
        "They both said that they were sorry.",
    ),
    (
        "Then they played together until it was dark.",
        '"We can share it," said {friend}.',
        "{friend} smiled, and so did {hero}.",
        "After that, they shared everything.",
    ),
)

JOURNEY: Plot = (
    (
        "{hero} had never seen the sea.",
        "{hero} found an old map {at_place}.",
        '"Where does this road go?" asked {hero}.',
        "{hero} wanted to know what was behind the hill.",
    ),
    (
        "{He} took some {mass}, {a_food} and {a_thing}, and off {he} went.",
        "{He} asked {friend} to come with {him}.",
        '"May I come with you?" asked {friend}.',
        "They left the house before the sun was up.",
    ),
    (
        "First, they came to {a_place_name}, where {an_animal} was sleeping.",
        "On the road, they met the {worker}, who was carrying {a_other_thing}.",
        "They walked for hours and saw nobody.",
        "At noon, they rested {at_place}.",
    ),
    (
        '"Did you forget your {thing}?" asked {friend}.',
        '"Are we lost?" asked {friend}.',
        "Soon it was dark, and they could not find their way.",
        "{friend} was tired, but {hero} wanted to go on.",
        "{an_animal_cap} showed them the way.",
    ),
    (
        "At last, they stood on a high hill and saw the blue sea.",
        "Behind the trees, they found {a_thing} that was made of gold.",
        "In the distance, they could see the {other_place}.",
        '"It is more beautiful than I thought," said {hero}.',
    ),
)

GARDEN: Plot = (
    (
        "In spring, {hero} planted some seeds near the {place}.",
        "{hero} had a small garden behind the house.",
        "The {worker} gave {hero} a handful of seeds.",
        '"What will grow in your garden?" asked {friend}.',
    ),
    (
        "Every day, {hero} watered the garden.",
        "It did not rain for weeks, so {hero} carried water from the well.",
        "For a long time, nothing happened.",
        '"You must wait," said the {worker}.',
    ),
    (
        "Then a little green leaf came out of the ground.",
        "One day, {an_animal} dug up half of the seeds.",
        "{hero} built a fence, because the {animals} were hungry.",
        "{friend} helped {hero}, and they worked side by side.",
    ),
    (
        "In summer, the flowers were taller than {hero}.",
        "Soon there were carrots, onions and tomatoes.",
        "The flowers were red, yellow and blue.",
        "The first {food} was small but very sweet.",
    ),
    (
        "{hero} gave half of it to the {worker}.",
        '"I have never eaten such a good {food}," said {friend}.',
        "They carried everything {to_place} and sold it there.",
        "Even the {animals} got their share.",
    ),
)

STORM: Plot = (
    (
        "In the night, there was a storm.",
        "The wind blew, and the rain fell on the roof.",
        "Big clouds came over the {place}.",
        "It snowed all night, and in the morning everything was white.",
    ),
    (
        '"I am afraid," said {friend}.',
        "{hero} could not sleep.",
        "The {animals} hid {at_place}.",
        "{friend} closed the windows, and {hero} lit a candle.",
    ),
    (
        '"Where is the {animal}?" asked {hero}.',
        "Something was knocking at the door.",
        "Suddenly, the door opened, and {an_animal} came in.",
        "The {worker} came in with a wet coat.",
    ),
    (
        "They made some tea and told each other stories.",
        "{hero} took {a_thing} and went out into the rain.",
        '"Come in and sit by the fire," said {hero}.',
        "They sat by the fire and ate {foods}.",
    ),
    (
        "By morning, the sky was clear again.",
        "When the storm was over, they went {to_place}.",
        "A tree had fallen on the road {to_place}.",
        '"Look, a rainbow!" said {friend}.',
    ),
)

MUSIC: Plot = (
    (
        "{hero} had an old flute that nobody could play.",
        "{hero} loved to sing, but {he} was very shy.",
        "There was a party {at_place}, and everybody danced.",
        '"Can you teach me a song?" asked {hero}.',
    ),
    (
        "Every day, {hero} practiced {at_place}.",
        "At first, it sounded terrible.",
        "{friend} covered {fhis} ears and ran away.",
        "Only the {animal} listened to {hero}.",
    ),
    (
        "The {worker} heard {hero} and stopped.",
        '"That was beautiful," said the {worker}.',
        "Week after week, {hero} got better.",
        '"Do not give up," said {friend}.',
    ),
    (
        "One evening, {hero} played for the whole village.",
        "Then {hero} sang a song about {an_animal} and {a_thing}.",
        "Nobody spoke while {hero} was singing.",
        "{friend} clapped, and the {worker} began to dance.",
    ),
)

RIDDLE: Plot = (
    (
        "{friend} had hidden the {thing} and would not say where it was.",
        '"Guess what I have in my bag," said {friend}.',
        "The {worker} asked them a riddle.",
        "{hero} found a letter {at_place}.",
    ),
    (
        '"Is it bigger than {a_food}?" asked {hero}.',
        '"Is it {a_other_thing}?" asked {hero}.',
        "The letter said that something was hidden {at_other}.",
        "{hero} did not know the answer.",
    ),
    (
        '"No, it is smaller and heavier," said {friend}.',
        '"You will never guess it," said {friend}.',
        "They looked under every stone {at_place}.",
        "{hero} thought and thought.",
    ),
    (
        '"Now I know!" said {hero}.',
        "Then {hero} saw the tail of {an_animal}.",
        "Under a stone, there was a {color} {thing}.",
        '"Is it alive?" asked {hero}.',
    ),
    (
        '"Yes, you found the answer," said {friend}, and {fhe} laughed.',
        "It was only {a_thing}, but they liked it.",
        '"You are very clever," said the {worker}.',
        "{friend} opened the bag, and out came {an_animal}.",
    ),
)

PLOTS: tuple[Plot, ...] = (
    LOST,
    PICNIC,
    RESCUE,
    GIFT,
    BAKING,
    CONTEST,
    QUARREL,
    JOURNEY,
    GARDEN,
    STORM,
    MUSIC,
    RIDDLE,
)

# A place as it is today: for documents that describe instead of telling.
DESCRIPTION: Plot = (
    (
        "This is the {place} where {hero} and {friend} play.",
        "Many animals live near the {place}.",
        "{hero} knows everybody who lives near the {place}.",
        "Do you know the {place} near the village?",
        "Everybody likes the {place}.",
    ),
    (
        "There is {a_thing} {at_place}, and nobody knows who left it there.",
        "There are some old trees {at_place}.",
        "An old {worker} lives there with {an_animal}.",
        "{an_animal_cap} sleeps {at_place} every afternoon.",
        "The {worker} comes {to_place} every day.",
    ),
    (
        "Every morning, the {worker} {acts} {at_place}.",
        "The {workers} {act} together in the evening.",
        "{friend} {acts} every day.",
        "Nobody {acts} as well as {friend}.",
        "Some of the {workers} {admire} {hero}.",
        "{friend} {admires} the {worker}.",
    ),
    (
        "In winter, it is cold {at_place}.",
        "In summer, the children eat {foods} {at_place}.",
        "When it rains, the {animals} stay {at_place}.",
        "In the morning, you can hear the {animals}.",
        "{an_animal_cap} often runs across the {place}.",
        "On Sundays, the {worker} sells {foods} and {mass} there.",
    ),
    (
        "{hero} likes the {animals}, but {friend} likes the {other_animals}.",
        "{friend} has a {color} {thing}, and {hero} has a {other_color} one.",
        "The {worker} is always {mood}.",
        "{hero} often brings {a_food} for the {animal}.",
        "{friend}'s {thing} is {color}, and {hero}'s {thing} is {other_color}.",
    ),
    (
        "Today, {friend} is {doing} there.",
        "{hero} is {doing}, and {friend} is watching.",
        "In the shade of a tree, the {worker} is {doing}.",
        "{hero}'s grandmother is {doing} {at_place}.",
    ),
    (
        "At night, the stars shine over the {place}.",
        "Nobody ever moves away.",
        "{friend} wants to be {a_worker} one day.",
        "{hero} hopes that nothing will ever change.",
        "In the evening, everybody goes home.",
    ),
)

# Questions with their answers, so that a question is never answered by a stranger.
CONVERSATION: Plot = (
    (
        '"Good morning, {friend}," said {hero}. "Good morning, {hero}," said {friend}.',
        '"Where are you going?" asked {hero}. "I am going {to_place}," said {friend}.',
        '"How are you, {friend}?" asked {hero}. "I am fine, but my {animal} is ill," said {friend}.',
        '"What are you doing {at_place}?" asked {hero}. "I am waiting for the {worker}," said {friend}.',
        '"Who is there?" asked {hero}. "It is only me," said {friend}.',
        '"Are you busy today?" asked {hero}. "No, I have time for you," said {friend}.',
    ),
    (
        '"What do you want to buy?" asked {hero}. "I want to buy {a_thing}," said {friend}.',
        '"Do you have any {foods}?" asked {hero}. "Yes, I have two {foods} and some {mass}," said {friend}.',
        '"Have you seen the {color} {thing}?" asked {hero}. "Yes, it is {at_place}," said {friend}.',
        '"Which {thing} do you like best?" asked {hero}. "I like the {color} one," said {friend}.',
        '"Who gave you that {thing}?" asked {hero}. "The {worker} gave it to me," said {friend}.',
        '"How much is the {thing}?" asked {hero}. "It is not expensive at all," said {friend}.',
        '"What is in your bag?" asked {hero}. "There is only {a_food} in it," said {friend}.',
    ),
    (
        '"What is the {worker} doing?" asked {hero}. "The {worker} is {doing}," said {friend}.',
        '"Are you {doing}?" asked {hero}. "No, that was yesterday," said {friend}.',
        '"Why is the {worker} so {mood}?" asked {hero}. "I think it is because of the {animal}," said {friend}.',
        '"Is that {animal} yours?" asked {hero}. "No, it belongs to the neighbor," said {friend}.',
        '"Can your {animal} sing?" asked {hero}. "No, but it can dance," said {friend}, and {fhe} laughed.',
        '"Do you like my {color} {thing}?" asked {hero}. "Yes, I like it very much," said {friend}.',
        '"Does the {worker} live {at_other}?" asked {hero}. "No, nobody lives there," said {friend}.',
        '"When did you meet the {worker}?" asked {hero}. "We met last summer," said {friend}.',
        '"What does {an_animal} eat?" asked {hero}. "It likes {foods} best," said {friend}.',
    ),
    (
        '"May I come with you?" asked {hero}. "Yes, of course," said {friend}.',
        '"Shall we go {to_place} tomorrow?" asked {hero}. "Yes, if it does not rain," said {friend}.',
        '"Can you help me with the {animals}?" asked {hero}. "I will come right away," said {friend}.',
        '"Will you come back soon?" asked {hero}. "I will be back in an hour," said {friend}.',
        '"I must go home now," said {hero}. "Then I will see you tomorrow," said {friend}.',
    ),
)
