"""Hold the words the stories are made of: people, animals, places, things, and words that may stand for each other."""

# ruff: noqa: E501, SIM905 (a word list reads best as words, and a row of a table as one line)

GIRLS = (
    "Mila Nora Ruby Ella Hana Clara Zoe Lena Maya Priya Amina Rosa June Edith Greta Yuki Freya Leila Sofia Ada Nina "
    "Tilda Marta Bea Dora Kira Luna Suki Carmen Esme Flora Inga Jana Lottie Mabel Odile Paula Runa Thea Vera"
).split()
BOYS = (
    "Omar Finn Leo Hugo Theo Max Sam Arlo Ravi Kofi Jonah Milo Noah Otto Emil Bruno Felix Ivan Oscar Tariq Pablo Kenji "
    "Dario Ben Jasper Caleb Nico Anton Rory Eli Hank Abel Toby Victor Aldo Bo Cyril Edgar Gilbert Henry"
).split()
ANIMAL_NAMES = (
    "Pip Rusty Nibbin Tuffle Biscuit Bramble Mottle Snuffle Dapple Fidget Tumble Whisk Bobbin Pepper Ginger Toffee "
    "Muddle Twitch Peanut Velvet Sorrel Juniper Marigold Misty Hickory Barley Crumb Dusty Flick Sprout Waddle Truffle "
    "Zigzag Hopper Bibble Nutmeg Tansy Pickle Doodle Rumble"
).split()

# kind: (what it holds things with, where it lives)
ANIMALS = {
    "fox": ("paws", "den"),
    "rabbit": ("paws", "burrow"),
    "mouse": ("paws", "mouse hole"),
    "squirrel": ("paws", "tree house"),
    "hedgehog": ("paws", "burrow"),
    "badger": ("paws", "den"),
    "bear": ("paws", "cave"),
    "otter": ("paws", "den"),
    "beaver": ("paws", "lodge"),
    "mole": ("paws", "burrow"),
    "raccoon": ("paws", "tree house"),
    "kitten": ("paws", "cottage"),
    "puppy": ("paws", "cottage"),
    "frog": ("hands", "mud hut"),
    "duck": ("wings", "nest"),
    "sparrow": ("wings", "nest"),
    "goose": ("wings", "nest"),
    "chipmunk": ("paws", "burrow"),
    "monkey": ("hands", "tree house"),
    "penguin": ("wings", "snow hut"),
}
TOLD_ANIMALS = (
    "goat lamb pony pig donkey hen rooster lizard snail ant beetle whale camel tiger elephant swan moth parrot seal "
    "zebra giraffe lion calf toad"
).split()
ELDERS = {
    "people": (
        ("Grandma", "grandmother", "she", "Grandma"),
        ("Grandpa", "grandfather", "he", "Grandpa"),
        ("Mom", "mother", "she", "Mom"),
        ("Dad", "father", "he", "Dad"),
        ("Aunt Polly", "aunt", "she", "Aunt Polly"),
        ("Uncle Walter", "uncle", "he", "Uncle Walter"),
        ("the baker", "baker", "he", "dear baker"),
        ("the gardener", "gardener", "she", "dear gardener"),
        ("the farmer", "farmer", "he", "dear farmer"),
        ("the carpenter", "carpenter", "she", "dear carpenter"),
        ("the teacher", "teacher", "she", "dear teacher"),
        ("the old sailor", "sailor", "he", "dear sailor"),
    ),
    "animals": (
        ("the old owl", "owl", "she", "wise owl"),
        ("the old turtle", "turtle", "he", "dear turtle"),
        ("the gray goat", "goat", "she", "dear goat"),
        ("the old toad", "toad", "he", "dear toad"),
        ("the tall heron", "heron", "she", "dear heron"),
        ("the big stag", "stag", "he", "dear stag"),
        ("the old raven", "raven", "she", "wise raven"),
    ),
}
SLY = ("magpie", "weasel", "crow", "rat", "jackal", "stoat")

