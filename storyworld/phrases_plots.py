"""Hold the sentences that belong to one plot each, in the notation of `phrases`."""

# ruff: noqa: E501 (a template is one line)

PLOTS = {
    # ---------------------------------------------------------------- lost
    "play": """
        {Who} played with {thing} [all morning|for hours|until {he} was out of breath].
        {Who} sang to {thing} and showed {it} everything there was to see.
        {At}, {who} pretended that {thing} {was} magic and that {he} was a wizard.
        {Who} put {thing} down, picked {it} up, and put {it} down again, because that was the game.
    """,
    "lose": """
        But when {he} [stopped to look at|ran after] <sight>, {thing} fell {spot}, and {he} did not notice.
        Then [a dog barked|a bell rang|somebody called], and {who} jumped. {Thing} landed {spot}, but {name} did not see it.
        {Who} put {thing} {spot} to have both {hands} free, and then {he} forgot {it} there.
        {Who} laid {thing} {spot} [while {he} ate|while {he} watched <sight>], and walked away without {it}.
    """,
    "lose_unseen": """
        There was so much to see that {who} forgot everything else.
        {Who} ran and jumped and climbed, and {he} did not notice that something had slipped away.
        Somewhere {at}, while {he} was chasing <sight>, {who} let go of {thing}.
    """,
    "notice_gone": """
        {Who} [reached for|wanted to hold] {thing}, but {it.s} {was} gone!
        Only then did {who} notice that {thing} {was} missing. {He} was {feeling}.
        "Where {is} my {bare}?" <cried> {name}. {He} searched {his} pockets, but they were empty.
        {Who} looked at {his} {hands}. They were empty! {Thing} {was} gone, and {he} was {feeling}.
        When {who} wanted to play again, {thing} {was} nowhere to be seen.
    """,
    "tell_loss": """
        "I lost {my.thing}," {name} <said>. "{It} {was} with me this morning, and now {it.s} {is} gone."
        "{My.thing} {is} gone," said {name}, "and I do not know where I left {it}."
        {Who} told {other} that {he} had lost {thing} and that {he} had to find {it} before dark.
        "Have you seen {my.thing}, {call}?" <asked> {name}. "No," said {other}, "but I will help you look."
    """,
    "hint": """
        "[I saw|My cousin saw] a crow that was hopping around {x}," said {name}. "Maybe it was looking at something {color}."
        "The snail who lives by the path told me that something {color} was lying {x}," said {name}.
        {Who} scratched {his} head. "This morning, when I came by, something {color} was lying {x}," {he} said.
        "I do not know," <said> {name}, "but I think that I saw {a.thing} {x}, and I wondered who had left {it} there."
    """,
    "remember": """
        Then {who} remembered something. Earlier, {at}, {he} had stopped because of <sight>, and {he} had put {thing} {spot}.
        {Who} closed {his} eyes and thought back. {He} saw {himself} {at}, and {he} saw {thing} fall {spot}. "Of course!" {he} <cried>.
        "Think back, step by step," {name} told {himself}. And then {he} knew: {thing} had been with {him} until {he} had stood {at}, and {it.s} had fallen {spot}.
    """,
    "joy_found": """
        {Who} hugged {thing} and was {feeling}.
        "I will never lose you again," {name} told {thing}, and {he} was {feeling}.
        {Who} danced around with {thing} in {his} {hands}, {feeling} as could be.
        {Who} was so {feeling.plain} that {he} kissed {thing}[, and {other} too|].
    """,
    "found_by": """
        But {who} had sharp eyes. {He} bent down, and {spot} {he} found {thing}.
        It was {who} who found {thing}, for {he} had thought of looking {spot}.
        "Look what I have!" <cheered> {name}, who had looked {spot} and now held up {thing}.
    """,
    "not_found": """
        They looked until the stars came out, but {thing} {was} not found that day, nor the next.
        They searched everywhere else they could think of. {Thing} stayed lost.
        {Who} had to go home without {thing}. Some things that are lost stay lost.
    """,
    "make_new": """
        But {who} had an idea. {He} worked [all night|for two days|in secret], and in the end {he} held {a.thing} in {his} {hands}.
        {Who} took [paper and paint|wood and wire|thread and wax] and made {a.thing}, because {he} could not bear to see {other} so {o.feeling.plain}.
        So {who} opened the old trunk that stood in the corner, took out {a.thing}, and dusted {it} off.
    """,
    # ---------------------------------------------------------------- wanting what another has
    "show_off": """
        {Who} had {a.thing}. "Look what I have got!" {he} <cheered>.
        In {his} {hands} {who} held {a.thing}, and {he} let everybody admire {it}.
        {Who} was playing with {a.thing} that sparkled in the light.
        {Who} had brought {a.thing}, which {he} had gotten from {his} uncle, who lived far away.
    """,
    "want": """
        {Who} had never seen {a.noun} so beautiful. {He} wanted {it} [so|very] much.
        How {who} wished to have {thing}!
        {Who} could not take {his} eyes off {thing}, and the longer {he} looked, the more {he} wanted {it}.
        "If only I had {a.noun} like that," thought {name}.
        {Who} looked at {thing} and was {feeling}, because {he} had nothing like {it}.
    """,
    "ask_have": """
        "May I have {thing}, {call}?" <asked> {name}.
        "Would you let me hold {thing}, {call}?" {name} asked <softly>.
        {Who} asked {other} if {he} could play with {thing}.
        "Please, {call}, give me {thing}," begged {name}, "just for today."
    """,
    "refuse": """
        "No," said {name}, "because {x}."
        {Who} shook {his} head. "I cannot do that, because {x}," {he} said.
        But {who} held {thing} tighter. "Not now, {call}," {he} said. "{X}."
        "Never!" said {name}. "{X}, and {it.s} {is} mine."
    """,
    "wait": """
        {Who} did not shout and did not cry. {He} sat down {spot} and waited.
        So {who} said, "All right, {call}. I will wait until you are ready."
        {Who} swallowed hard, and then {he} asked {other} to play [tag|leapfrog|checkers|hide and seek] instead.
        "Then let us do something together," said {name}, and taught {other} a song that had twenty verses.
    """,
    "soften": """
        {Who} saw how patient {other} was, and {his} heart grew soft.
        After a while, {who} noticed that playing alone was no fun.
        {Who} thought about it <weak>. It was not nice to play while {other} only watched.
    """,
    "lend": """
        "You may have {thing} now, {call}," said {name}, and gave {it} to {o.him}.
        "Here," said {name}, "things are more fun when you share them." And {he} gave {other} {thing}.
        {Who} put {thing} into {o.his} {o.hands}. "Take good care of {it}," {he} said.
    """,
    "grab": """
        When {other} looked away, {who} <slowly> took {thing} and hid {it} behind {his} back.
        Then {who} did something bad. {He} snatched {thing} while {other} was tying a shoelace.
        Before {he} could think, {who} had grabbed {thing} out of {o.his} {o.hands}.
    """,
    "cry_gone": """
        "{My.thing}! {It} {is} gone!" <cried> {name}, and {he} began to cry.
        When {who} saw that {thing} {was} gone, {he} was {feeling} and sat down in the dirt.
        {Who} looked everywhere and could not understand who would do such a thing.
    """,
    "own_up": """
        "It was me," {name} <said>. "I took {it}, because I wanted {it} so much."
        {Who} could not bear it any longer. "I have {it}," {he} told {other}. "I am a thief."
        At last {who} told {other} what {he} had done.
    """,
    "make_own": """
        On the way home, {who} had an idea. {He} took an old box, some string, and a bit of paint, and made {a.thing}.
        "If I cannot have that one, I will make my own," said {name}. {He} worked until evening, and then {he} had {a.thing}.
        {Who} asked {o.him}, "Will you show me how to make one?" They cut and glued, and soon {who} held {a.thing}.
    """,
    "two_now": """
        It was not the same, but {it.s} {was} {his} own, and {he} was {feeling}.
        Now there were two of them, and playing was twice the fun. {Name} was {feeling}.
        "Yours is even better than mine," said {other}, and {name} was {feeling}.
    """,
    # ---------------------------------------------------------------- trade
    "has": """
        {Who} had {a.thing}[, but {he} was tired of {it}|, which {he} had found long ago|].
        In {his} {hands}, {who} carried {a.thing}.
        {Who} was the owner of {a.thing}, and {he} did not know what to do with {it}.
    """,
    "offer": """
        "Would you trade {thing} for {my.swap}?" {name} asked {other}.
        "I will give you {my.swap} if you give me {thing}," said {name}.
        {Who} held up {swap}. "{This.swap} for {thing}, {call}. What do you say?"
        {Who} asked if {other} would take {swap} for {thing}.
    """,
    "haggle": """
        {Who} turned {swap} over and over. "Hmm," {he} said, and thought <weak>.
        "Is {thing} not worth more than that?" asked {name}. But {he} looked at {swap} again.
        {Who} walked around {other} three times and looked at {swap} from every side.
        "I do not know," said {name}, "because {x}."
    """,
    "sweeten": """
        "I will also carry your bag home," said {name}.
        "And I will teach you how to [whistle|yodel|count to a hundred|stand on your head]," {name} added.
        "And you may visit {it} whenever you like," {name} promised.
    """,
    "trade": """
        So they traded. {Name} got {thing}, and {other} got {swap}.
        "It is a deal!" <cheered> {other}. {Who} took {thing} and gave {o.him} {swap}.
        They shook {hands}, and then {who} had {thing} and {other} had {swap}.
        {Who} gave {swap} to {other}, and {other} gave {thing} to {name}. Both thought that they had made the better deal.
    """,
    "trade_back": """
        {Who} missed {thing} so much that {he} asked {other} to trade back. "Of course," said {other}, and so each had the old thing again.
        "I want to trade back, {call}," {name} <said>. {Other} laughed, because {o.he} had wanted to ask the same thing. And so they did.
    """,
    "regret": """
        But that evening {who} looked at {thing} and did not feel happy at all. {He} was {feeling}.
        Soon {who} noticed that {thing} {was} not what {he} had hoped for, and {he} was {feeling}.
    """,
    # ---------------------------------------------------------------- helping
    "trouble": """
        There {who} heard somebody cry for help. It was {a.other} [named|called] {other}, {x}.
        <Sudden>, a voice cried, "Help!" It came from {a.other} [named|called] {other}, {x}.
        And who was that? It was {a.other} [named|called] {other}, {x}!
    """,
    "promise_help": """
        "Hold on, {call}! I will get you out," <cried> {name}.
        {Who} did not think twice. "I am coming, {call}!" {he} called.
        "Do not move, {call}," said {name}. "I will be right back."
    """,
    "pull_fail": """
        {Who} pulled and pushed with all {his} strength, but it was no use.
        {Who} tried once, {he} tried twice, and {he} tried a third time. Nothing moved.
        "One, two, three!" shouted {name}, and pulled. But {he} was not strong enough.
    """,
    "need_tool": """
        "I need {a.thing}," thought {name}. But where could {he} find one?
        "With {a.thing} it would be easy," {name} said to {himself}.
        {Who} looked around. If only {he} had {a.thing}!
    """,
    "free": """
        With {thing}, {who} <slowly> set {other} free.
        {Who} used {thing}, first from the left and then from the right, until {other} was free.
        {Who} held out one end of {thing}, and {other} held on. A moment later {other} was free!
    """,
    "reward": """
        "I have something for you, {call}," said {name}, and gave {o.him} {a.thing}.
        {Who} pulled out {a.thing}. "{This} {is} for you, {call}, because you did not walk past," {he} said.
    """,
    # ---------------------------------------------------------------- fear
    "fear_of": """
        But there was one thing that {who} did not like. {At}, there was {x}, and nobody knew where it came from.
        <Sudden>, there was {x}! {Who} stood still and was {feeling}.
        When it got dark, {who} noticed {x}. {He} froze.
        {Who} stopped. What was that? It was {x}, {he} was sure of it.
    """,
    "flee": """
        {Who} ran as fast as {he} could and did not look back.
        {Who} hid {spot} and pulled {his} hat over {his} eyes.
        {Who} wanted to run, but {his} legs would not move.
    """,
    "tell_fear": """
        "{Y}, there is {x}," {name} <said>, "and I am afraid of it."
        {Who} told {other} about it, and {his} voice trembled.
        "There is {x}, and it is coming to get me!" <cried> {name}.
        {Who} said that {he} would never go back there, because there was {x}.
    """,
    "dare": """
        So {who} took a deep breath and went to see for {himself}.
        "I am small, but I am not too small to look," said {name}.
        {Who} counted to ten, took {o.his} {o.hand}, and went closer, one step at a time.
        {His} heart was pounding, but {who} went on.
    """,
    "unmask": """
        And what did {he} see? It was only {x}!
        There was no monster. It was nothing but {x}.
        {Who} looked again, and then {he} laughed, because it was only {x}.
        "It is just {x}!" <cried> {name}.
    """,
    "brave": """
        {Who} was {feeling}, because {he} had been afraid and had gone anyway.
        "To be brave is to be afraid and to go all the same," said {other}, and {name} was {feeling}.
        From then on, {who} was not afraid of it anymore. {He} was {feeling}.
    """,
    # ---------------------------------------------------------------- something broke
    "borrowed": """
        {Other} had lent {name} {a.thing}. "Be careful with {it}, {mycall}," {other} had said.
        {Who} had borrowed {a.thing} from {other}, who was fond of {it}.
        {A.thing} that belonged to {other} was with {name} for the week.
    """,
    "broke": """
        But something was wrong with {thing}: {x}.
        While {who} was [running|jumping|turning around] with {thing}, it happened: {x}.
        {Who} was playing with {thing} when it happened: {x}.
        <Sudden>, something went wrong with {thing}. {X}, and {who} was {feeling}.
    """,
    "confess_break": """
        "I broke it," {name} told {other}. "It was an accident, but it was my fault."
        {Who} could have run away. But {he} went to {other} and said what had happened.
        At first {who} wanted to hide {thing}, but then {he} told {other} the truth.
    """,
    "plan_fix": """
        "We can mend it," said {name}. "All we need is {a.thing}."
        "Nothing is broken forever," said {name}. "Go and look for {a.thing}."
        {Who} examined it closely. "{A.thing} would do the trick," {he} said.
    """,
    "fix": """
        {Who} took {swap} and {x}. Then {thing} {was} whole again!
        Slowly and with great care, {who} {x}. When {he} was done, {thing} looked like new.
        {Who} worked with {swap} for an hour. {He} {x}, and {thing} {was} mended.
    """,
    "works": """
        {Thing} {was} better than before, and {name} was {feeling}.
        "{It} works!" <cheered> {name}, proud of the work of {his} own {hands}.
        {Who} tried {it} out at once, and {he} was {feeling}.
    """,
    "cannot_fix": """
        {Who} tried everything, but {thing} could not be mended.
        The more {who} tried, the worse it got. Then {he} put {thing} down.
    """,
    "keep_broken": """
        "Then {it.s} will be something else," said {other}, and together they turned {thing} into a home for [ladybugs|crickets|a family of beetles]. {Name} was {feeling}.
        They planted [violets|parsley|daisies] in what was left of {thing}, and every spring {it.s} bloomed. {Name} was {feeling}.
    """,
    # ---------------------------------------------------------------- hidden place
    "discover": """
        {At}, {who} noticed {y} that {he} had never seen before.
        {Who} leaned against the wall and felt something behind {him}. It was {y}!
        Hardly anybody knew it, but {at} there was {y}. {Who} stood in front of it, full of wonder.
        Following a beetle, {who} came to {y}.
    """,
    "wonder": """
        "They say that {x} lies behind it," {other} whispered.
        {Who} had heard of {x}, but {he} had thought that it was only a tale.
        An old song said that {x} was near, and {who} had always wanted to see it.
        "Do you think it leads to {x}?" asked {name}.
    """,
    "locked": """
        {Who} pushed, but it was locked.
        The way was shut. "There must be a key," said {name}.
        {Who} knocked three times. Nobody answered, and it stayed shut.
        There was a keyhole, but there was no key.
    """,
    "unlock": """
        {Who} put {thing} into the lock and turned {it}. Click! It opened, and inside was {x}, {y}.
        {Thing} fit! With a groan it swung open, and they stepped into {x}, {y}.
        {Who} held {his} breath and turned {thing}. Behind it lay {x}, {y}.
    """,
    "stay_secret": """
        "This is our secret place now," said {name}.
        They promised each other to come back every <season>.
        {Who} was {feeling} and whispered, "We will tell only those who can keep a secret."
    """,
    # ---------------------------------------------------------------- sharing
    "has_food": """
        {Who} had {a.thing} for lunch and could hardly wait to eat {it}.
        In {his} bag {who} had {a.thing} that smelled wonderful.
        {Who} had saved {a.thing} for this very day.
    """,
    "begging": """
        {Other} had nothing to eat and was {o.feeling}.
        "I have not eaten since yesterday," said {other}, who was {o.feeling}.
        {Other} had a stomach that rumbled so loudly that {name} heard it. There was nothing to eat in {o.his} bag.
    """,
    "hesitate": """
        {Who} looked at {thing} and then at {other}. There was not much of it.
        "If I share, there will be less for me," thought {name}.
        {Who} wanted to eat {thing} alone. But could {he}, when somebody was hungry?
    """,
    "share": """
        Then {who} broke {thing} in two and gave half to {other}. They ate every crumb.
        "Half for you and half for me," said {name}, and they ate {thing} together.
        {Who} divided {thing} with {other}, and it tasted better than anything {he} had ever eaten alone.
    """,
    "eat_alone": """
        {Who} turned away and ate {thing} alone, down to the last bite.
        But {who} said, "It is all mine," and swallowed {thing} in three bites.
    """,
    "turn_table": """
        The next day, it was {name} who had nothing. {Other} came by and had {a.thing}.
        A week later, {name} forgot to bring lunch, and it was {other} who had {a.thing}.
        Winter came, and {name} had an empty pantry. But {other} had {a.thing}.
    """,
    "share_back": """
        "You once shared with me," said {name}, "so now I share with you." And they ate {thing} together.
        {Who} did not think for a second. {He} cut {thing} into two equal parts, and they ate them side by side.
    """,
    "share_anyway": """
        "You did not share with me," said {name}, "but I know what it is like to be hungry." And they ate {thing} together.
        {Who} looked at {other} <weak>. Then {he} gave {o.him} half of {thing} all the same, and they ate.
    """,
    # ---------------------------------------------------------------- a trick
    "sly_comes": """
        But {a.other} [named|called] {other} was watching from [the shadows|behind a bush|a safe distance], and {o.he} wanted {thing} too.
        Then {other} came along, {a.other} who was known for tricks.
        {A.other} [named|called] {other} crept nearer and nearer. {O.he} had seen {thing}.
    """,
    "trick": """
        "Look behind you! <Beast>!" cried {name}. When {other} turned around, {who} snatched {thing}.
        "I will hold {it} for you while you tie your shoe, {call}," said {name}. But as soon as {he} had {thing}, {he} laughed and kept {it}.
        "I am the inspector of lost things," said {name} in a deep voice. "Give {it} to me." And {other} did, because {o.he} believed it.
    """,
    "boast": """
        "You will never get {it} back!" {name} laughed.
        {Who} strutted up and down with {thing}. "How clever I am!" {he} said.
        "Finders keepers," {name} sneered, though {he} had found nothing.
    """,
    "pack_box": """
        {Who} thought hard, and then {he} had a plan. {He} took a box, put {swap} in it, and tied it with a bow.
        {Who} put {swap} into a box and wrote on it, "For the cleverest one of all."
    """,
    "bait": """
        "In this box is something much better than {thing}," {name} told {other}. "I will trade it with you."
        "I am the only one who may open this box," said {name} loudly, "for what is in it is worth more than {thing}."
        "What a pity that nobody wants my wonderful box," {name} sighed, so that {other} could hear it.
    """,
    "swap_box": """
        {Who}, who was greedy, threw {thing} down, grabbed the box, and ran off with it. {Other} picked {thing} up.
        "Give me the box!" cried {name}. {He} pushed {thing} into {o.his} {o.hands} and took the box.
    """,
    "open_box": """
        When {who} opened the box, there was nothing in it but {a.swap}.
        And the box? {Who} tore off the bow and found {a.swap}, and nothing else.
        {Who} looked into the box for a long time. {A.swap} lay in it.
    """,
    "tricked": """
        "Now I have been tricked myself," {name} <said>, and went away {feeling}.
        {Who} was {feeling}, and after a while {he} even had to laugh. "Well played," {he} said.
    """,
    # ---------------------------------------------------------------- weather
    "plan": """
        {Name} and {other} wanted to {x}. They had been looking forward to it for weeks.
        "Today we will {x}!" said {name}. "Hooray!" <cheered> {other}.
        {Who} had planned everything. {He} and {other} were going to {x}.
        All {name} could think of was that {he} and {other} would {x}.
    """,
    "storm": """
        But then {x}.
        They had hardly begun when {x}.
        "Oh no!" {who} <cried>, because {x}.
        <Sudden>, the sky changed, and {x}. {Who} was {feeling}.
    """,
    "shelter": """
        They crawled {spot} and waited.
        "Quick, over here!" called {other}, and they squeezed in together, {spot}.
        {Name} and {other} found shelter {spot}, where it was not so bad.
    """,
    "clear": """
        <Then> {x}, and {y}.
        They had almost given up when {x}. Outside, {y}.
        "Listen!" said {other}, for {x}. And look, {y}!
    """,
    "do_plan": """
        So {name} and {other} {x}.
        "Now or never!" <cheered> {name}. And so they {x}.
        At last they {x}, and {name} was {feeling}.
    """,
    "plan_inside": """
        The weather did not change all day. "Then we will do it our own way," said {other}. They [built a tent out of blankets|played cards with acorns for money|made shadow animals on the wall], and {name} was {feeling}.
        It did not stop. So they [sang every song they knew|told each other riddles|painted the storm with crayons] instead, and after an hour {name} was {feeling}.
    """,
    # ---------------------------------------------------------------- making something
    "project": """
        {Who} wanted to make {x} for {other}.
        "I will make {x}," said {name}, "because {other} has always wanted one."
        {Who} had an idea. {He} would make {x} and give it to {other}.
        It would soon be {o.his} birthday, and {who} wanted to make {x} for {o.him}.
    """,
    "needs": """
        For that {he} needed {x}.
        "I need {x}," {name} counted on {his} fingers.
        {Who} made a list of what {he} needed: {x}.
    """,
    "missing": """
        Only one thing was still missing: {a.thing}. {Who} looked and looked and found none, and {he} was {feeling}.
        But {who} could not find {a.thing} anywhere, and {he} was {feeling}.
        Now {who} had everything but {a.thing}, and the sun was already low. {He} was {feeling}.
    """,
    "brings": """
        "Is it {a.thing} that you need?" asked {name}. "I have one, because I keep everything." And {he} gave {it} to {other}.
        {Who} felt in {his} pocket, and out came {a.thing}. "Take {it}, {call}," {he} said.
        {Who}, who had heard everything, came with {a.thing} and gave {it} to {other}.
    """,
    "build": """
        {Who} put everything together, this way and that way, until it was done. It was {x}!
        {Who} [tied|glued|fitted|joined] and [trimmed|smoothed|polished] until late in the evening, and then {he} had {x}.
        It was not easy, but piece by piece {who} made {x}.
    """,
    "give_made": """
        {Who} carried it to {other}. "I made it for you, {call}," {he} said, and gave it to {o.him}.
        "Close your eyes, {call}," said {name}. Then {he} put it into {o.his} {o.hands}.
        With red ears, {who} gave it to {other}.
    """,
    "delight": """
        {Who} was {feeling}. "It is the most beautiful thing that anybody ever made for me," {he} said.
        "For me?" asked {name}, and {he} was so {feeling.plain} that {he} forgot to say thank you.
        {Who} turned it in {his} {hands} and was {feeling}.
    """,
    # ---------------------------------------------------------------- a secret gift
    "birthday": """
        Soon it would be {o.his} birthday, and {who} had {a.thing} for {o.him}.
        {Who} had bought {a.thing} with {his} own money. It was a birthday present for {other}.
        For weeks {who} had been keeping a secret: {he} had {a.thing} for {o.his} birthday.
    """,
    "stow": """
        {Who} hid {thing} {spot}, where {other} would never look.
        So that {other} would not see {it}, {who} put {thing} {spot}.
        "Nobody will look {spot}," thought {name}, and {he} hid {thing} there.
    """,
    "nearly": """
        <Then> {other} came in and went straight to where the secret was. "What are you looking for, {mycall}?"
        {Other} bent down to look {spot}. {Who} turned pale.
        "What is that {spot}?" asked {other}, and came closer and closer.
    """,
    "distract": """
        "Look out of the window, quick!" <cried> {name}. "There is <sight>!" And {other} ran to see it.
        "Oh, my foot!" {name} groaned, and hopped around until {other} forgot everything else.
        {Who} started to sing so loudly and so badly that {other} fled, laughing.
    """,
    "fetch": """
        On the birthday, {who} took {thing} from where {it.s} had been all the time, {spot}.
        The next morning, {who} looked {spot}, and {thing} {was} still there. {He} took {it} out.
        When the candles were burning, {who} fetched {thing}, which had been hidden {spot}.
    """,
    # ---------------------------------------------------------------- learning
    "wish_able": """
        {Who} wanted to learn how to {x}. Everyone else could do it.
        There was nothing that {who} wished for more than to {x}.
        "One day I will {x}," {name} told everyone who would listen.
    """,
    "fail": """
        {Who} tried, but {x}.
        {Who} tried again, and again {x}. {He} was {feeling}.
        "I will never learn it," {name} sighed, because {x}.
        {Who} practiced all day, but {x}, and {he} was {feeling}.
    """,
    "practice": """
        {Who} practiced in the morning and {he} practiced in the evening, in sunshine and in rain.
        For seven days {who} practiced, and every day it went a little better.
        "Again!" {name} told {himself}. "And again!"
        {Who} did not give up. {He} practiced until even the neighbors knew how it was done.
    """,
    "able": """
        And then, one {weather} <time>, {who} {x}! {He} was {feeling}.
        <Sudden>, it was easy. {Who} {x}, and {other} clapped.
        "Look at me!" <cheered> {name}, who {x} as if {he} had never done anything else.
    """,
    "not_able": """
        {Who} never did learn to {x}. But {he} found out that {he} could [make everybody laugh|draw better than anyone|run like the wind], and {he} was {feeling}.
    """,
    # ---------------------------------------------------------------- hide and seek
    "game": """
        "Let us play hide and seek!" said {name}. "I will count."
        They played hide and seek, and it was {name} who had to seek.
        {Who} covered {his} eyes and counted to [twenty|thirty|fifty|one hundred].
    """,
    "hide": """
        {Who} hid {spot} and made no sound.
        Quick as a flash, {who} crouched {spot}.
        {Who} squeezed {himself} in, {spot}.
    """,
    "seek_empty": """
        "Are you {spot}?" called {name}. But nobody was there.
        {Who} looked {spot}. Nobody!
        {Who} tiptoed closer and peeked {spot}, but there was only [a sleepy cat|a wet leaf|an old hat].
    """,
    "giveaway": """
        Then somebody sneezed, {spot}.
        But what was that? There was a giggle {spot}.
        <Sudden>, a tail twitched {spot}.
        Then {name} saw a shadow that moved {spot}.
    """,
    "seek_find": """
        {Who} looked {spot}, and there was {other}! "Found you, {call}!"
        "I see you!" <cheered> {name}, for there, {spot}, sat {other}.
        There, {spot}, sat {other}. "You have found me," {o.he} laughed.
    """,
    # ---------------------------------------------------------------- the way home
    "stray": """
        {At}, {who} found {a.other}, all alone. "I am {other}," sobbed the little {o.kind}, "and I cannot find my way home."
        There sat {a.other} and cried. "My name is {other}," the little {o.kind} said at last, "and I am lost."
        A small voice was crying {spot}. It was {a.other} named {other}, who had lost the way home.
        {Who} heard somebody weep. {Spot} sat {a.other} named {other}, who had followed a butterfly and forgotten the way back.
    """,
    "offer_way": """
        "I will take you home, {call}," said {name}. "What does it look like there?" {Other} said that it was a place {x}.
        {Who} dried {o.his} tears. "Tell me about your home, {call}." {Other} told {him} about a place {x}.
        "Do not cry, {call}. Every home can be found," said {name}. {Other} remembered only one thing: it was a place {x}.
        {Who} asked {other} where home was. It was a place {x}, said {other}, but which way that was, {o.he} did not know.
    """,
    "wrong_place": """
        "Is it here?" asked {name}. {Other} looked around. "No, this is not it."
        But {other} shook {o.own} head. It was a place {where}, but it was not home.
        {Other} sniffed the air. It did not smell like home.
        "Is this the right place?" asked {name}. It was not. Home was somewhere else.
    """,
    "right_place": """
        "Here! This is it!" <cheered> {other}. It was the place {where}.
        <Sudden>, {other} began to run. "I know this smell! I am home!" {o.he} cried.
        {Other} stopped and stared. This was the place {where}. {O.he} was home!
    """,
    "family": """
        {O.his} whole family came running and hugged {o.him}, and then they hugged {name} too.
        "We looked for you everywhere!" cried {o.his} sister, who had been counting the minutes.
        There was a feast that night, with songs and lanterns, and {name} was the guest of honor.
    """,
    # ---------------------------------------------------------------- a quarrel
    "quarrel": """
        {Name} and {other} began to quarrel, because {name} wanted to {x} and {other} wanted to [sit in the shade|play something else|go swimming].
        "I want to {x} first!" shouted {name}. "No, me!" shouted {other}. Both were {feeling}.
        It began with something small. {Name} wanted to {x} and {other} did not, and soon they were shouting.
    """,
    "storm_off": """
        "Then I will go home," said {name}, and {he} went, without saying goodbye.
        {Who} turned around and went home. {He} slammed the door so hard that a picture fell down.
    """,
    "alone": """
        But alone nothing was any fun. {Who} was {feeling}.
        At home, {who} played alone, sang alone, and ate alone. {He} was {feeling}.
        {Who} looked out of the window. The world was full of people, and {he} was {feeling}.
    """,
    "make_up": """
        "You can go first," said {name}. "No, you," said {other}. And then they both laughed.
        {Other} hugged {name}. "I missed you too, {mycall}," said {other}.
        They shook {hands} and promised each other never to go to sleep angry.
    """,
    "miss": """
        {Who} missed {other}. Who was right, and who was wrong? It did not matter anymore. {He} was {feeling}.
        Every song reminded {him} of {other}. {Name} was {feeling}, and {he} knew what {he} had to do.
        "I would rather have a friend than be right," {name} said aloud, for {he} was {feeling}.
    """,
    "greet_again": """
        {Other} was still there, all alone, drawing lines in the dust.
        {Other} sat where {name} had left {o.him}, and {o.he} looked {o.feeling}.
        There was {other}, who had been waiting and was {o.feeling}.
    """,
    "tell_skill": """
        "I want to {x}, but I cannot do it," {name} <said>.
        "Can you teach me to {x}, {call}?" <asked> {name}.
        {Who} told {other} how much {he} wanted to {x} and how often {he} had failed.
    """,
    "stay_away": """
        {Who} thought about it. "Maybe next year," {he} said, and {other} said that there was no hurry. {Name} was {feeling}.
        "You do not have to go today," said {other}. {Who} was {feeling} when {he} heard that.
    """,
    "hide_unseen": """
        {Who} vanished without a sound.
        {Who} slipped away as quietly as a mouse.
        Nobody saw where {who} went.
        And {who}? Gone!
    """,
    "found_new_by": """
        It was {who} who found {a.thing}, for {he} had thought of looking {spot}.
        "What is this?" asked {name}, who had looked {spot} and now held up {a.thing}.
        {Who} had sharp eyes. {He} bent down, and {spot} {he} found {a.thing}.
    """,
}
