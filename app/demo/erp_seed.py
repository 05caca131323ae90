"""Runs inside the ERP's own process: fills a new Tryton database, or issues its REST key.

``app/demo/erp_processes.py`` starts this as ``python -m app.demo.erp_seed seed|key DATABASE``, so that Tryton's global
pool, cache and configuration never live in a process of Lineside's.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any

from trytond.pool import Pool
from trytond.transaction import Transaction

from app.demo import catalogue

SERVICE_GROUPS = (
    ("stock", "group_stock"),
    ("production", "group_production"),
    ("purchase", "group_purchase"),
)
# Tryton's base units carry symbols of its own; the plants speak of EA, KG and G.
UNIT_SYMBOLS = (("uom_unit", "EA"), ("uom_kilogram", "KG"), ("uom_gram", "G"))

Records = dict[str, Any]


def _model(name: str) -> Any:
    return Pool().get(name)


def _by_xml_id(module: str, name: str) -> int:
    return int(_model("ir.model.data").get_id(module, name))


def _seed_company() -> Any:
    Currency = _model("currency.currency")
    euro = Currency(name="Euro", code="EUR", symbol="€", rounding=Decimal("0.01"), digits=2)
    euro.rates = [_model("currency.currency.rate")(date=_model("ir.date").today(), rate=Decimal(1))]
    euro.save()
    party = _model("party.party")(name=catalogue.COMPANY)
    party.save()
    company = _model("company.company")(party=party, currency=euro)
    company.save()
    return company


def _seed_locations() -> Records:
    """The plants' warehouses. The one that Tryton brings along would only be a place to post to by mistake."""
    Location = _model("stock.location")
    Location.write(Location.search([("type", "=", "warehouse")]), {"active": False})
    return {plant: _seed_plant(plant, name) for plant, name in catalogue.PLANTS.items()}


def _seed_plant(plant: str, name: str) -> Records:
    """One warehouse. Its storage is a view over the line side and the stock, so that what was staged at the line is
    consumed first: Tryton picks the children of a view in the order of their names."""
    Location = _model("stock.location")
    codes = catalogue.storage_codes(plant)

    def create(role: str, title: str, kind: str) -> Any:
        location = Location(name=f"{title} {plant}", code=codes[role], type=kind)
        location.save()
        return location

    made = {
        "input": create("input", "Goods in", "storage"),
        "output": create("output", "Goods out", "storage"),
        "work_in_process": create("work_in_process", "Line side", "storage"),
        "stock": create("stock", "Stock", "storage"),
        "production": create("production", "Production", "production"),
        "scrap": create("scrap", "Scrap", "lost_found"),
        "lost_found": create("lost_found", "Lost and found", "lost_found"),
        "view": Location(name=f"Storage {plant}", code=f"{plant}-STORE", type="view"),
    }
    made["view"].save()
    made["warehouse"] = _seed_warehouse(plant, name, made)
    _put_inside(made)
    return made


def _seed_warehouse(plant: str, name: str, made: Records) -> Any:
    warehouse = _model("stock.location")(
        name=name,
        code=plant,
        type="warehouse",
        input_location=made["input"],
        output_location=made["output"],
        storage_location=made["view"],
        lost_found_location=made["lost_found"],
        production_location=made["production"],
        waste_locations=[made["scrap"]],
    )
    warehouse.save()
    return warehouse


def _put_inside(made: Records) -> None:
    """Parents come last: a warehouse and its parts need each other, and Tryton accepts parts without a parent."""
    for role, parent in (("input", "warehouse"), ("output", "warehouse"), ("view", "warehouse")):
        made[role].parent = made[parent]
        made[role].save()
    for role in ("work_in_process", "stock"):
        made[role].parent = made["view"]
        made[role].save()
    made["warehouse"].production_output_location = made["stock"]
    made["warehouse"].save()


def _seed_units() -> Records:
    Uom = _model("product.uom")
    units = {}
    for xml_id, symbol in UNIT_SYMBOLS:
        unit = Uom(_by_xml_id("product", xml_id))
        unit.symbol = symbol
        if symbol == "KG":
            unit.digits, unit.rounding = 3, 0.001
        unit.save()
        units[symbol] = unit
    Uom.write(
        Uom.search([("category", "=", units["KG"].category), ("symbol", "not in", list(units))]), {"active": False}
    )
    return units


def _item_unit(item: catalogue.CatalogueItem, units: Records) -> Any:
    """Tryton shares a category's units among all its items, so an item with packs of its own gets its own category."""
    if not item.units:
        return units[item.base_uom]
    Uom = _model("product.uom")
    category = _model("product.uom.category")(name=f"Units of {item.code}")
    category.save()
    base = Uom(name=f"Each {item.code}", symbol=item.base_uom, category=category, digits=0, rounding=1.0)
    base.factor = base.rate = 1.0
    base.save()
    for symbol, factor in item.units.items():
        pack = Uom(name=f"{symbol.title()} {item.code}", symbol=symbol, category=category, digits=0, rounding=1.0)
        pack.factor = float(factor)
        pack.on_change_factor()
        pack.save()
    return base