TRAITS = (
    "curious shy gentle clever cheerful careful quiet playful stubborn patient dreamy lively friendly thoughtful busy "
    "honest polite eager merry impatient funny loyal talkative messy tidy generous noisy hopeful restless kind"
).split()

# name | preposition | a clause about it | spots where something can lie, sit or hide
PLACES = {
    "village": """
        market | at | where people sold cheese and flowers | under the flower cart, behind the cheese stand, beside the apple crates
        bakery | in | where the air smelled of warm bread | under the counter, behind the flour sacks, beside the oven
        schoolyard | in | where a rope hung from the old elm | under the elm, behind the wooden slide, beside the swings
        bridge | on | where the river gurgled below | under the railing, behind the stone post, beside the lamp
        well | at | where the water was cool and deep | behind the stone wall, under the wooden roof, in the empty bucket
        park | in | where pigeons strutted on the grass | under the green bench, behind the fountain, beside the rose bushes
        library | in | where tall shelves reached the ceiling | under the reading table, behind the globe, between two thick books
        mill | in | where the great wheel turned slowly | behind the grain sacks, under the narrow stairs, beside the millstone
        toy shop | in | where a tiny train ran around the window | behind the rocking horse, under the shelf, beside the puppet stage
    """,
    "farm": """
        barn | in | where the hay smelled sweet | behind the hay bales, under the wooden cart, beside the ladder
        henhouse | in | where seven hens clucked all day | in the straw, behind the feed box, under the perch
        orchard | in | where apples and pears ripened in rows | under the tallest pear tree, behind the fruit baskets, in the long grass
        duck pond | by | where dragonflies danced over the water | in the reeds, under the willow, beside the flat stone
        stable | in | where a brown horse chewed its oats | behind the saddle, under the hay rack, in the corner
        cornfield | in | where the stalks stood taller than a man | behind the scarecrow, between two rows, under the fallen stalks
        meadow | in | where bees hummed over the clover | behind the fence post, under the buttercups, in the tall grass
        pumpkin patch | in | where round pumpkins lay like little suns | behind the biggest pumpkin, under the broad leaves, beside the wheelbarrow
        hayloft | in | where dust sparkled in the light | under the loose hay, behind the beam, beside the window
    """,
    "forest": """
        clearing | in | where sunlight fell on the soft moss | behind the tree stump, under the ferns, beside the toadstools
        brook | by | where the water giggled over the stones | under the little bridge, behind the round rock, in the shallow water
        hollow oak | at | where an owl slept through the day | inside the hollow, under the roots, behind the oak
        berry bushes | by | where the berries grew dark and sweet | under the thickest bush, behind the thorns, beside the path
        pine grove | in | where the ground was soft with needles | under the tallest pine, behind the fallen log, among the cones
        fern valley | in | where everything was green and damp | under the widest fern, behind the mossy rock, beside the puddle
        beaver dam | at | where the stream grew wide and still | between the sticks, behind the dam, under the alder
        mushroom ring | at | where white mushrooms grew in a circle | under the biggest mushroom, behind the birch, in the wet leaves
        windy hill | on | where you could see over all the treetops | behind the tall boulder, under the crooked tree, in the heather
    """,
    "seaside": """
        beach | on | where waves rolled in and out | under the striped towel, behind the sand castle, in the seaweed
        harbor | in | where fishing boats rocked gently | behind the coiled ropes, under the nets, beside the anchor
        lighthouse | at | where a great lamp watched over the ships | behind the round door, under the spiral stairs, beside the lamp
        dunes | in | where the grass whispered in the wind | behind the highest dune, under the sea grass, in the warm sand
        rock pool | at | where crabs scuttled under the stones | behind the black rock, under the green weeds, beside the starfish
        pier | on | where gulls screamed and begged for crumbs | under the wooden planks, behind the fish barrel, beside the life ring
        boat shed | in | where it smelled of paint and salt | under the old rowboat, behind the oars, in the tool box
        shell cove | in | where the tide left its treasures | under the driftwood, behind the cliff, among the shells
        fish market | at | where silver fish lay on ice | under the scales, behind the baskets, beside the salt barrel
    """,
    "mountain": """
        waterfall | by | where a rainbow hung in the spray | behind the wet rocks, under the ledge, beside the pool
        goat path | on | where pebbles rolled under every step | behind the signpost, under the juniper bush, in the ditch
        high pasture | in | where cowbells rang from far away | behind the stone hut, under the gentian flowers, beside the hay rack
        crystal cave | in | where the walls glittered like stars | behind the pillar, under the low arch, in the dark corner
        lake | by | where the snowy peaks looked at themselves | in the rushes, under the upturned canoe, behind the jetty
        cable bridge | on | where nobody liked to look down | under the loose board, behind the iron post, beside the rope
        shepherd's hut | in | where a kettle hung over the fire | under the bunk, behind the stove, in the wool basket
        lookout tower | at | where eagles circled in the sky | under the steps, behind the telescope, beside the flagpole
        pine slope | on | where the snow stayed until summer | under the branches, behind the snowdrift, beside the sled tracks
    """,
    "town": """
        playground | in | where the slide shone in the light | under the slide, behind the climbing frame, in the sandbox
        museum | in | where a dinosaur skeleton stood in the hall | under the glass case, behind the marble statue, beside the mummy
        train station | at | where a clock ticked above the tracks | under the long bench, behind the ticket booth, beside the suitcases
        rooftop garden | in | where tomatoes grew in old tubs | behind the tomato pots, under the watering can, beside the chimney
        zoo | at | where monkeys chattered behind a moat | under the popcorn stand, behind the map board, beside the turtle tank
        theater | in | where red curtains hung from ceiling to floor | under the front row, behind the curtain, beside the piano
        bookshop | in | where a cat slept between the stacks | behind the dictionaries, under the armchair, beside the till
        swimming pool | at | where children splashed and shouted | under the deck chair, behind the diving board, beside the lockers
        skating rink | at | where music played from a loudspeaker | under the benches, behind the gate, beside the drinks stand
    """,
}
REGION_FOLK = {
    "village": "people",
    "town": "people",
    "farm": "both",
    "forest": "animals",
    "seaside": "both",
    "mountain": "both",
}
# spots in a home, by the one who lives there
HOME_SPOTS = {
    "people": "under the bed, in the toy chest, behind the curtain, under the kitchen table, behind the sofa, in the laundry basket",
    "animals": "under the pillow, in the pantry, behind the door, under the blanket, in the corner, behind the little stove",
}
HOMES = ("house", "cottage", "apartment", "farmhouse", "cabin", "brick house")
HOME_LOOKS = "small snug tidy crooked warm narrow cozy bright tiny old pretty simple".split()

