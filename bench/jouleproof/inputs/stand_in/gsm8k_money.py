"""Word problems that ask for an amount of money. Each draws its people, things and numbers and works its solution."""

from __future__ import annotations

from jouleproof.inputs.stand_in.wording import PEOPLE, Pick, Story, minus, over, percent, plus, times

_GOODS = ("pencils", "notebooks", "stickers", "erasers", "markers", "ribbons", "candles", "postcards", "badges")
_PLANTS = ("tomato", "pepper", "lettuce", "strawberry", "bean", "cabbage", "sunflower", "pumpkin")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def change(pick: Pick) -> Story:
    who, (a, b) = pick.person(), pick.two(_GOODS)
    many, price, few, dear = (pick.number(3, 12), pick.number(2, 6), pick.number(2, 6), pick.number(4, 9))
    first, second = times(many, price), times(few, dear)
    spent = plus(first, second)
    paid = 10 * (spent.value // 10 + pick.number(1, 5))
    left = minus(paid, spent)
    return (
        [
            f"{who} goes to the {pick.one(('store', 'market', 'gift shop'))} with ${paid} in {who.their} wallet.",
            f"There {who.they} picks out {many} {a} that cost ${price} each and {few} {b} that cost ${dear} each,",
            "and pays in cash.",
            f"How many dollars does {who} have left {pick.one(('afterwards', 'after paying', 'in the end'))}?",
        ],
        [
            f"The {a} cost {first:$} altogether.",
            f"The {b} cost {second:$} altogether.",
            f"So {who} spends {spent:$} in total.",
            f"{who.they.capitalize()} has {left:$} left in {who.their} wallet.",
        ],
        left,
    )


def savings(pick: Pick) -> Story:
    who, goal = (pick.person(), pick.one(("bicycle", "guitar", "tent", "camera", "skateboard", "telescope")))
    chores, pay, weeks = pick.number(3, 8), pick.number(2, 6), pick.number(4, 12)
    weekly = times(chores, pay)
    spent = pick.number(1, weekly.value - 1)
    kept = minus(weekly, spent)
    saved = times(kept, weeks)
    return (
        [
            f"{who} is saving up for a new {goal}.",
            f"Every week {who.they} does {chores} chores for {who.their} neighbors at ${pay} each,",
            f"but {who.they} also spends ${spent} a week on {pick.one(('snacks', 'bus rides', 'music', 'magazines'))}.",
            f"How many dollars will {who.they} have saved after {weeks} weeks?",
        ],
        [
            f"Each week {who} earns {weekly:$} by doing chores.",
            f"After spending some of it, {who.they} keeps {kept:$} of that money every week.",
            f"Over {weeks} weeks this comes to {saved:$} in savings for the {goal}.",
        ],
        saved,
    )


def bakery(pick: Pick) -> Story:
    who, food = (pick.person(), pick.one(("muffins", "bagels", "pretzels", "cookies", "scones", "rolls")))
    trays, each, price = pick.number(4, 12), pick.number(8, 24, 2), pick.number(2, 4)
    baked = times(trays, each)
    given = pick.number(3, 12)
    unsold = pick.number(2, 12)
    sold = minus(baked, given, unsold)
    income = times(sold, price)
    return (
        [
            f"{who} runs a small bakery.",
            f"One {pick.one(_DAYS)} {who.they} bakes {trays} trays of {food} with {each} {food} on every tray.",
            f"{who.they.capitalize()} gives {given} of the {food} to {who.their} staff, and in the evening",
            f"{unsold} of them are left.",
            f"All the others were sold for ${price} each. How much money did the {food} bring in?",
        ],
        [
            f"{who} bakes {baked} {food} in the morning.",
            f"Without those that were given away or left over, {who.they} sells {sold} {food} that day.",
            f"At ${price} each they bring in {income:$}.",
        ],
        income,
    )


def garden(pick: Pick) -> Story:
    who, plant = pick.person(), pick.one(_PLANTS)
    rows, each, price = pick.number(3, 9), pick.number(4, 12), pick.number(3, 9)
    planted = times(rows, each)
    lost = pick.number(1, 9)
    alive = minus(planted, lost)
    income = times(alive, price)
    return (
        [
            f"In spring {who} plants {rows} rows of {plant} seedlings in {who.their} garden, with {each} in each row.",
            f"During a {pick.one(('cold night', 'heavy storm', 'dry week'))} {lost} of the seedlings die,",
            f"but all the others are sold for ${price} each in summer.",
            f"How many dollars does {who} get for the plants?",
        ],
        [
            f"At first there are {planted} {plant} seedlings in the garden.",
            f"After the loss, {alive} of the seedlings are still alive.",
            f"Selling them at the market, {who} gets {income:$} for all of the plants.",
        ],
        income,
    )


def discount(pick: Pick) -> Story:
    who, item = (pick.person(), pick.one(("jacket", "backpack", "lamp", "desk chair", "pair of boots", "blanket")))
    price, share, extra = (pick.number(40, 200, 20), pick.number(5, 45, 5), pick.number(3, 18))
    saved = percent(share, price)
    reduced = minus(price, saved)
    paid = plus(reduced, extra)
    return (
        [
            f"{who} has had {who.their} eye on a {item} that normally costs ${price}.",
            f"This week everything in the shop is {share}% off.",
            f"{who} orders the {item} now, and pays another ${extra} for delivery.",
            f"How much does {who.they} pay {pick.one(('in total', 'altogether', 'in the end'))}, in dollars?",
        ],
        [
            f"The sale takes {saved:$} off the normal price.",
            f"So the {item} itself costs {reduced:$} during this week.",
            f"With delivery {who} pays {paid:$} for it in total.",
        ],
        paid,
    )


def overtime(pick: Pick) -> Story:
    who, place = (pick.person(), pick.one(("warehouse", "restaurant", "garage", "hotel", "factory", "nursery")))
    wage, extra, hours = (pick.number(12, 28, 2), pick.number(4, 10, 2), pick.number(2, 9))
    weekly = pick.number(32, 40, 4)
    regular, higher = times(weekly, wage), plus(wage, extra)
    additional = times(hours, higher)
    earned = plus(regular, additional)
    return (
        [
            f"{who} works in a {place} and is paid ${wage} an hour for the first {weekly} hours of each week.",
            f"For every hour beyond that {who.they} is paid ${extra} an hour more than usual.",
            f"Last week {who} worked {weekly + hours} hours.",
            f"How much money did {who.they} earn that week?",
        ],
        [
            f"For the first {weekly} hours {who} earns {regular:$}.",
            f"{who.they.capitalize()} works {minus(weekly + hours, weekly)} hours of overtime.",
            f"An hour of overtime is paid {higher:$}.",
            f"So the overtime brings in {additional:$}.",
            f"In total {who.they} earns {earned:$} that week.",
        ],
        earned,
    )


def party(pick: Pick) -> Story:
    who, food = (pick.person(), pick.one(("pretzels", "muffins", "sausages", "rolls", "cupcakes", "burgers")))
    pack, each, price = pick.number(6, 12, 2), pick.number(2, 4), pick.number(3, 8)
    guests = pack * pick.number(1, 3) - 1
    people = plus(guests, 1)
    needed = times(people, each)
    boxes = over(needed, pack)
    cost = times(boxes, price)
    return (
        [
            f"{who} invites {guests} guests to a party on {pick.one(_DAYS)}.",
            f"{who.they.capitalize()} wants everybody, including {who.themself}, to have {each} {food}.",
            f"At the {pick.one(('bakery', 'supermarket', 'corner store'))} {food} are sold only in boxes of {pack},",
            f"and every box costs ${price}. How many dollars does {who} have to spend on {food}?",
        ],
        [
            f"Counting {who} as well, there will be {people} people at the party.",
            f"Together they will eat {needed} {food}.",
            f"To have that many, {who} has to buy {boxes} boxes.",
            f"The boxes cost {cost:$} altogether.",
        ],
        cost,
    )


def excursion(pick: Pick) -> Story:
    where = pick.one(("the zoo", "a museum", "the aquarium", "a farm", "the theater", "a castle"))
    classes, pupils, teachers = (pick.number(3, 8), pick.number(18, 28), pick.number(4, 12))
    ticket, guide = pick.number(3, 9), pick.number(40, 120, 10)
    children = times(classes, pupils)
    people = plus(children, teachers)
    tickets = times(people, ticket)
    cost = plus(tickets, guide)
    return (
        [
            f"A school takes {classes} classes on an excursion to {where}.",
            f"There are {pupils} pupils in each class, and {teachers} teachers come along.",
            f"A ticket costs ${ticket} for pupils and teachers alike, and a guide is hired for ${guide}.",
            "How much does the school pay for the tickets and the guide?",
        ],
        [
            f"There are {children} pupils in the classes.",
            f"With the teachers, {people} people go on the excursion.",
            f"Their tickets cost {tickets:$}.",
            f"Including the guide the school pays {cost:$}.",
        ],
        cost,
    )


def fundraiser(pick: Pick) -> Story:
    (a, b), cause = (pick.two(PEOPLE), pick.one(("animal shelter", "library", "hospital", "sports club", "choir")))
    cakes, slices, price = pick.number(3, 8), pick.number(8, 12, 2), pick.number(2, 4)
    cups, cup_price = pick.number(20, 60), pick.number(1, 3)
    pieces, drinks = times(cakes, slices), times(cups, cup_price)
    income = times(pieces, price)
    total = plus(income, drinks)
    cost = pick.number(10, 30)
    donated = minus(total, cost)
    return (
        [
            f"{a} and {b} raise money for the {cause}.",
            f"{a} bakes {cakes} cakes, cuts each of them into {slices} slices and sells every slice for ${price}.",
            f"{b} sells {cups} cups of lemonade for ${cup_price} each.",
            f"They spent ${cost} on ingredients and donate everything else. How many dollars is that?",
        ],
        [
            f"The cakes make {pieces} slices.",
            f"All the slices bring in {income:$}.",
            f"The lemonade brings in {drinks:$}.",
            f"That is {total:$} altogether.",
            f"After the ingredients are paid, {donated:$} go to the {cause}.",
        ],
        donated,
    )


def farm(pick: Pick) -> Story:
    who, price = pick.person(), pick.number(3, 6)
    hens, eggs, eaten, days = (pick.number(12, 40), pick.number(1, 2), pick.number(2, 8), 6 * pick.number(1, 4))
    grain = pick.one(("grain", "corn", "straw"))
    daily = times(hens, eggs)
    kept = minus(daily, eaten)
    all_eggs = times(kept, days)
    boxes = over(all_eggs, 6)
    income = times(boxes, price)
    spent = pick.number(2, min(40, income.value - 1))
    profit = minus(income, spent)
    return (
        [
            f"{who} keeps {hens} hens, and each of them lays {eggs} {'egg' if eggs == 1 else 'eggs'} a day.",
            f"The family eats {eaten} eggs every day; the others are packed in boxes of 6 and sold for ${price} a box.",
            f"How many dollars are left from selling the eggs of {days} days,",
            f"after {who.they} has paid ${spent} for {grain}?",
        ],
        [
            f"The hens lay {daily} eggs a day.",
            f"Of these, {kept} eggs are packed.",
            f"In {days} days that makes {all_eggs} eggs.",
            f"They fill {boxes} boxes.",
            f"The boxes bring in {income:$}.",
            f"After paying for {grain}, {profit:$} are left.",
        ],
        profit,
    )


def phone_plan(pick: Pick) -> Story:
    who, months = pick.person(), pick.number(3, 12)
    base, calls, rate = pick.number(8, 25), pick.number(4, 20), pick.number(2, 5)
    extra = times(calls, rate)
    monthly = plus(base, extra)
    total = times(monthly, months)
    return (
        [
            f"{who} pays ${base} a month for {who.their} phone, and calls to other countries cost ${rate} each.",
            f"{who.their.capitalize()} best friend is abroad, so {who.they} makes {calls} such calls every month",
            "and sends messages for free.",
            f"How much does {who} pay for the phone in {months} months?",
        ],
        [
            f"The calls to other countries cost {extra:$} in a month.",
            f"With the fixed price {who} pays {monthly:$} every month for the phone.",
            f"In {months} months {who.they} pays {total:$} altogether.",
        ],
        total,
    )


MONEY = (change, savings, bakery, garden, discount, overtime, party, excursion, fundraiser, farm, phone_plan)
