"""What Toybox knows: the things, the places, the times of day, and which pairs it never sees in training.

A *scene kind* is a triple (thing, place, time).  Everything else (sprites, painter, captions, evaluation) goes through
the lists below, so a larger Toybox starts by making them longer.
"""

from __future__ import annotations

from dataclasses import dataclass

# name -> sprite file (code points in hex) of @lobehub/fluent-emoji-3d.
THINGS: dict[str, str] = {
    "fox": "1f98a",
    "cat": "1f431",
    "dog": "1f436",
    "owl": "1f989",
    "penguin": "1f427",
    "panda": "1f43c",
    "frog": "1f438",
    "turtle": "1f422",
    "unicorn": "1f984",
    "dragon": "1f409",
    "robot": "1f916",
    "rocket": "1f680",
    "car": "1f697",
    "sailboat": "26f5",
    "castle": "1f3f0",
    "balloon": "1f388",
    "snowman": "26c4",
    "mushroom": "1f344",
    "sunflower": "1f33b",
    "cactus": "1f335",
    "pumpkin": "1f383",
    "pizza": "1f355",
    "strawberry": "1f353",
    "cupcake": "1f9c1",
    "rabbit": "1f430",
    "lion": "1f981",
    "elephant": "1f418",
    "pig": "1f437",
    "duck": "1f986",
    "whale": "1f433",
    "octopus": "1f419",
    "crab": "1f980",
    "butterfly": "1f98b",
    "dinosaur": "1f996",
    "flamingo": "1f9a9",
    "ghost": "1f47b",
    "ufo": "1f6f8",
    "airplane": "2708-fe0f",
    "train": "1f682",
    "bus": "1f68c",
    "house": "1f3e0",
    "tulip": "1f337",
    "apple": "1f34e",
    "donut": "1f369",
    "teddy bear": "1f9f8",
    "gift": "1f381",
    "burger": "1f354",
    "crown": "1f451",
}

# Other words for the same picture; where there is no article they are plurals, and still mean one.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "fox": ("foxes",),
    "cat": ("a kitty", "a kitten", "cats"),
    "dog": ("a puppy", "a doggy", "dogs"),
    "owl": ("owls",),
    "penguin": ("penguins",),
    "panda": ("a panda bear", "pandas"),
    "frog": ("a toad", "frogs"),
    "turtle": ("a tortoise", "turtles"),
    "unicorn": ("unicorns",),
    "dragon": ("dragons",),
    "robot": ("robots",),
    "rocket": ("a spaceship", "a rocket ship", "rockets"),
    "car": ("an automobile", "cars"),
    "sailboat": ("a boat", "a sailing boat", "boats", "sailboats"),
    "castle": ("castles",),
    "balloon": ("balloons",),
    "snowman": ("snowmen",),
    "mushroom": ("a toadstool", "mushrooms"),
    "sunflower": ("sunflowers",),
    "cactus": ("cacti",),
    "pumpkin": ("pumpkins",),
    "pizza": ("a pizza slice", "pizzas"),
    "strawberry": ("strawberries",),
    "cupcake": ("a muffin", "cupcakes"),
    "rabbit": ("a bunny", "rabbits", "bunnies"),
    "lion": ("lions",),
    "elephant": ("elephants",),
    "pig": ("a piglet", "pigs"),
    "duck": ("ducks",),
    "whale": ("whales",),
    "octopus": ("octopuses",),
    "crab": ("crabs",),
    "butterfly": ("butterflies",),
    "dinosaur": ("a dino", "dinosaurs"),
    "flamingo": ("flamingos",),
    "ghost": ("ghosts",),
    "ufo": ("a flying saucer", "ufos"),
    "airplane": ("a plane", "an aeroplane", "planes", "airplanes"),
    "train": ("a locomotive", "trains"),
    "bus": ("buses",),
    "house": ("a cottage", "houses"),
    "tulip": ("tulips",),
    "apple": ("apples",),
    "donut": ("a doughnut", "donuts", "doughnuts"),
    "teddy bear": ("a teddy", "a bear", "teddy bears"),
    "gift": ("a present", "gifts", "presents"),
    "burger": ("a hamburger", "a cheeseburger", "burgers"),
    "crown": ("crowns",),
}

