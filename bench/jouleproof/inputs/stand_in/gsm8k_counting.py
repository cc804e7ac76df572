"""Word problems that ask for a number of things. Each draws its people, things and numbers and works its solution."""

from __future__ import annotations

from jouleproof.inputs.stand_in.wording import PEOPLE, Pick, Story, minus, over, plus, times

_FOODS = ("apples", "bananas", "muffins", "sandwiches", "peaches", "pretzels", "oranges", "bagels", "tomatoes")
_COLLECTED = ("marbles", "stamps", "shells", "coins", "trading cards", "comic books", "buttons", "toy cars")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TIMES = {2: "twice", 3: "three times", 4: "four times", 5: "five times"}


def reading(pick: Pick) -> Story:
    who, days, daily = pick.person(), pick.number(4, 9), pick.number(12, 40)
    extra, weekend, rest = pick.number(5, 25), pick.number(2, 4), pick.number(20, 120)
    first, faster = times(days, daily), plus(daily, extra)
    second = times(weekend, faster)
    read = plus(first, second)
    pages = plus(read, rest)
    return (
        [
            f"{who} is reading a {pick.one(('novel', 'biography', 'fantasy book', 'history book'))} for school.",
            f"For {days} days {who.they} reads {daily} pages a day.",
            f"Then, for another {weekend} days, {who.they} reads {extra} pages a day more than before.",
            f"After that there are still {rest} pages left. How many pages does the whole book have?",
        ],
        [
            f"In the first {days} days {who} reads {first} pages.",
            f"After that {who.they} reads {faster} pages a day.",
            f"That makes {second} pages in the other {weekend} days.",
            f"So far {who.they} has read {read} pages.",
            f"The whole book has {pages} pages.",
        ],
        pages,
    )


def road_trip(pick: Pick) -> Story:
    who, vehicle = pick.person(), pick.one(("car", "van", "truck", "camper"))
    hours, speed = pick.number(2, 6), pick.number(40, 65, 5)
    later, slower = pick.number(2, 5), pick.number(5, 15, 5)
    first, reduced = times(hours, speed), minus(speed, slower)
    second = times(later, reduced)
    distance = plus(first, second)
    return (
        [
            f"{who} drives {who.their} {vehicle} to visit {who.their} {pick.one(('sister', 'uncle', 'grandparents'))}.",
            f"For the first {hours} hours the road is empty and {who.they} drives at {speed} miles per hour.",
            f"Then it begins to {pick.one(('rain', 'snow', 'get dark'))}, so for the remaining {later} hours",
            f"{who.they} drives {slower} miles per hour slower. How many miles long is the trip?",
        ],
        [
            f"On the empty road {who} covers {first} miles.",
            f"Later {who.they} drives at only {reduced} miles per hour.",
            f"In that part of the trip {who.they} covers {second} miles.",
            f"Altogether the trip is {distance} miles long.",
        ],
        distance,
    )


def comparison(pick: Pick) -> Story:
    (a, b), things = pick.two(PEOPLE), pick.one(_COLLECTED)
    count, factor = pick.number(6, 48), pick.number(2, 5)
    more = times(count, factor)
    both = plus(count, more)
    return (
        [
            f"{a} and {b} both collect {things}.",
            f"{a} has been collecting for a year and has {count} {things}.",
            f"{b}, who started much earlier, has {_TIMES[factor]} as many {things} as {a} does.",
            f"How many {things} do the two of them have {pick.one(('together', 'in total', 'in all'))}?",
        ],
        [
            f"{b} has {_TIMES[factor]} as many as {a}, which is {more} {things}.",
            f"Together {a} and {b} have {both} {things}.",
        ],
        both,
    )


def ages(pick: Pick) -> Story:
    (a, b), years = pick.two(PEOPLE), pick.number(2, 12)
    young, factor = pick.number(4, 14), pick.number(2, 4)
    old = times(young, factor)
    young_later, old_later = plus(young, years), plus(old, years)
    both = plus(young_later, old_later)
    return (
        [
            f"{a} turned {young} years old on {a.their} birthday last week.",
            f"{a.their.capitalize()} cousin {b}, who brought a cake to the party,",
            f"is {_TIMES[factor]} as old as {a} is now.",
            f"They plan a party like this one {years} years from now.",
            "What will be the sum of their ages then?",
        ],
        [
            f"Today {b} is {old} years old.",
            f"In {years} years {a} will be {young_later} years old.",
            f"At that time {b} will be {old_later} years old.",
            f"The sum of their ages will be {both} years.",
        ],
        both,
    )


