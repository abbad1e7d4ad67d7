"""Performance figures: arrays in, arrays out, no input or output.

Everywhere: returns are simple period returns; a NaN return is a missing observation and is left out, never taken
for 0; no observations, or too few for the figure, give NaN; drawdowns are negative; `periods` is the number of periods
a year, which the caller gives (`cadence` finds it from dates).
"""
