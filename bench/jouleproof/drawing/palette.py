"""The colours of every figure. A hue means one thing within a study; greys are for what stands behind the data."""

BLACK = "#000000"
BLUE = "#0072B2"  # with the next five: the hues of Okabe and Ito, which colour-blind readers can distinguish
SKY = "#56B4E9"
GREEN = "#009E73"
ORANGE = "#E69F00"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"

INDIGO = "#332288"
BROWN = "#8C564B"
OLIVE = "#BCBD22"
CYAN = "#17BECF"
VIOLET = "#6A3D9A"
LAVENDER = "#9467BD"
WINE = "#7A1F3D"
STEEL = "#9DB4C8"
AQUA = "#7CC0A8"
SAND = "#E9C46A"

INK = "#444444"  # data without a hue
SLATE = "#555555"  # small text
GREY = "#888888"  # lines at zero or one
SILVER = "#9A9A9A"
PALE = "#BBBBBB"
ASH = "#C9C9C9"
GRID = "#E3E3E3"
FOG = "#F2F2F2"

MINT = "#DDEBE6"  # the range that the ledger accepts
PINE = "#0F6B57"  # the value that a source states
RUST = "#A63C06"  # highlights
