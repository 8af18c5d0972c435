"""Know the class of every word of the stories: a table of the words of one class, and rules for those of several."""

# ruff: noqa: E501 (a list of words reads best as one line)

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from . import lexicon

WORD_CLASSES = (
    *("noun", "verb", "adjective", "adverb", "pronoun", "name", "determiner", "preposition", "conjunction"),
    *("number", "interjection", "particle", "punctuation", "other"),
)
# A possessive or shortened ending is a word of its own, as taggers have it: "Omar" + "'s", "do" + "n't".
WORD = re.compile(r"n['’]t\b|['’](?:s|re|ve|ll|d|m)\b|\w+?(?=n['’]t\b)|\d+(?:[.,]\d+)*\b|\w+(?:-\w+)*|[^\w\s]", re.I)

# What is decided here: a helping verb is a verb; "my" and "his" are pronouns; a noun before a noun is a noun ("duck
# pond"); a participle is a verb, and before a noun an adjective ("a torn coat"); "not", "there", "where" and "when" are
# adverbs, and so is a preposition that stands alone ("he looked up"); "to" before a verb and "'s" are particles.
CLASSES = {
    "noun": """
        accident accidents accordion acorn acorns afternoon air alder anchor animals ant ants apartment apple apples apricot apron arch arm armchair
        arms aunt autumn baby badger bag baker bakery bales ball balloon bar bark barn barrel barrels basket baskets bath beach bead beam beans beards
        beaver bed beds bees beetle beetles beginning bell bellies belly belt bench benches berries berry birch bird birds birthday bit bite bites
        blanket blankets bloom blossom board boat boats bones book books bookshop booth boots bottle bottles bottom boulder bow bowl box boy branch
        branches brass bread breath breeze brick bridge brook broom brush bubbles bucket bun bundle bunk buns burrow bush bushes butter buttercups
        butterflies butterfly button buttons cabin cable cake cakes calf camel candle candles canoe cap cape captain cardboard cards care carpenter
        carrot carrots cart case castle castles cat caterpillar cave ceiling cellar chair chairs chalk chapel charts checkers cheek cheeks cheese
        cheeses cherry chest chestnut chestnuts children chime chimney chin chipmunk cinnamon circle circus city claw clearing cliff climbing clock
        clothesline cloud clouds clover clown coat coats cocoa coin colors comb combs company compass concert cones cookie copper corn corner
        cornfield cottage counter course courtyard cousin cove cowbells crabs crack crates crayons cream cricket crickets crow crown crowns crumb
        crumbs crystal cup curtain curtains dad daisies dam day days deal deck den dew dictionaries dinner dinosaur dirt distance ditch diving dog
        doll donkey door doors dough dragon dragonflies dream driftwood drinks drop drops drums duck ducks dune dunes dust eagles ears egg eggs
        elephant elm evening eyes face fairy family farmer farmhouse fault fear feast feather feathers feeder feet fence fern ferns fiddle field
        finders finger fingers fire firefly fish fishing flag flagpole flakes flash floor flour flower flowers flute fog foot forest fountain fox
        frame friend friends frog front fruit fun furniture game gap garden gardener gate gentian giggle gingerbread giraffe girl glass glasses globe
        gloves glue goat goodbye goose grain grandfather grandma grandmother grandpa grass groan ground grove growl guest gulls hail hall hammer hand
        handle hands harbor harp hat hatch hats hay hayloft head heads heart heather hedgehog hen henhouse hens heron hill hills hole honey honor hook
        hoop hope hopscotch horns horse hour hours house howl hurry hut ice idea inch inspector iron islands ivy jackal jam jar jetty jokes juniper
        keepers kettle key keyhole kitchen kite kitten knees knot ladder ladybugs lake lamb lamp languages lantern lanterns laundry leaf leapfrog
        ledge leg legs lemonade lemons lens letter letters library life lighthouse lightning lines lion lip lips list lizard loaf lock lockers locket
        lodge log lookout loops losers loudspeaker luck lunch magpie man map maps marble market master meadow meal medal melon melons mice middle milk
        mill millstone minutes mirror mirrors mistakes mittens moaning moat mole mom moment money monkey monkeys monster moon morning moss moth mother
        mountain mouse mud muffin mummy museum mushroom mushrooms music nail nails name necklace needle needles neighbor neighbors nest net nets night
        noise noodles nose notes nut nuts oak oars oats oil orchard others otter oven owl owner pair pancake pancakes pans pantry paper parade park
        parrot parsley parts passage pasture patch path patience paw paws peach peaks pear pears peas pebble pebbles penguin people perch piano picnic
        picture pie piece pieces pier pies pig pigeons pile pillar pillars pillow pillowcase pillows pin pine pinecone pinwheel pipe pirate pity place
        places plan planes planks plate playground pliers plum pocket pockets pole polka pond pony pool popcorn porridge portrait post pot potato
        potatoes pots practice present presents pretzel puddle puddles pump pumpkin pumpkins puppet puppy questions rabbit raccoon race rack racks
        raft rag railing rain rainbow raisins rake rat raven reed reeds ribbon rice riddles ring rink river road robot rock rocking rocks rod roller
        roof roofs rooftop rooster roots rope ropes roses row rowboat rows rumble runner rushes sacks saddle safety sailor salt sand sandbox sandwich
        sandwiches scales scarecrow scarf schoolyard scissors scooter scraping screw screwdriver sea seal search seaweed second secrets seed seeds
        shade shadow shadows shape shed sheet shelf shell shells shelter shelves shepherd ship ships shoe shoelace shop shoulders shovel shutter side
        sight signpost sister size skates skating skeleton skin sky sled slice slide slippers slope snail snow snowdrift soap sock socks sofa
        somersault song songs sound soup spade sparrow spider spoke spoon spoons spot spray spring squeaking squirrel stable stacks stag stage
        staircase stairs stalks star starfish stars station statue step steps stew stick sticks stitches stoat stomach stone stones stool storeroom
        storm story stove stranger strap straw stream strength string strings strips stump sugar suitcases summer sun sundial sunlight suns sunshine
        supper surprise swan sweater swings syrup table tag tail tale tank tape tar tart tea teacher teacup tear tears telescope temple tent theater
        thief thimble thing things thorns thoughts thread thunder ticket tickets tide tiger till time times tin toad toadstools today tomato tomatoes
        tool top towel tower town toy tracks train trains trapdoor treasure treasures tree treetops tricks trumpet trunk trunks truth tube tubs tune
        tunnel turnip turnips turtle twig umbrella uncle unicorn use valley vase velvet verses vest village vine violets voice waffle wagon wall walls
        warning water waterfall watering waves wax way weasel weather web weeds week weeks whale wheel wheelbarrow wheels willow wind window windows
        wing wings winter winters wire wish wizard wolf wonder wood wool word words work world wreath year years yesterday yo-yo zebra zoo
    """,
    "verb": """
        ached add added admire am ambled answered are ask asked asking ate bake barked be become been began begged begun being believed belonged bend
        blamed blew blinked bloomed blow blowing blown born borrowed bought breaks breathe bring brings broke brought build built burned burning burst
        called came camp cannot cared carried carry caught change changed chase chasing chattered cheered chewed chirped choose circled clap clapped
        climb climbed closed clucked collect come comes coming costs could count counted counting covered cracked crawled creaked crept cried crouched
        crying cut dance danced dare dashed did dived divided do does done draw drawing dreamed dreaming drew dried drink dripped dropped dug dusted
        eat eaten eating ended examined exclaimed failed fall fed feel fell felt fetched find fit fitted fled flew floated fly flying followed
        following forget forgive forgot found froze gave get getting giggled give given giving gleamed glittered glued go going gone got gotten
        grabbed grew groaned grow grown grows grumbled gurgled had handed hang happen happened has have hear heard held hid hide hold hop hoped hopped
        hopping hugged hum hummed humming hung hurried invent is joined juggle juggled jumbled jump jumped jumping keep keeping kept kick kicked
        kissed knew knitting knocked know known laid landed lasts laugh laughed laughing lay leads lean leaned learn learned lent let lie lies lifted
        liked likes listen listened live lived lives locked looked looking looped lose love loved lying made make makes marched may meant mend mended
        mending met miss missed missing move moved moving murmured must nailed named need needed needs nodded notice noticed open opened opens owned
        painted pass passed peeked peeling picked planned planted played playing poked polished pounding practiced press pressed pretend pretended
        promised pulled pushed put raced ran rang rattled reached read remembered reminded reminds resting ride ripened rise roar roared rocked rode
        rolled rubbed rubbing rumbled run running rushed said sang sat saved say saying scares scratched screamed screeched scuttled searched see seek
        seemed seen set sewed share shared shares shone shook should shout shouted shouting show showed shrinks shut sighed sing singing sipping sit
        sitting skate skated skip skipped skipping slammed sleep slept slid slipped smelled smiled smiling smoothed snapped snatched sneered sneezed
        sniffed sobbed sold sort sorting sparkled speak splashed split squeezed stamped standing stare stared staring start started stay stayed
        stepped stole stood stop stopped stretched strolled strutted swallowed swam swayed swim swung take takes taking talk tapped tasted taught
        teach tell telling test tested thank thanked think threw ticked tie tied tilted tipped tiptoed told took tore trade traded traveled trembled
        tricked tried trimmed trotted trust tuck turned turning twisted twitched tying understand understood used vanished visit wait waited waiting
        walk walked walking wandered want wanted wants was watched watching waved weep went were wheeze whirl whispered whistled will wished wobbled
        woke won wondered wore worked working works worry would wound wove write wrote yodel
    """,
    "adjective": """
        afraid angry annoyed anxious ashamed asleep bad beautiful bendy big bigger biggest bitter black blue brave breezy bright brighter broad brown
        busy calm careful cheerful chilly clear clever cleverest cloudless cloudy cold colored content cool cozy crisp crooked cross crusty curious
        damp dear dearest deep delighted disappointed dizzy downhearted dreamy dusty eager easier easy empty envious equal excited fair favorite few
        flat foggy fond free fresh friendly frightened frosty full funny generous gentle glad glittering gloomy golden good grateful gray great
        greatest greedy green grumpy happy heavy high highest hollow honest hopeful hot huge hungry icy impatient jealous joyful juicy kind last lazy
        less lively lonely loose loudest lovely low loyal magic many merry messy mild misty mossy narrow neat new next nice noisy old oldest other own
        pale particular patient peaceful perfect pink plain playful polite poor pretty proud purple quick quiet rainy ready red restless ripe round
        rusty sad safe same scared scarlet shallow sharp shiny short shorter shy silent silver simple sleepy slippery slowest small smaller smallest
        smooth snowy snug soft sorry speckled spiral spotted stormy straight strange striped strong stronger stubborn sturdy sunny sure sweet
        talkative tall taller tallest thankful thick thickest thin third thoughtful thrilled tidy tiny tired troubled true trusty turquoise
        underground uneasy unhappy warm wet white whole wide widest wild windy wise wonderful wooden worried worse worth wrong yellow young
    """,
    "adverb": """
        again ago ahead almost alone aloud already also always anymore anyway anywhere apart away badly below bravely calmly carefully closely eagerly
        earlier early easily either else enough even ever everywhere forever forth forward gently happily hardly here how instead just kindly later
        lightly longer loudly maybe nearby nearer never not now nowhere often once only out outside politely quickly quietly rather shyly sideways
        slowly softly somewhere soon steadily suddenly terribly then there tighter tightly together too twice upside very warmly when whenever where
        why
    """,
    "pronoun": """
        anybody anyone anything everybody everyone everything he her hers herself him himself his i it its itself me mine my myself nobody none
        nothing ones our ours she somebody someone something their theirs them themselves they us we who whom whose you your yours yourself
    """,
    "determiner": "a an every the",
    "preposition": """
        about above across after against among at beneath beside between beyond except from into of since toward towards under upon with without
    """,
    "conjunction": "although and because but if nor or than though whether",
    "number": "fifty four hundred nine seven six ten tenth thirty three twenty two",
    "interjection": "click hello hmm hooray oh please yes",
    "particle": "'s",
}  # fmt: skip

