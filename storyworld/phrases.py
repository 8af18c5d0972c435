"""Hold the sentences every plot shares: a table from the kind of an event to its surface templates, one template a line.

`[a|b]` chooses a branch (branches nest and may be empty), `<class>` a word of `lexicon.CLASSES`, `{slot}` a description of a
participant of the event; the slots are listed in `voice.SLOTS`. The table is the whole grammar: nothing else makes text.
"""

# ruff: noqa: E501 (a template is one line)

SHARED = {
    # ---------------------------------------------------------------- who there is
    "open": """
        Once upon a time, {a.who} named {name} lived in {home}.
        There was once {a.who} [named|called] {name}[, who lived in {home}|. {He} lived in {home}].
        In {home}[ there|] lived {a.who} [named|called] {name}.
        {Name} was {a.who} who lived in {home}.
        Long ago, in {home}, there lived {a.who} [named|called] {name}.
        [This is the story of|Let me tell you about] {name}, {a.who} who lived in {home}.
        Not long ago, {a.who} [named|called] {name} moved into {home}.
        Everybody knew {name}, {a.who} from {home}.
    """,
    "habit": """
        {Who} [liked|loved] <hobby>[| more than anything else].
        [Every day|Every <season>|Whenever {he} could|On quiet days], {who} liked <hobby>.
        What {who} liked best was <hobby>.
        {His} favorite thing in the world was <hobby>.
        Those who knew {name} said that nobody [liked|loved] <hobby> [as much|half as much] as {he} did.
        Some liked to sleep and some liked to eat, but {name} liked <hobby>.
    """,
    "friend": """
        {His} best friend was {a.other} [named|called] {other}.
        {Who} had a [good|dear|best] friend, {a.other} [named|called] {other}.
        Next door lived {a.other} [named|called] {other}, and the two were friends.
        {Name} and {other}, {a.other}, were the best of friends.
        Not far away lived {other}, {a.other} who was {his} oldest friend.
    """,
    "meet": """
        [There|On the way|<Sudden>,] {who} met {a.other} [named|called] {other}.
        <Then> {who} met {a.other} whose name was {other}.
        A voice called out. It was {other}, {a.other}[ who had been watching for a while|].
        {A.other} [named|called] {other} was [sitting|resting|waiting] {spot}.
        {A.other} came by. "I am {other}," said the {o.kind}. "And who are you?" "I am {name}," said {name}.
    """,
    "greet": """
        There {who} saw {other}, who was {o.feeling} to have company.
        {Other} was already there[, humming a tune|, eating a sandwich|, drawing in the dust|].
        "Hello, {call}!" <cheered> {name}. "Hello, {mycall}!" said {other}.
        "Good day," said {other}, who was [sitting|standing] {spot}.
        {Other} came [running|skipping|walking] up and waved.
        "What a nice surprise to see you here, {call}," <said> {name}.
    """,
    "elder": """
        <Then> {who} went to {other}[, who knew about such things|, who always had time|].
        There {who} found {other}, who was [mending a net|peeling potatoes|reading an old book|sipping tea|sorting beans].
        {Other} was sitting {spot} and looked up. "What is it, {mycall}?"
        {Other}, who had seen many winters, was [resting|working|sitting] nearby.
    """,
    "own": """
        {Who} had {a.thing}, and {he} took {it} everywhere.
        {His} [dearest|greatest] treasure was {a.thing} that {he} had been given on {his} birthday.
        {Who} owned {a.thing}. {It} {was} a present from someone far away.
        Of all {his} things, {who} loved {his} {bare} the most.
        {Who} never went anywhere without {his} {bare}, because {it.s} brought {him} luck.
        For {his} birthday, {who} had been given {a.thing}, and {he} polished {it} every night.
    """,
    # ---------------------------------------------------------------- going about
    "day": """
        One {weather} <time>, {who} <walked> {to}[, {where}|].
        On {a.weather} <time>[ in {season}|], {who} <walked> {to}.
        One {season} <time>, when it was {weather}, {who} <walked> {to}.
        It was {a.weather} <time>, so {who} <walked> {to}.
        Then came {a.weather} <time>[ in {season}|]. {Who} woke up early and <walked> {to}.
        {Who} <walked> {to} one {weather} <time>.
    """,
    "daytogether": """
        One {weather} <time>, {name} and {other} <walked> {to}[, {where}|].
        On {a.weather} <time>[ in {season}|], the two friends <walked> {to}.
        It was {a.weather} <time>, so {name} asked {other} to come {to}. They <walked> there together.
        {Name} and {other} <walked> {to} one {weather} <time>[ in {season}|].
    """,
    "arrive": """
        {Who} <walked> {to}, {where}.
        <Then> {who} <walked> {to}.
        {Who} [went on|kept going] until {he} came {to}, {where}.
        <Then> {who} came {to}. It was a place {where}.
        So {who} <walked> {to}.
        {Who} <slowly> made {his} way {to}, {where}.
    """,
    "back": """
        {Who} <walked> back {to}.
        So {who} <walked> back {to}.
        <Then> {who} was {at} again.
        {Who} turned around and <walked> back {to}.
        Without resting even once, {who} <walked> back {to}.
    """,
    "together": """
        {Name} and {other} <walked> {to} together[, {where}|].
        <Then> the two of them <walked> {to}.
        "Come with me," said {name}, and together they <walked> {to}.
        Side by side, {name} and {other} <walked> {to}.
        They <walked> {to}, {name} in front and {other} behind.
    """,
    "home": """
        {Who} <walked> home.
        <Then> {who} <walked> home.
        When the sun went down, {who} <walked> home.
        It was getting late, so {who} <walked> home.
        {Who} took the long way home.
    """,
    "sight": """
        On the way {who} [saw|passed|noticed] <sight>, but {he} did not stop.
        {Who} stopped to look at <sight>.
        "Look at that!" {name} said to nobody in particular, for there was <sight>.
        {Who} counted {his} steps and saw <sight>.
    """,
    "meal": """
        {Who} was hungry by then, so {he} ate <meal>.
        For [lunch|supper|dinner] there {was} <meal>.
        {Who} ate <meal>, but {his} thoughts were somewhere else.
    """,
    # ---------------------------------------------------------------- how somebody feels
    "mood.sad": """
        {Who} walked with {his} head down, for {he} was still {feeling}.
        Still {feeling}, {who} kicked a pebble along the path.
        A tear ran down {his} cheek. {Name} was {feeling}.
        {Who} was so {feeling} that {he} did not even hear the birds.
    """,
    "mood.worried": """
        {Who} was still {feeling} and chewed {his} lip.
        Still {feeling}, {who} could think of nothing else.
        {His} heart was heavy. {Name} was {feeling}.
        {Who} was so {feeling} that {his} stomach hurt.
    """,
    "mood.afraid": """
        {Who} was so {feeling} that {his} knees shook.
        {His} heart beat like a drum, because {he} was {feeling}.
        Still {feeling}, {who} held {his} breath.
    """,
    "mood.angry": """
        {Who} was {feeling} and stamped the ground.
        Still {feeling}, {who} said nothing at all.
        {His} face was hot. {Name} was {feeling}.
    """,
    "mood.jealous": """
        {Who} was {feeling} and could not stop staring.
        Still {feeling}, {who} looked at {his} own empty {hands}.
    """,
    "mood.sorry": """
        {Who} felt {feeling} and could not sleep.
        {His} cheeks were burning. {Name} was {feeling}.
        The longer {who} thought about it, the more {feeling.plain} {he} felt.
    """,
    "mood.hopeful": """
        {Who} was {feeling} now.
        Suddenly everything looked easier. {Name} was {feeling}.
    """,
    "mood.disappointed": """
        {Who} was {feeling} and let {his} shoulders hang.
        {Who} tried to smile, but {he} was {feeling}.
    """,
    "mood.happy": """
        {Who} was so {feeling} that {he} [sang|hummed|danced|clapped].
        {Who} could not stop smiling, because {he} was {feeling}.
        {Who} was {feeling} and jumped into the air.
    """,
    "mood.excited": """
        {Who} was {feeling}.
        {Who} could hardly wait, for {he} was {feeling}.
    """,
    "mood.curious": """
        {Who} was {feeling} and leaned closer.
        {Who} was too {feeling.plain} to go home.
    """,
    # ---------------------------------------------------------------- looking for things
    "look_empty": """
        {Who} looked {spot}, but {thing} {was} not there.
        [Next,|Now|Then] {who} [searched|looked] {spot}. There was nothing but [dust|a dry leaf|a sleepy spider|an old shoe|a bottle cap].
        {Was} {it.s} {spot}? No, {it.s} {was} not.
        {Who} got down on {his} knees and looked {spot}. Nothing!
        "Maybe {it.s} {is} {spot}," {who} thought, but {he} found only [a rusty nail|a lost sock|a pile of crumbs|a beetle|some string].
        {Who} even looked {spot}, where [a cricket chirped|a moth slept|it was dark], but {it.s} {was} not there.
    """,
    "find": """
        {Who} looked {spot}, and there {it.s} {was}: {thing}!
        [There, {spot}, lay|And there, {spot}, lay] {thing}. {Who} picked {it} up[ and hugged {it}|].
        {Who} reached {spot} and felt something. It was {thing}!
        "I found {it}!" <cheered> {name}, and pulled {thing} out from where {it.s} had been, {spot}.
        <Sudden>, {who} saw something {color} {spot}. {He} bent down and picked up {thing}.
    """,
    "findnew": """
        [There|<Sudden>], {spot}, {who} found {a.thing}.
        {Who} looked {spot} and found {a.thing}. {He} put {it} in {his} [pocket|bag] for safety.
        Something {color} lay {spot}. It was {a.thing}, and {who} picked {it} up.
        After a long search, {who} found {a.thing}, which somebody had left {spot}.
    """,
    "hand": """
        {Who} gave {thing} to {other}.
        {Who} handed {thing} to {other} [with a smile|without a word|<slowly>].
        "Here, {call}," said {name}, "{this} {is} for you." And {he} gave {o.him} {thing}.
        {Who} held out {thing}. "Take {it}, {call}," {he} <said>.
    """,
    "handback": """
        {Who} gave {thing} back to {other}.
        "{This} {is} yours, {call}," said {name}, and gave {thing} back.
        {Who} put {thing} back into {o.his} {o.hands}.
        {Who} <slowly> held out {thing}, and {other} took {it} back.
    """,
    # ---------------------------------------------------------------- talk
    "thank": """
        "Thank you, {call}," {name} <said>[| <softly>].
        "Thank you!" <cheered> {name}, and hugged {other} [tightly|twice|hard].
        "I will never forget this," {name} said to {other}, {feeling} at last.
        {Who} thanked {other} [again and again|three times|with all {his} heart].
        "How can I ever thank you, {call}?" asked {name}. "You just did," said {other}.
    """,
    "comfort": """
        "Do not [worry|be sad], {call}," <said> {name} <softly>. "We will [think of something|find a way]."
        {Who} put an arm around {other}. "I will help you," {he} said.
        "Two heads are better than one," said {name}, who did not like to see {other} so {o.feeling.plain}.
        {Who} sat down next to {other}. "Tell me everything from the beginning," {he} said.
        "Dry your eyes, {call}," said {name}. "I am here now."
    """,
    "askwhy": """
        "Why do you look so {o.feeling.plain}, {call}?" <asked> {name}.
        {Who} saw at once that something was wrong. "What happened, {call}?" {he} asked.
        "You look {o.feeling.plain}," said {name}. "What is the matter?"
        {Who} asked {other} why {o.he} was so {o.feeling.plain}.
    """,
    "sorry": """
        "I am sorry, {call}," {name} <said>[| <softly>]. "I was wrong."
        {Who} looked at the ground. "I am so sorry," {he} said to {other}.
        "Please forgive me, {call}," <said> {name}. "It will not happen again."
        {Who} told {other} that {he} was sorry, and {he} meant it.
    """,
    "forgive": """
        "Let us forget it, {call}," said {name}, and that was that.
        {Who} was quiet for a moment. "Everyone makes mistakes, {call}," {he} said.
        {Who} smiled at {other}. "Let us be friends again."
        "I was angry, but I am not angry anymore," said {name}, and took {other} by the {o.hand}.
    """,
    "forgive_truth": """
        "I forgive you, {call}," said {name}, "because you told the truth."
        "It is not easy to say that," said {name}, "and so I am not angry, {call}."
        {Who} was quiet for a moment. "Thank you for telling me, {call}," {he} said.
        "What is done is done," said {name}. "I am glad that you did not lie to me."
    """,
    "advice": """
        "{X}," said {name}.
        "Listen well, {call}," said {name}. "{X}."
        {Who} thought <weak>. "{X}," {he} said at last.
        "When I was as young as you are, someone told me this," said {name}. "{X}."
    """,
    "laugh": """
        They laughed until [their bellies hurt|tears ran down their cheeks|they fell over].
        {Who} began to laugh, and then {other} had to laugh too.
        {Name} and {other} looked at each other and burst out laughing.
    """,
    # ---------------------------------------------------------------- a story in the story, a dream, a memory
    "tell": """
        To pass the time, {who} told {other} a story.
        "Let me tell you a story, {call}," said {name}, and {other} [came closer|sat down and listened|listened with both ears].
        "That reminds me of something that my grandmother used to tell," said {name}.
        {Who} told {other} a story that {he} had heard from a sailor who had heard it from a whale.
    """,
    "told.lost": """
        "Once {a.who} lost {his} {x}. {He} looked on the hill and in the valley, and {he} asked everyone who came by, 'Have you seen my {x}?' At last {he} sat down to cry, and {he} sat right on the {x}."
        "There was {a.who} who lost {his} {x} and blamed the wind. The wind, which had done nothing, was so hurt that it stopped blowing. Then the {kind} found the {x} in {his} own pocket and had to say sorry to the wind."
        "Once {a.who} dropped {his} {x} in a river. 'It is gone,' {he} said. But a fish who had found the {x} waited for a year at the same place, until the {kind} came back to drink."
        "There was {a.who} who put {his} {x} in such a safe place that {he} could not find it. So {he} drew a map of the whole house, and where the map had a hole, there was the {x}."
        "Once {a.who} lost {his} {x} on the very day that the circus came. A clown found it and wore it on his nose, and nobody noticed but the {kind}, who clapped the loudest."
    """,
    "told.greedy": """
        "Once {a.who} wanted the biggest {x} in the world. {He} got it, but it was so big that it did not fit through the door, and so the {kind} slept outside in the rain."
        "There was {a.who} who had seven {x.s} and gave none away. When winter came, the {kind} had seven {x.s} and nobody to talk to. So {he} gave away six, and then {he} had six friends."
        "Once {a.who} stole {a.x} from a neighbor. But the {x} felt so heavy that the {kind} could not run, and {he} carried it back before anyone knew that it was gone."
        "There was {a.who} who hid {a.x} under the floor, so that nobody else could have it. Years later, when {he} wanted to look at it, the mice had carried it off, one bit at a time."
        "Once {a.who} found {a.x} and told nobody. But a secret that nobody shares is heavy, and soon the {kind} told the river, and the river told the whole town."
    """,
    "told.brave": """
        "Once {a.who} was afraid of a giant who lived behind a hill. One night the {kind} climbed the hill and saw that the giant was only a mill, and the mill waved at {him}."
        "There was {a.who} who was scared of the dark. The {kind} asked the dark, 'What do you want?' And the dark, which had never been asked anything, said that it wanted a friend."
        "Once {a.who} had to cross a bridge that swayed and creaked. {He} shut {his} eyes and sang, and when the song was over, {he} was on the other side."
        "There was {a.who} who did not dare to speak. One day a baby fell into the pond, and the {kind} shouted so loudly that the whole village came running. After that, nobody called {him} shy again."
        "Once {a.who} met a monster who roared. 'Why do you roar?' asked the {kind}. 'Because I am afraid of you,' said the monster, and both of them laughed."
    """,
    "told.patient": """
        "Once {a.who} planted {a.x} because {he} thought that it would grow. Everyone laughed. But under the ground there was a seed that liked the company, and in spring a tree stood there."
        "There was {a.who} who was the slowest of all. When the others raced past, they did not see the hole that the rain had dug. The {kind} saw it, because {he} had time to look."
        "Once {a.who} waited for a letter. {He} waited in the sun and in the snow, and when it came, it said, 'I have waited for you too.'"
        "There was {a.who} who wanted to see a flower open. {He} stared at it for nine days. On the tenth day {he} blinked, and when {he} looked again, the whole field was in bloom."
        "Once {a.who} built a tower of stones, and every night the wind knocked it over. The {kind} built it again each morning. In the end the wind, which was tired, went to live somewhere else."
    """,
    "told.end": """
        "And what happened then?" asked {name}. "Then they had supper," said {other}.
        {Who} thought about the story <weak>.
        "Is that true?" asked {name}. "Every word of it, except the ones I made up," said {other}.
        When the story was over, {who} was quiet <weak>.
        {Who} understood what the story meant.
    """,
    "nap": """
        {Who} sat down {spot} to rest, and before {he} knew it, {he} was asleep.
        It had been a long way, so {who} lay down {spot} and closed {his} eyes.
        {Who} was so tired that {he} fell asleep {spot}.
    """,
    "dream": """
        {He} dreamed that {he} was flying <dreamland> with <beast>, who asked {him} where {thing} {was}. "I do not know," said {name} in the dream, "but I will not give up."
        In {his} dream, <beast> carried {thing} <dreamland>, and {name} ran after them without moving an inch.
        {He} dreamed of <beast>, who told {him} that {thing} {was} closer than {he} thought.
        In the dream, {thing} had grown legs and danced <dreamland> with <beast>.
    """,
    "dreamself": """
        {He} dreamed that <beast> took {him} <dreamland>. "Do not be afraid," it said, "I do not know the way either."
        In {his} dream, {he} traveled <dreamland>, and everybody there knew {his} name.
        {He} dreamed of <beast>, who wanted to know what time it was. Nobody could tell.
    """,
    "wake": """
        When {who} woke up, [a leaf lay on {his} nose|the sun had moved|a bird was singing], and {he} felt stronger than before.
        Then {who} woke up and rubbed {his} eyes. It had only been a dream.
        A drop of water fell on {his} nose, and {name} woke up.
    """,
    # ---------------------------------------------------------------- endings
    "end.happy": """
        From that day on, {name} and {other} were [even better friends|closer than ever before].
        That night, {name} slept well, and so did {other}.
        And whenever {who} remembered that day, {he} was {feeling} all over again.
        It had been a good day, and {name} was {feeling}.
        "What a day!" said {name}, {feeling} and tired.
        {Name} and {other} watched the sun go down, and both were {feeling}.
        {Name} was {feeling}, {other} was {o.feeling}, and the moon came up over {place}.
    """,
    "end.alone": """
        {Who} was {feeling}, and {he} never let {thing} out of {his} sight again.
        That evening {who} told everybody the story, and each time {he} told it, it grew a little longer. {He} was {feeling}.
        {Who} walked home with {thing} and was {feeling}.
        And {thing}? {It} stayed with {name}, who was {feeling}, for many years.
    """,
    "end.calm": """
        {Who} took a deep breath. It was not what {he} had hoped for, but {he} was {feeling}.
        That evening, {name} was {feeling}. Not every wish comes true, and that is all right.
        "Some things go, and some things come," said {other}, and {name} nodded, {feeling} at last.
        {Who} still thought about it now and then, but it did not hurt anymore. {He} was {feeling}.
    """,
    "moral": """
        {X}, thought {name}.
        "{X}," said {other}.
        And {name} never forgot what {he} had learned: {x}.
        {X}, as {other} liked to say.
        {X}.
    """,
}
