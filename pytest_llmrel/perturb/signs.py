"""The marks, quotes and look-alikes that the perturbations know."""
# ruff: noqa: RUF001  characters that look like others are what this file is about

__all__ = ["APOSTROPHES", "CLOSERS", "CURLY", "ENDS", "LOOK_ALIKES", "MARKS", "OPENERS", "QUOTES"]

ENDS = ".!?…。！？"
"""They end a sentence."""
MARKS = ENDS + ",;:、，；："
"""They end a part of one."""
OPENERS = "([\"'“‘„«¿¡*"
"""They may stand before a word."""
CLOSERS = "\"'”’»)]*"
"""They may stand behind it."""
CURLY = "’"
APOSTROPHES = f"'{CURLY}"
LOOK_ALIKES = {"?": "？", "!": "！", ",": "，", ";": "；", ":": "：", "...": "…"}
"""Marks -> those that NFKC turns into them."""
QUOTES = {
    '"': '"',
    "“": "”",
    "„": "[“”]",
    "«": "»",
    "‘": r"’(?!\w)",
    "`": "`",
    "「": "」",
    "『": "』",
    "'": r"(?<=\S)'(?!\w)",
}
"""Marks that open a quotation -> patterns of those that close it; an apostrophe within a word does not."""