def tank(pick: Pick) -> Story:
    who, vessel = (pick.person(), pick.one(("water tank", "swimming pool", "fish pond", "rain barrel")))
    inflow, leak, minutes = (pick.number(12, 40), pick.number(2, 9), pick.number(10, 60, 5))
    start = pick.number(20, 200, 10)
    net = minus(inflow, leak)
    added = times(net, minutes)
    content = plus(start, added)
    return (
        [
            f"A {vessel} behind {who}'s house holds {start} liters of water.",
            f"{who} opens a tap that lets in {inflow} liters of water every minute.",
            f"Through a crack in the bottom, {leak} liters are lost every minute.",
            f"How many liters of water are in the {vessel} when {who} closes the tap after {minutes} minutes?",
        ],
        [
            f"Every minute the {vessel} gains {net} liters of water.",
            f"While the tap is open it gains {added} liters.",
            f"Together with the water from before, there are now {content} liters in the {vessel}.",
        ],
        content,
    )


def training(pick: Pick) -> Story:
    who, (slow_day, long_day) = pick.person(), pick.two(_DAYS)
    laps, meters, days = (pick.number(4, 12), pick.number(200, 500, 50), pick.number(3, 5))
    factor = pick.number(2, 3)
    daily = times(laps, meters)
    week = times(daily, days)
    long_run = times(daily, factor)
    total = plus(week, long_run)
    return (
        [
            f"{who} trains for a race on a track of {meters} meters.",
            f"On {days} days of the week {who.they} runs {laps} laps, on {slow_day} {who.they} rests,",
            f"and on {long_day} {who.they} runs {_TIMES[factor]} as far as on a usual training day.",
            f"How many meters does {who} run in a week?",
        ],
        [
            f"On a usual training day {who} runs {daily} meters.",
            f"The {days} usual days make {week} meters.",
            f"On {long_day} {who.they} runs {long_run} meters.",
            f"In the whole week {who} runs {total} meters.",
        ],
        total,
    )


def recipe(pick: Pick) -> Story:
    who, dish = (pick.person(), pick.one(("soup", "pancakes", "curry", "stew", "salad", "pudding")))
    serves, batches, grams = (pick.number(2, 6), pick.number(3, 8), pick.number(100, 350, 50))
    guests = serves * batches
    made = over(guests, serves)
    needed = times(made, grams)
    home = pick.number(50, grams - 10, 10)
    to_buy = minus(needed, home)
    main = pick.one(("flour", "rice", "lentils", "potatoes", "carrots", "oats"))
    return (
        [
            f"{who} has a recipe for {dish} that serves {serves} people and takes {grams} grams of {main}.",
            f"This weekend {who.they} wants to cook it for {guests} people,",
            f"but there are only {home} grams of {main} in the cupboard.",
            f"How many more grams of {main} does {who} need to buy?",
        ],
        [
            f"To serve that many people {who} has to make the recipe {made} times.",
            f"For this {who.they} needs {needed} grams of {main} in total.",
            f"As some is in the cupboard, {who.they} needs to buy {to_buy} grams more.",
        ],
        to_buy,
    )


def sharing(pick: Pick) -> Story:
    (a, b), things = pick.two(PEOPLE), pick.one(_COLLECTED)
    count, part = 24 * pick.number(2, 8), pick.one((3, 4))
    to_friend = over(count, 2)
    remaining = minus(count, to_friend)
    to_brother = over(remaining, part)
    kept = minus(remaining, to_brother)
    found = pick.number(4, 30)
    now = plus(kept, found)
    fraction = {3: "a third", 4: "a quarter"}[part]
    return (
        [
            f"{a} finds a box with {count} old {things} in the attic and gives half of them to {a.their} friend {b}.",
            f"Of those that remain, {a.they} gives {fraction} to {a.their} little brother.",
            f"A week later {a} gets another {found} {things} for {a.their} birthday.",
            f"How many {things} does {a} have now?",
        ],
        [
            f"{a} gives {to_friend} {things} to {b}.",
            f"Then there are {remaining} left.",
            f"{a.their.capitalize()} brother gets {to_brother} of them.",
            f"So {a} keeps {kept} {things}.",
            f"With the present {a.they} now has {now} {things}.",
        ],
        now,
    )


def deliveries(pick: Pick) -> Story:
    food, (first_day, second_day) = pick.one(_FOODS), pick.two(_DAYS)
    crates, each, more, bad = (pick.number(5, 20), pick.number(12, 48, 4), pick.number(2, 10), pick.number(3, 40))
    first, second_crates = times(crates, each), plus(crates, more)
    second = times(second_crates, each)
    delivered = plus(first, second)
    good = minus(delivered, bad)
    return (
        [
            f"A supermarket gets {crates} crates of {food} on {first_day}, with {each} {food} in every crate.",
            f"On {second_day} another delivery comes in, with {more} crates more.",
            f"Of all these {food}, {bad} are bad and thrown away.",
            f"How many good {food} did the supermarket get?",
        ],
        [
            f"On {first_day} the supermarket gets {first} {food}.",
            f"The other delivery has {second_crates} crates.",
            f"Those hold {second} {food}.",
            f"Both deliveries together have {delivered} {food}.",
            f"Of these, {good} are good.",
        ],
        good,
    )


COUNTING = (reading, road_trip, comparison, ages, tank, training, recipe, sharing, deliveries)
