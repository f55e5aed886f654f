# SPDX-License-Identifier: Apache-2.0
"""Cases for decimal_oracle_test.c: OPERATION A B RESULT, by Python's decimal.

The context is decimal128 of IEEE 754-2008: 34 digits, half even, clamped exponents.
`parse` cases have one operand as text; RESULT is `lost` when digits would be lost.
"""
import random
import sys
from decimal import (Context, Decimal, Inexact, ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN,
                     ROUND_HALF_UP)

DECIMAL128 = Context(prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144, clamp=1, traps=[])
# A remainder is exact however long the quotient is.
EXACT = Context(prec=12400, Emin=-20000, Emax=20000, traps=[])
WHOLE = {"floor": ROUND_FLOOR, "ceiling": ROUND_CEILING, "nearest": ROUND_HALF_UP}


def coefficient(rng, digits_max):
    """Digits with the runs that rounding trips over: nines, zeros, a five at the end."""
    digits = rng.randint(1, digits_max)
    kind = rng.randrange(6)
    if kind == 0:
        return "9" * digits
    if kind == 1:
        return "1" + "0" * (digits - 1)
    text = "".join(rng.choice("0123456789") for _ in range(digits))
    if kind == 2:
        return text[: digits // 2] + "5" + "0" * (digits - digits // 2 - 1)
    if kind == 3:
        return text[:-1] + "5"
    return text


def exponent(rng):
    kind = rng.randrange(8)
    if kind < 4:
        return rng.randint(-40, 40)
    if kind == 4:
        return rng.randint(-6176, -6100)
    if kind == 5:
        return rng.randint(6060, 6111)
    return rng.randint(-6176, 6111)


def number(rng):
    if rng.randrange(60) == 0:
        return Decimal(rng.choice(["0", "-0", "Infinity", "-Infinity", "NaN"]))
    sign = rng.choice(["", "-"])
    text = f"{sign}{coefficient(rng, 34)}E{exponent(rng)}"
    return DECIMAL128.create_decimal(text)


def near(rng, a):
    """A number whose digits meet those of `a` in a sum."""
    if not a.is_finite() or rng.randrange(4) == 0:
        return number(rng)
    shifted = max(-6176, min(6111, a.as_tuple().exponent + rng.randint(-70, 70)))
    sign = rng.choice(["", "-"])
    return DECIMAL128.create_decimal(f"{sign}{coefficient(rng, 34)}E{shifted}")


def compare(a, b):
    """NaN first, then by value."""
    if a.is_nan() or b.is_nan():
        return int(b.is_nan()) - int(a.is_nan())
    return int(a > b) - int(a < b)


def parse_case(rng):
    text = coefficient(rng, 50)
    point = rng.randint(0, len(text))
    if rng.randrange(2):
        text = text[:point] + "." + text[point:]
    text = rng.choice(["", "-", "+"]) + text
    if rng.randrange(3):
        text += f"{rng.choice('eE')}{exponent(rng) + rng.randint(-60, 60)}"
    DECIMAL128.clear_flags()
    value = DECIMAL128.create_decimal(text)
    lost = DECIMAL128.flags[Inexact] or value.is_infinite()
    return f"parse {text} - {'lost' if lost else value}"


def factor(rng, a):
    """A divisor of few digits, or one near `a`: quotients that end, remainders that are 0."""
    if rng.randrange(2):
        return near(rng, a)
    sign = rng.choice(["", "-"])
    return DECIMAL128.create_decimal(f"{sign}{coefficient(rng, 3)}E{rng.randint(-8, 8)}")


def int128_case(rng):
    high = rng.randint(-(2**63), 2**63 - 1) >> rng.randrange(64)
    low = rng.choice([0, 2**64 - 1, rng.getrandbits(64)])
    return f"int128 {high}:{low} - {DECIMAL128.create_decimal(high * 2**64 + low)}"


def case(rng):
    name = rng.choice(["parse", "cmp", "add", "subtract", "multiply", "divide", "divide", "remainder",
                       "whole", "int128"])
    if name == "parse":
        return parse_case(rng)
    if name == "int128":
        return int128_case(rng)
    a = number(rng)
    b = near(rng, a)
    if name == "cmp":
        return f"cmp {a} {b} {compare(a, b)}"
    if name == "whole":
        name = rng.choice(sorted(WHOLE))
        result = a.to_integral_value(rounding=WHOLE[name], context=DECIMAL128)
    elif name == "remainder":
        b = factor(rng, a)
        result = EXACT.remainder(a, b)
    elif name == "divide":
        b = factor(rng, a)
        if rng.randrange(4) == 0:
            a = DECIMAL128.multiply(a, b)
        result = DECIMAL128.divide(a, b)
    else:
        result = getattr(DECIMAL128, name)(a, b)
    return f"{name} {a} {b} {'NaN' if result.is_nan() else result}"


def main():
    rng = random.Random(int(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        print(case(rng))


main()