DAY, SUNSET, NIGHT = "day", "sunset", "night"
ALL_TIMES = (DAY, SUNSET, NIGHT)


@dataclass(frozen=True)
class Place:
    """A background: how captions name it, and the times of day at which it exists."""

    name: str
    phrases: tuple[str, ...]
    times: tuple[str, ...] = ALL_TIMES


PLACES: tuple[Place, ...] = (
    Place("meadow", ("in a meadow", "in the meadow", "on a green meadow", "on the grass")),
    Place("beach", ("on a beach", "on the beach", "at the beach")),
    Place("snow", ("in the snow", "in snow", "on a snowy field")),
    Place("desert", ("in a desert", "in the desert", "on desert sand")),
    Place("forest", ("in a forest", "in the forest", "among the trees", "in the woods")),
    Place("city", ("in a city", "in the city", "on a city street")),
    Place("sea", ("on the sea", "in the sea", "on the ocean", "at sea")),
    Place("mountains", ("in the mountains", "in front of mountains", "on a mountain")),
    Place("sky", ("in the sky", "above the clouds", "in the clouds")),
    Place("space", ("in space", "in outer space", "among the planets"), (DAY,)),
    Place("room", ("in a room", "in the room", "at home in a room", "indoors"), (DAY,)),
    Place("underwater", ("under water", "underwater", "at the bottom of the sea"), (DAY,)),
    Place("starry night", ("under a starry night sky", "on a starry night", "under the stars"), (DAY,)),
)

# Twelve plain colours (sRGB, 0..255): each is a place of its own without a time.
COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 64, 60),
    "orange": (240, 146, 54),
    "yellow": (246, 212, 84),
    "green": (92, 176, 92),
    "teal": (56, 160, 156),
    "blue": (72, 120, 214),
    "purple": (136, 88, 196),
    "pink": (244, 150, 186),
    "brown": (140, 98, 70),
    "black": (34, 34, 40),
    "grey": (150, 152, 158),
    "white": (244, 244, 246),
}


def plain(colour: str) -> Place:
    """The place that is nothing but one colour."""
    article = "an" if colour == "orange" else "a"
    return Place(
        f"plain {colour}",
        (f"on {article} {colour} background", f"on a plain {colour} background", f"on {colour}"),
        (DAY,),
    )


ALL_PLACES: tuple[Place, ...] = PLACES + tuple(plain(colour) for colour in COLOURS)

TIME_PHRASES: dict[str, tuple[str, ...]] = {
    DAY: ("", "", "", "by day"),  # no word means day
    SUNSET: ("at sunset", "at sunset", "at dusk"),
    NIGHT: ("at night",),
}

# Words that mean nothing to Toybox, put into a share of the captions so that it learns to look past them.
FILLERS: tuple[str, ...] = (
    "cute", "little", "small", "big", "happy", "beautiful", "pretty", "lovely", "funny", "friendly", "colourful",
    "colorful", "bright", "soft", "toy", "cartoon", "3d", "picture", "photo", "drawing", "painting", "illustration",
    "image", "render", "icon", "of", "detailed", "highly", "very", "high", "quality", "4k", "cinematic", "lighting",
    "style", "standing", "sitting", "playing", "flying", "one", "single", "lone", "my", "our", "and", "with", "is",
    ",", ".", "!",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """One scene kind: indices into THINGS and ALL_PLACES, and a time of day."""

    thing: int
    place: int
    time: str

    @property
    def thing_name(self) -> str:
        return list(THINGS)[self.thing]

    @property
    def place_name(self) -> str:
        return ALL_PLACES[self.place].name


def held_out(thing: int, place: int) -> bool:
    """Whether (thing, place) is kept out of training: one painted place and one plain colour per thing.

    The strides are coprime to the list lengths, so every place loses about the same number of things.
    """
    painted = len(PLACES)
    if place < painted:
        return place == (5 * thing + 9) % painted
    return place - painted == (7 * thing + 2) % len(COLOURS)


def kinds(training: bool = True) -> list[Kind]:
    """All scene kinds seen in training, or (training=False) all those kept out of it, in a fixed order."""
    return [
        Kind(t, p, time)
        for t in range(len(THINGS))
        for p, place in enumerate(ALL_PLACES)
        for time in place.times
        if held_out(t, p) != training
    ]