# Words of several classes, each row the words and then the classes to try in turn. "noun a the _ box" holds where the word
# (the dash) stands after one of the left and before one of the right, which are words, marks or classes; the last holds
# always.
CONTEXT = """
    all | determiner _ his her the their my day morning night | pronoun of after at _ , . ! ? | pronoun _ we name | adverb
    along around behind near over past through | adverb _ . , ! ? and but until with again here | preposition
    another | determiner _ noun adjective | pronoun
    any each such | determiner _ noun adjective a | adverb _ longer | pronoun
    as | adverb _ adjective adverb | preposition _ determiner | conjunction
    back | noun his her their _ | adverb
    baked | adjective _ potatoes | verb
    bear | verb not _ | noun
    beat | noun the _ | verb
    before | adverb _ . , ! ? | preposition _ long dark | conjunction
    bent | adjective a the _ noun | adjective something _ | verb
    best | adverb liked _ | adjective
    better | adverb tasted draw little _ | adjective
    bolted broken chipped coiled creeping fallen floating forgotten glowing hidden hissing lost rattling roasted scratching snoring stuck tangled tapping torn trapped upturned walled worn | adjective _ noun adjective | adjective something _ | verb
    both | determiner _ noun | pronoun
    by | adverb _ . , ! ? and as | preposition
    can | noun oil watering empty _ | verb
    close | verb _ your | adjective
    closer | adjective was were is are _ | adverb
    cry | noun a _ | verb
    dark | noun the _ . , ! ? | noun before _ | adjective
    down | preposition ran flying took him her traveled danced split _ a his her their the | adverb
    dry | verb _ your | adjective
    drum end quarrel rest trick watch whistle | verb to will would and _ | noun
    far | adjective the _ | adverb
    fast | adjective the _ | adverb
    feed | noun _ box | verb
    first | adjective the _ noun | adverb
    for | preposition _ many | conjunction , _ | preposition
    giant | adjective _ noun | noun
    half | adverb _ as | determiner _ a | noun
    hard | adjective is was _ | adverb
    help | noun _ is | noun for _ | verb
    home | noun every a like not at my your _ | noun _ is was | adverb
    hurt | adjective so _ | verb
    in | adverb _ . , ! ? and together through | adverb tuck _ | preposition
    inside | adverb _ was | preposition
    late | adjective getting _ | adverb
    leaves | verb _ two | noun
    left | noun the _ | noun _ was | noun was _ . , ! ? and | verb
    light | adjective _ noun | adjective something _ | noun
    like | verb not you to we they i _ | preposition
    little | adverb _ later longer better | adjective
    long | adverb _ ago | adjective
    look | noun a _ | verb
    matter | noun the _ | verb
    more | adjective _ fun | adverb
    most | adverb _ beautiful | adjective
    much | adjective _ to of | adverb
    no | interjection _ . , ! ? | determiner
    off | adverb _ . , ! ? and with | adverb tore _ | preposition
    on | adverb _ . , ! ? and but until again new | preposition
    one | number " _ , | number by _ | pronoun no other cleverest even that _ | pronoun _ verb . , ! ? who i to | number
    orange secret | adjective _ noun | adjective something _ | noun
    paint | verb to will would _ | noun
    play | noun a the _ | verb
    reading | noun _ table | verb
    right | adverb _ back on here | noun the _ . , ! ? | noun _ was | adjective
    roll | verb _ like | noun
    rose | noun _ bushes | verb
    saw | noun determiner adjective pair _ | verb
    smell | verb not _ | noun
    smile | noun a _ | verb
    so | conjunction _ that | conjunction , _ pronoun name determiner | adverb
    some these this those what which | pronoun _ others eyes one | determiner _ noun adjective number a very | pronoun
    stand | noun cheese drinks popcorn _ | verb
    still | adjective and _ | adverb
    swimming | verb go _ | noun
    that | pronoun _ . , ! ? true is was preposition | determiner _ noun | conjunction farmer baker gardener carpenter teacher sailor owl turtle goat toad heron stag raven _ he she it there | pronoun noun _ | pronoun anything something everything all one _ | conjunction verb adjective adverb pronoun name _ | pronoun
    thought | noun his her a _ | verb
    to | particle _ verb drum end quarrel rest trick watch whistle paint | preposition
    until | preposition _ evening summer late | conjunction
    up | preposition flying him her traveled danced _ a | adverb
    well | noun determiner _ | adverb
    while | noun a _ | conjunction
"""