COLORS = "red blue green yellow orange purple white pink brown golden silver turquoise scarlet black".split()
METALS = "shiny golden silver tiny copper brass rusty glittering".split()
OLD = "old little wooden small sturdy light trusty smooth".split()
FRUIT = "red juicy round sweet ripe big".split()
BAKED = "warm fresh big crusty sweet golden".split()
FULL = "big little heavy round small".split()
THINGS = {
    "toy": (COLORS, "ball kite drum doll boat train top puppet hoop balloon yo-yo wagon dragon robot pinwheel whistle flute marble".split()),
    "treasure": (METALS, "key bell ring locket coin compass mirror medal spoon button trumpet thimble star watch".split()),
    "clothes": (COLORS, "scarf hat cap ribbon cape sweater vest umbrella apron belt".split()),
    "pairs": (COLORS, "mittens boots slippers glasses gloves skates".split()),
    "nature": (
        "white smooth striped speckled round perfect pale spotted".split(),
        "feather shell stone pebble pinecone acorn chestnut seed".split(),
    ),
    "tool": (OLD, "basket bucket rake shovel rope brush spade lantern stool broom hammer".split()),
    "fruit": (FRUIT, "apple pear plum peach melon orange cherry apricot".split()),
    "baked": (BAKED, "pie bun loaf cookie muffin pancake pretzel roll tart waffle".split()),
    "stored": (FULL, ("jar of honey", "bag of nuts", "bowl of soup", "pot of jam", "piece of cheese", "basket of berries",
                      "bag of popcorn", "bowl of rice", "box of raisins", "slice of cake")),
}  # fmt: skip
PRECIOUS = ("toy", "toy", "treasure", "treasure", "clothes", "clothes", "pairs", "nature", "tool")
FOOD = ("fruit", "baked", "stored")

