# SPDX-License-Identifier: Apache-2.0
"""Pairs of numbers for key_number_test.c: TYPE VALUE TYPE VALUE ORDER, by exact fractions.

A double's value is its sixteen hexadecimal digits, the others' is text. ORDER is -1, 0, 1.
Most pairs are neighbours: the same value in another type, or a little beside it.
"""
import math
import random
import struct
import sys
from decimal import Context, Decimal
from fractions import Fraction

DECIMAL128 = Context(prec=34, Emin=-6143, Emax=6144, clamp=1, traps=[])
INT64 = (-(2**63), 2**63 - 1)


def double_bits(value):
    return struct.pack(">d", value).hex()


def random_double(rng):
    kind = rng.randrange(6)
    if kind == 0:
        return rng.choice([0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, sys.float_info.max])
    if kind == 1:
        return struct.unpack(">d", struct.pack(">Q", rng.getrandbits(64)))[0]
    if kind == 2:
        return float(rng.randint(-1000, 1000)) / 8
    if kind == 3:
        return float(rng.randint(*INT64))
    if kind == 4:
        return math.ldexp(rng.getrandbits(53), rng.randint(-1080, -1060))
    return round(rng.uniform(-100, 100), rng.randint(0, 6))


def random_decimal(rng):
    kind = rng.randrange(6)
    if kind == 0:
        return Decimal(rng.choice(["0", "-0", "NaN", "Infinity", "-Infinity", "1E-6176",
                                   "9.999999999999999999999999999999999E6144"]))
    digits = rng.randrange(10 ** rng.randint(1, 34))
    exponent = rng.choice([rng.randint(-6176, 6111), rng.randint(-40, 40), rng.randint(-345, -300),
                           rng.randint(270, 312)])
    value = DECIMAL128.create_decimal(f"{rng.choice(['', '-'])}{digits}E{exponent}")
    return value


def number(rng):
    kind = rng.randrange(4)
    if kind == 0:
        return "int32", rng.randint(-(2**31), 2**31 - 1)
    if kind == 1:
        shift = rng.randint(0, 63)
        return "int64", rng.randint(*INT64) >> shift
    if kind == 2:
        return "double", random_double(rng)
    return "decimal", random_decimal(rng)


def is_special(value):
    if isinstance(value, Decimal):
        return not value.is_finite()
    return isinstance(value, float) and not math.isfinite(value)


def exact(value):
    """None for NaN; infinities as floats."""
    if is_special(value):
        return None if math.isnan(value) else float(value)
    return Fraction(value)


def to_decimal(value):
    """The nearest Decimal128."""
    return DECIMAL128.divide(Decimal(value.numerator), Decimal(value.denominator))


def neighbour(rng, pair):
    """The value, or the next one, in a type drawn anew."""
    value = exact(pair[1])
    if value is None or isinstance(value, float):
        return number(rng)
    kind = rng.choice(["int64", "double", "decimal"])
    if kind == "int64":
        near = math.floor(value) + rng.randint(-1, 1)
        return ("int64", near) if INT64[0] <= near <= INT64[1] else number(rng)
    if kind == "double":
        try:
            near = float(value)
        except OverflowError:
            near = sys.float_info.max if value > 0 else -sys.float_info.max
        return "double", rng.choice([near, math.nextafter(near, math.inf), math.nextafter(near, -math.inf)])
    near = to_decimal(value)
    return "decimal", rng.choice([near, DECIMAL128.next_plus(near), DECIMAL128.next_minus(near),
                                  DECIMAL128.plus(near.normalize(DECIMAL128))])


def order(a, b):
    a, b = exact(a), exact(b)
    if a is None or b is None:
        return int(b is None) - int(a is None)
    return int(a > b) - int(a < b)


def text(kind, value):
    return f"{kind} {double_bits(value) if kind == 'double' else value}"


def main():
    rng = random.Random(int(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        a = number(rng)
        b = neighbour(rng, a) if rng.randrange(4) else number(rng)
        print(text(*a), text(*b), order(a[1], b[1]))


main()
