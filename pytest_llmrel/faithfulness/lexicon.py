"""The English words that the offline scorer knows: function words, negators, numbers, units, months, days."""

__all__ = [
    "ABBREVIATIONS",
    "AFTER_UNIT_WORDS",
    "CALENDAR",
    "COURTESIES",
    "CURRENCIES",
    "HEDGES",
    "MAGNITUDES",
    "MONTHS",
    "NEGATORS",
    "NUMBER_WORDS",
    "STOP_WORDS",
    "UNITS",
]

STOP_WORDS = frozenset(
    """a about above after again all also although am an and any are as at be because been before being below
    between both but by can could did do does doing done down during each either else even ever every few for
    from further get gets got had has have having he hence her here hers him his how however i if in indeed
    into is it its itself just let like many may me might mine more moreover most mr mrs ms much must my of
    off on once one only onto or other our out over own per please quite rather really s same shall she
    should since so some such than that the their theirs them then there therefore these they this those
    though through thus to too under until up upon us very was we well were what when where whether which
    while who whom whose why will with within would yes yet you your yours""".split()
)
"""Words that carry no content of their own; negators are kept apart."""

NEGATORS = frozenset(
    """not no never none nothing nobody nowhere nor neither without cannot cant dont doesnt didnt isnt
    arent wasnt werent wont wouldnt shouldnt couldnt mustnt hasnt havent hadnt non""".split()
)
"""Words that turn a statement into its contrary, beside everything that ends in ``n't``."""

ABBREVIATIONS = frozenset(
    """a.m al approx apr aug ave bros ca capt cf co col corp dec dept dr e.g ed eds esp etc feb fig
    figs ft gen gov hon i.e inc incl jan jr jul jun lt ltd mar mr mrs ms mt nov oct op p.m pp ph.d prof
    rep resp rev sen sep sept sgt sr st u.k u.s univ viz vol vols vs""".split()
)
"""What may stand before a full stop that ends no sentence."""

COURTESIES = frozenset(
    """absolutely anything ask assist assistance certainly else feel free glad great happy hello help helps
    hesitate hi hope know let question questions reach sorry sure thank thanks welcome""".split()
)
"""A sentence made of these alone ("Feel free to ask!") is politeness and claims nothing."""

HEDGES = frozenset("about almost approximately around circa nearly roughly some".split())
"""Words before a number that allow it to be rounded."""

NUMBER_WORDS = {
    word: number
    for number, word in enumerate(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
        sixteen seventeen eighteen nineteen""".split()
    )
} | {
    word: 10 * tens
    for tens, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}

MAGNITUDES = {
    "hundred": 1e2,
    "thousand": 1e3,
    "k": 1e3,
    "million": 1e6,
    "millions": 1e6,
    "mn": 1e6,
    "billion": 1e9,
    "billions": 1e9,
    "bn": 1e9,
    "trillion": 1e12,
}

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep",
            "october oct",
            "november nov",
            "december dec",
        ),
        1,
    )
    for name in names.split()
}

CALENDAR = frozenset(
    """monday tuesday wednesday thursday friday saturday sunday january february april june july august
    september october november december""".split()
)
"""Days and months that mean nothing else; ``may`` and ``march`` are words of their own."""

CURRENCIES = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen", "₹": "rupee"}

_FAMILIES: dict[str, dict[str, float]] = {
    "g": {
        "mg milligram milligrams": 1e-3,
        "g gram grams gramme grammes": 1,
        "kg kgs kilo kilos kilogram kilograms kilogrammes": 1e3,
        "tonne tonnes ton tons": 1e6,
        "oz ounce ounces": 28.3495,
        "lb lbs": 453.592,
    },
    "m": {
        "mm millimetre millimetres millimeter millimeters": 1e-3,
        "cm centimetre centimetres centimeter centimeters": 1e-2,
        "m metre metres meter meters": 1,
        "km kilometre kilometres kilometer kilometers": 1e3,
        "inch inches": 0.0254,
        "ft foot feet": 0.3048,
        "yard yards yd": 0.9144,
        "mile miles mi": 1609.344,
    },
    "l": {
        "ml millilitre millilitres milliliter milliliters": 1e-3,
        "cl centilitre centilitres": 1e-2,
        "l litre litres liter liters": 1,
        "gallon gallons": 3.78541,
    },
    "s": {
        "ms millisecond milliseconds": 1e-3,
        "s sec secs second seconds": 1,
        "min mins minute minutes": 60,
        "h hr hrs hour hours": 3600,
        "day days": 86400,
        "week weeks": 604800,
    },
    "month": {"month months": 1, "year years yr yrs": 12, "decade decades": 120},
    "byte": {"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12},
    "watt": {"w watt watts": 1, "kw kilowatt kilowatts": 1e3, "mw megawatt megawatts": 1e6},
    "hz": {"hz hertz": 1, "khz": 1e3, "mhz": 1e6, "ghz": 1e9},
    "bar": {"bar bars": 1, "mbar": 1e-3, "psi": 0.0689476},
    "cal": {"cal calorie calories": 1, "kcal": 1e3},
    "wh": {"wh": 1, "kwh": 1e3, "mwh": 1e6},
    "volt": {"v volt volts": 1, "kv": 1e3, "mv": 1e-3},
    "ampere": {"amp amps ampere amperes": 1, "ma": 1e-3},
    "dollar": {"$ usd dollar dollars": 1},
    "euro": {"€ eur euro euros": 1},
    "pound": {"£ gbp pound pounds": 1},
    "yen": {"¥ jpy yen": 1},
    "rupee": {"₹ inr rupee rupees": 1},
    "cent": {"cent cents": 1},
    "%": {"% percent pct": 1},
    "celsius": {"°c celsius centigrade": 1},
    "fahrenheit": {"°f fahrenheit": 1},
    "degree": {"° degree degrees": 1},
    "mph": {"mph": 1},
    "km/h": {"kmh kph": 1},
    "am": {"am": 1},
    "pm": {"pm": 1},
}
UNITS = {
    name: (family, factor)
    for family, members in _FAMILIES.items()
    for names, factor in members.items()
    for name in names.split()
}
"""Name of a unit -> what it measures, and how many of that family's own unit it is."""

AFTER_UNIT_WORDS = frozenset(
    "business working calendar full whole consecutive additional more extra further us".split()
)
"""Words that may stand between a number and its unit."""