class Rule(NamedTuple):
    """A class, and what must stand on either side for it; nothing named is anything."""

    word_class: str
    after: frozenset[str]
    before: frozenset[str]


class Grammar(NamedTuple):
    """The tables, read once."""

    names: frozenset[str]
    classes: dict[str, str]
    rules: dict[str, tuple[Rule, ...]]


def story_classes(words: Sequence[str]) -> list[str]:
    """Return the class of each word and mark of a text, "other" for a word that no story has."""
    names, classes, rules = grammar()
    lower = [word.lower() for word in words]
    usual = [
        "name" if word in names else classes.get(low) or (rules[low][-1].word_class if low in rules else unknown(word))
        for word, low in zip(words, lower, strict=True)
    ]
    found: list[str] = []
    for index, word in enumerate(lower):
        if usual[index] != "name" and word in rules:
            # What comes before is decided already; of what comes after, the usual class must do.
            after = {lower[index - 1], found[-1]} if index else {"."}
            before = {lower[index + 1], usual[index + 1]} if index + 1 < len(words) else {"."}
            found.append(
                next(
                    rule.word_class
                    for rule in rules[word]
                    if (not rule.after or rule.after & after) and (not rule.before or rule.before & before)
                )
            )
        else:
            found.append(usual[index])
    return found


def unknown(word: str) -> str:
    """Return the class of what is in no table."""
    return "number" if word[0].isdigit() else "other" if word[0].isalpha() else "punctuation"


@cache
def grammar() -> Grammar:
    """Return the tables of the words of the stories."""
    elders = {word for folk in lexicon.ELDERS.values() for name, *_ in folk for word in name.split()}
    days = {f"{day}{s}" for day in lexicon.CLASSES["time"] for s in ("", "s")}
    names = {*lexicon.GIRLS, *lexicon.BOYS, *lexicon.ANIMAL_NAMES, *elders, *days}
    classes = {word: word_class for word_class, words in CLASSES.items() for word in words.split()}
    rules = {}
    for row in CONTEXT.strip().splitlines():
        words, *alternatives = row.split("|")
        rules |= dict.fromkeys(words.split(), tuple(map(rule, alternatives)))
    return Grammar(frozenset(name for name in names if name[0].isupper()), classes, rules)


def rule(text: str) -> Rule:
    """Read "noun the a _ box", where the dash is the word itself."""
    word_class, *rest = text.split()
    dash = rest.index("_") if rest else 0
    return Rule(word_class, frozenset(rest[:dash]), frozenset(rest[dash + 1 :]))