def _seed_items(units: Records) -> Records:
    Template, Product = _model("product.template"), _model("product.product")
    made_items = {bill.item for bill in catalogue.BILLS_OF_MATERIALS}
    products = {}
    for item in catalogue.ITEMS:
        unit = _item_unit(item, units)
        template = Template(
            name=item.description,
            type="goods",
            default_uom=unit,
            list_price=item.unit_cost * 2,
            cost_price_method="fixed",
            producible=item.code in made_items,
            purchasable=item.purchased,
            purchase_uom=unit if item.purchased else None,
        )
        template.save()
        product = Product(template=template, suffix_code=item.code, cost_price=item.unit_cost)
        product.save()
        products[item.code] = product
    return products


def _seed_bills(products: Records) -> None:
    Bill, Input, Output = _model("production.bom"), _model("production.bom.input"), _model("production.bom.output")
    for bill in catalogue.BILLS_OF_MATERIALS:
        product = products[bill.item]
        record = Bill(name=bill.item, code=bill.item)
        record.inputs = [
            Input(product=products[code], quantity=float(quantity), unit=products[code].default_uom)
            for code, quantity in bill.components.items()
        ]
        record.outputs = [Output(product=product, quantity=1.0, unit=product.default_uom)]
        record.save()
        _model("product.product-production.bom")(product=product, bom=record).save()


def _seed_stock(products: Records, plants: Records) -> None:
    Inventory, Line, Lot = _model("stock.inventory"), _model("stock.inventory.line"), _model("stock.lot")
    lots: Records = {}
    for plant, made in plants.items():
        inventory = Inventory(location=made["stock"], empty_quantity="keep")
        inventory.save()
        lines = []
        for stock in (stock for stock in catalogue.OPENING_STOCK if stock.plant == plant):
            if stock.lot and stock.lot not in lots:
                lots[stock.lot] = Lot(number=stock.lot, product=products[stock.item])
                lots[stock.lot].save()
            line = Line(inventory=inventory, product=products[stock.item], quantity=float(stock.quantity))
            line.lot = lots[stock.lot] if stock.lot else None
            lines.append(line)
        Line.save(lines)
        Inventory.confirm([inventory])


def _seed_purchases(company: Any, products: Records, plants: Records) -> None:
    """Confirmed orders, invoiced by hand: no chart of accounts is needed, and receipts have something to receive."""
    Purchase, Line, Party = _model("purchase.purchase"), _model("purchase.line"), _model("party.party")
    supplier = Party(name=catalogue.SUPPLIER, addresses=[_model("party.address")()])
    supplier.save()
    costs = {item.code: item.unit_cost for item in catalogue.ITEMS}
    purchases = []
    for order in catalogue.PURCHASE_ORDERS:
        purchase = Purchase(number=order.id, company=company, party=supplier, currency=company.currency)
        purchase.invoice_address = supplier.addresses[0]
        purchase.invoice_method = "manual"
        purchase.warehouse = plants[order.plant]["warehouse"]
        purchase.purchase_date = _model("ir.date").today()
        purchase.lines = [
            Line(
                type="line",
                sequence=number,
                product=products[code],
                unit=products[code].purchase_uom,
                quantity=float(quantity),
                unit_price=costs[code],
            )
            for number, (code, quantity) in enumerate(order.lines, start=1)
        ]
        purchases.append(purchase)
    Purchase.save(purchases)
    Purchase.quote(purchases)
    Purchase.confirm(purchases)
    Purchase.process(purchases)


def _seed_service_user(company: Any) -> None:
    user = _model("res.user")(name="Lineside", login=catalogue.SERVICE_LOGIN, companies=[company], company=company)
    user.groups = [_by_xml_id(module, name) for module, name in SERVICE_GROUPS]
    user.save()


def seed() -> None:
    """Fill an empty database, everything in one transaction."""
    company = _seed_company()
    admin = _model("res.user")(Transaction().user)
    admin.write([admin], {"companies": [("add", [company.id])], "company": company})
    context = {"company": company.id, "companies": [company.id]}
    with Transaction().set_context(context):
        plants = _seed_locations()
        _say("plants")
        products = _seed_items(_seed_units())
        _say("items")
        _seed_bills(products)
        _say("bills of materials")
        _seed_stock(products, plants)
        _say("stock")
        _seed_purchases(company, products, plants)
        _say("purchase orders")
        _seed_service_user(company)
        _say("service user")


def _say(what: str) -> None:
    """One line for each part that is done, so that whoever waits sees it go on."""
    sys.stderr.write(f"{what}\n")
    sys.stderr.flush()


def issue_key() -> str:
    """A new REST key for the service user, and the same as password, so that one secret opens both of Tryton's
    interfaces; every earlier key of that user stops working."""
    Application, User = _model("res.user.application"), _model("res.user")
    (user,) = User.search([("login", "=", catalogue.SERVICE_LOGIN)])
    Application.cancel(Application.search([("user", "=", user.id), ("state", "!=", "cancelled")]))
    (made,) = Application.create([{"user": user.id, "application": "rest", "state": "validated"}])
    user.password = made.key
    user.save()
    return str(made.key)


def main(arguments: list[str]) -> int:
    action, database = arguments
    Pool.start()
    Pool(database).init()
    # Which number the administrator has depends on the kind of database.
    with Transaction().start(database, 0):
        (admin,) = _model("res.user").search([("login", "=", "admin")])
    with Transaction().start(database, admin.id):
        if action == "seed":
            seed()
        else:
            sys.stdout.write(issue_key())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
