# SPDX-License-Identifier: Apache-2.0
"""The shared data as documents: one file of Extended JSON lines per collection, SET.COLLECTION.jsonl."""
import csv
import json
import os

AIRPORTS = "_id name city country iata icao latitude longitude altitude utc dst zone type source".split()
AIRLINES = "_id name alias iata icao callsign country active".split()
ROUTES = "airline airlineId source sourceId destination destinationId codeshare stops equipment".split()


def number(text):
    """An int or a float if the text is the number's own, else the text."""
    for kind in (int, float):
        try:
            if repr(kind(text)) == text:
                return kind(text)
        except ValueError:
            pass
    return text


def plain(row, **first):
    """A row as a document: what is empty, NA or \\N is left out."""
    rest = {name: number(text) for name, text in row.items() if text not in ("", "NA", "\\N")}
    return {**first, **rest}


def read(path, names=None):
    with open(path, encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file, fieldnames=names)


def date(text):
    return {"$date": text.replace(" ", "T") + "Z"}


def sales(rows):
    """One document per invoice, as `liana demo retail` makes them; invoice i is of till i mod 3 + 1."""
    invoices = {}
    for row in rows:
        number_of = row["InvoiceNo"]
        sale = invoices.setdefault(number_of, {
            "_id": number_of, "date": date(row["InvoiceDate"]), "country": row["Country"],
            "till": len(invoices) % 3 + 1, "cancelled": number_of.startswith("C"), "lines": []})
        if row["CustomerID"] and "customerId" not in sale:
            sale["customerId"] = int(float(row["CustomerID"]))
        line = {"line": len(sale["lines"]) + 1, "stockCode": row["StockCode"]}
        if row["Description"]:
            line["description"] = row["Description"]
        line["quantity"] = int(row["Quantity"])
        line["unitPrice"] = {"$numberDecimal": row["UnitPrice"]}
        sale["lines"].append(line)
    return invoices.values()


def stock(rows):
    codes = {}
    for row in rows:
        item = codes.setdefault(row["StockCode"], {"_id": row["StockCode"]})
        if row["Description"]:
            item.setdefault("description", row["Description"])
    return ({**item, "onHand": {"$numberLong": "1000000"}} for item in codes.values())


def flights(rows):
    for row in rows:
        yield plain(row, _id="{year}-{month}-{day}-{carrier}-{flight}".format(**row))


def collections(shared):
    """(name of the file, documents) of every collection."""
    retail = list(read(os.path.join(shared, "retail", "online-retail-2010-12-01_08.csv")))
    yield "retail.stock", stock(retail)
    yield "retail.sales", sales(retail)
    factory = read(os.path.join(shared, "factory", "ai4i2020.csv"))
    yield "factory.readings", (plain(row, _id=int(row["UDI"])) for row in factory)
    aviation = os.path.join(shared, "aviation")
    yield "aviation.airports", map(plain, read(os.path.join(aviation, "airports.dat"), AIRPORTS))
    yield "aviation.airlines", map(plain, read(os.path.join(aviation, "airlines.dat"), AIRLINES))
    yield "aviation.routes", (plain(row, _id="{airline}-{source}-{destination}".format(**row))
                              for row in read(os.path.join(aviation, "routes.dat"), ROUTES))
    yield "aviation.flights", flights(read(os.path.join(aviation, "flights-nyc-2013-01-01_23.csv")))


def prepare(shared, folder):
    """Writes the files; false when there is no shared data."""
    if not os.path.isdir(os.path.join(shared, "retail")):
        return False
    os.makedirs(folder, exist_ok=True)
    for name, documents in collections(shared):
        with open(os.path.join(folder, name + ".jsonl"), "w", encoding="utf-8") as file:
            for document in documents:
                file.write(json.dumps(document, ensure_ascii=False) + "\n")
    return True