# what breaks: noun | how it broke | the tool | how it is mended
BREAKABLE = """
    wagon | one wheel came off | hammer | pushed the wheel back on and tapped in a new nail
    kite | the wind tore a long hole in it | needle | sewed the hole shut with tiny stitches
    chair | one leg snapped in two | pot of glue | pressed the leg together until it held
    music box | the spring jumped out | screwdriver | put the spring back and turned the screw
    lantern | the handle fell off | wire | twisted the wire into a new handle
    clock | its hands stopped moving | oil can | dripped a little oil between the wheels
    drum | the skin split down the middle | patch | stuck the patch over the split
    boat | water came in through a crack | jar of tar | painted the crack with tar and let it dry
    vase | it fell and broke into three pieces | tube of glue | fitted the pieces together one by one
    doll | its arm came loose | needle | sewed the arm on again
    bird feeder | its roof blew off | hammer | nailed the roof down with four small nails
    puppet | its strings got tangled and snapped | ball of string | tied on new strings and tested every knot
    umbrella | a spoke bent and poked out | pair of pliers | bent the spoke straight again
    sled | a runner cracked on a stone | strap | wound the strap tightly around the runner
    basket | the bottom dropped out | bundle of straw | wove the straw in and out, in and out
    accordion | a tear made it wheeze | roll of tape | closed the tear with two neat strips of tape
"""
# a sound in the dark | what it really was | who made it, if somebody
FEARS = """
    a scratching sound | a branch that was rubbing against the wall
    a long, low howl | the wind in an empty barrel
    a tapping noise | a loose shutter that swung back and forth
    a huge, creeping shadow | a coat that somebody had hung on a hook
    a pair of glowing eyes | a firefly and its friend that were resting on a leaf
    a strange rumble | a snoring dog who was dreaming of bones
    a pale, floating shape | a sheet that had blown off a clothesline
    a hissing sound | a kettle that someone had forgotten on the fire
    a rattling noise | a tin cup that rolled on the floor
    a squeaking and scraping | a mouse family that was moving its furniture
    a deep growl | an old pump that gurgled as it worked
    a monster with horns | a bent tree that had lost its leaves
    a soft moaning | a door that needed oil
    a giant claw | a rake that leaned against the wall
"""
# to learn | did | what went wrong | the advice
SKILLS = """
    whistle | whistled | only air came out | make your lips as round as a cherry and blow gently
    swim | swam | the water got up everyone's nose | kick slowly and look straight ahead
    juggle | juggled | everything dropped on the ground | start with one and add the second later
    skip rope | skipped rope | the rope caught on both feet | listen to the beat and hop with it
    stand on one leg | stood on one leg | the world tilted and tipped | choose a spot far away and stare at it
    sing the morning song | sang the morning song | the high notes cracked | breathe with your belly and smile
    tie a bow | tied a bow | the loops came apart | make two rabbit ears and cross them
    dance the polka | danced the polka | left was right and right was left | count to three and never look down
    skate | skated | it ended on the cold ground | bend your knees and lean forward
    climb the tall tree | climbed the tall tree | the bark was slippery | test each branch before you trust it
    paint a portrait | painted a portrait | the nose looked like a potato | look twice and draw once
    do a somersault | did a somersault | it ended sideways in the dirt | tuck in your chin and roll like a ball
    read the big book | read the big book | the letters jumbled together | put your finger under each word
    bake bread | baked bread | it came out as flat as a plate | give the dough time to rise
    play the fiddle | played the fiddle | it screeched like an owl | hold the bow as lightly as a feather
    ride the scooter | rode the scooter | it wobbled and fell over | keep moving, for the fast do not fall
"""
# something to make | three things it takes
PROJECTS = """
    a wind chime | smooth shell, long reed, silver bell
    a bird nest | dry twig, soft feather, bundle of moss
    a flower crown | green vine, pink blossom, blue ribbon
    a tiny raft | flat board, thin rope, big leaf
    a fairy house | piece of bark, round pebble, spotted feather
    a snow lantern | glass jar, short candle, thin wire
    a scarecrow | straw hat, crooked stick, torn coat
    a necklace | long thread, white shell, wooden bead
    a birthday crown | sheet of paper, golden star, red ribbon
    a puppet | worn sock, black button, ball of wool
    a bird feeder | empty bottle, bag of seeds, long string
    a fishing rod | bendy stick, bent pin, long string
    a telescope | cardboard tube, round lens, roll of tape
    a drum set | tin pot, wooden spoon, empty can
    a wreath | willow branch, red berry, green ribbon
    a rag doll | old pillowcase, yellow thread, ball of wool
"""
# weather that comes | how it starts | how it stops | a sight afterwards
WEATHER = """
    rain | rain began to drum on every roof | the rain grew thin and stopped | the puddles shone like mirrors
    thunderstorm | thunder rolled and lightning split the sky | the thunder grumbled away over the hills | every leaf sparkled with drops
    fog | a thick fog crept over everything | the fog lifted like a curtain | the colors came back, brighter than before
    snowstorm | snow began to whirl through the air | the last flakes floated down | the world lay white and silent
    hail | hail rattled down like peas | the hail turned into a few soft drops | the ground glittered with ice
    wind | a wild wind shook all the branches | the wind lay down like a tired dog | fallen leaves covered the path
    heat | the sun burned so hot that nobody could move | a cool breeze came up at last | long shadows stretched over the ground
"""
PLANS = """
    have a picnic | had their picnic, with lemonade and sandwiches
    play hopscotch | played hopscotch until their legs ached
    put on a play | put on the play, and even the ants seemed to clap
    fly paper planes | flew paper planes that looped and dived
    have a race | ran the race, and nobody cared who won
    build a tower | built a tower with a flag at the top
    look for treasure | looked for treasure and dug up a chipped teacup
    hold a concert | held the concert, with spoons and combs and bottles
    draw with chalk | drew a dragon with chalk, from nose to tail
    camp in a tent | put up the tent and told riddles in it
    dance in a ring | danced in a ring until they were dizzy
    feed the ducks | fed the ducks, and the smallest one got the most
"""
# a hidden place | the way in | what is in it
HIDDEN = """
    a secret garden | a small door behind the ivy | where white roses climbed over a broken sundial
    a hidden cave | a narrow crack in the rock | where blue light trembled on the walls
    a forgotten storeroom | a trapdoor with an iron ring | where old hats and maps lay in trunks
    an underground tunnel | a hatch beneath the leaves | where roots hung down like beards
    a tiny cellar | a low gate under the steps | where bottles gleamed on dusty racks
    a lost temple | a gap between two pillars | where a stone cat sat and smiled
    a glass house | a narrow passage behind a loose board | where lemons grew even in winter
    a little chapel | an arch covered with thorns | where colored windows painted the floor
    a walled courtyard | a bolted wooden gate | where a fountain sang to itself
    a captain's cabin | a round hatch in the ground | where charts and a parrot's perch were left
"""
FEELINGS = {
    "happy": "happy glad cheerful joyful delighted".split(),
    "sad": "sad unhappy gloomy downhearted".split(),
    "afraid": "afraid scared frightened".split(),
    "worried": "worried anxious uneasy troubled".split(),
    "angry": "angry cross annoyed grumpy".split(),
    "proud": ("proud", "very proud", "proud and tall"),
    "sorry": ("sorry", "ashamed", "very sorry"),
    "jealous": ("jealous", "envious"),
    "lonely": ("lonely", "all alone"),
    "curious": ("curious", "full of questions"),
    "calm": ("calm", "peaceful", "content"),
    "excited": ("excited", "thrilled", "too excited to sit still"),
    "hopeful": ("hopeful", "full of hope"),
    "disappointed": ("disappointed", "let down"),
    "grateful": ("grateful", "thankful"),
    "hungry": ("hungry", "very hungry", "terribly hungry"),
    "surprised": ("surprised", "amazed", "astonished"),
    "bored": ("bored", "restless"),
}
# classes of words and phrases that may stand for each other, written <class> in the templates
CLASSES = {
    "then": ("then", "after that,", "a little later,", "soon", "next,", "before long,", "after a while,"),
    "sudden": ("suddenly", "all at once", "just then", "at that moment", "without warning", "out of nowhere"),
    "slowly": ("slowly", "quickly", "quietly", "carefully", "bravely", "happily", "gently", "steadily", "eagerly", "calmly"),
    "walked": ("walked", "ran", "hurried", "wandered", "strolled", "skipped", "marched", "rushed", "trotted", "dashed", "ambled"),
    "said": ("said", "said", "whispered", "murmured"),
    "asked": ("asked", "wondered"),
    "cried": ("cried", "shouted", "called", "exclaimed"),
    "cheered": ("cheered", "laughed", "cried", "shouted", "exclaimed"),
    "softly": ("softly", "kindly", "shyly", "politely", "in a small voice", "with a smile", "in a low voice", "warmly"),
    "time": ("morning", "afternoon", "day", "Monday", "Saturday", "Sunday", "Tuesday", "Thursday"),
    "season": ("spring", "summer", "autumn", "winter"),
    "hobby": (
        "to collect buttons and string", "to count the clouds", "to ask questions about everything",
        "to hum while working", "to draw maps of secret islands", "to sleep late", "to climb on anything that stood still",
        "to tell jokes that nobody understood", "to watch the ants carry their crumbs", "to invent new words",
        "to jump over puddles", "to listen to the rain on the roof", "to build castles out of mud",
        "to sort pebbles by their size", "to chase butterflies", "to write letters to the moon",
        "to hang upside down from a branch", "to bake pancakes on Sundays", "to pretend to be a pirate captain",
        "to watch trains and boats go by", "to make music with pots and pans", "to press leaves between heavy books",
    ),
    "beast": (
        "a whale who wore a crown", "a giant snail with a ladder on its back", "a tiger who was knitting socks",
        "a fish that could speak seven languages", "an elephant on roller skates", "a dragon who sneezed soap bubbles",
        "a bear made of gingerbread", "a unicorn who sold tickets", "a camel in a velvet coat", "a wolf who played the harp",
    ),
    "dreamland": (
        "over the roofs of a paper city", "through a forest of candles", "across a sea of milk", "to the far side of the moon",
        "down a staircase that never ended", "into a castle made of sugar", "along a road of feathers", "up a mountain of pillows",
    ),
    "sight": (
        "a lizard on a wall", "a cloud that looked like a ship", "a parade of beetles", "a striped caterpillar", "a sparrow in a bird bath",
        "a spider web full of dew", "a yellow butterfly", "a funny hat on a pole", "a snail with a broken shell", "a rainbow in a puddle",
        "a balloon far up in the sky", "an ant with a huge crumb",
    ),
    "meal": (
        "hot soup with noodles", "bread and plum jam", "pancakes with syrup", "roasted chestnuts", "carrot stew", "cocoa and cinnamon buns",
        "baked potatoes", "a big bowl of porridge", "corn with butter", "apple pie with cream",
    ),
    "weak": ("for a moment", "for a long time", "for a while"),
    "smiled": ("smiled", "grinned", "beamed", "nodded", "laughed", "winked"),
}  # fmt: skip
# what trouble somebody is in | what sets them free
TROUBLES = """
    who was stuck in deep mud | rope
    who had slid into a deep ditch | rope
    whose foot was caught under a heavy log | stick
    who was tangled in an old net | pair of scissors
    who hung from a high branch and could not get down | ladder
    who sat on a rock and could not get down | ladder
    whose coat was caught in the thorns | pair of scissors
    who had crawled into a pipe and was stuck | bar of soap
    who was trapped behind a fallen tree | saw
    who had fallen into an empty rain barrel | rope
    whose tail was stuck in a crack | stick
"""
REFUSALS = (
    "my grandfather made it for me", "I have only just gotten it", "it breaks so easily", "I am still playing with it",
    "it is the only one I have", "my mother told me not to", "it brings me luck",
    "I waited a whole year for it",
)  # fmt: skip
INDOORS = (
    "bakery", "library", "mill", "barn", "henhouse", "stable", "hayloft", "museum", "theater", "bookshop", "lighthouse",
    "toy shop", "crystal cave", "shepherd's hut", "boat shed", "train station", "lookout tower",
)  # fmt: skip
TOLD_LOSSES = "button bell coin key ring hat whistle feather spoon map drum kite shoe lamp comb".split()
TOLD_GOODS = "pumpkin bed cake carrot crown melon cheese coat barrel drum nut turnip chair turnip pie egg".split()
SEASONS = {
    "spring": "mild windy rainy fresh breezy bright cloudy green".split(),
    "summer": "sunny warm hot golden bright breezy lazy cloudless".split(),
    "autumn": "windy misty foggy gray crisp cool cloudy stormy".split(),
    "winter": "frosty chilly cold gray icy snowy clear bitter".split(),
}
FRIENDLY = (
    "friends make every road shorter", "even small ones can do big things", "a kind word costs nothing",
    "good days are made by good company", "two can do what one cannot", "every day brings something new",
)  # fmt: skip
MORALS = {
    "lost object": ("good things often hide in plain places", "look twice before you cry once", "what we love we should keep close"),
    "wanting": ("asking is better than taking", "waiting is hard, but it is worth it", "it is brave to say what is true"),
    "trade": ("think before you trade", "what is old to one is new to another", "a fair deal leaves two people smiling"),
    "broken thing": ("careful hands make few mistakes", "most broken things can be mended", "accidents happen to everyone"),
    "sharing": ("what you share grows", "half a meal with a friend is a feast", "no one is too poor to give"),
    "trick": ("those who dig a hole for others fall into it", "a clear head beats quick fingers", "cunning is not the same as wise"),
    "making": ("the best presents are made by hand", "no one makes anything all alone", "little parts make a great whole"),
    "secret gift": ("a good secret does not last forever", "giving is as lovely as getting", "a surprise needs a little patience"),
    "helping": ("help is never too small", "never walk past a cry for help", "those who help others have friends everywhere"),
    "fear": ("fear is bigger in the dark", "nobody needs to be afraid alone", "look at what scares you, and it shrinks"),
    "hidden place": ("every lock has a key somewhere", "the curious find what others pass by", "the world is full of secrets"),
    "weather": ("no storm lasts forever", "bad weather is only weather", "patience opens many doors"),
    "learning": ("practice is a patient teacher", "nobody is born a master", "those who fall learn to stand"),
    "hide and seek": ("those who hide want to be found", "sharp ears see what eyes miss", "a good game has no losers"),
    "lost child": ("home is where they wait for you", "a stranger may become a friend", "every road leads home in the end"),
    "quarrel": ("a friend is worth more than being right", "sorry is a short word with long arms", "it takes two to quarrel and one to end it"),
}  # fmt: skip
