"""The time grid of power: means of five minutes, and samples of two seconds within them."""

SLOT_S = 300
SAMPLE_S = 2
SAMPLES = SLOT_S // SAMPLE_S  # of a slot
DAY = 24 * 3600 // SLOT_S  # slots
WEEK = 7 * DAY
