"""The words on a receipt, per language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from chassis.localization import Language


@dataclass(frozen=True, slots=True)
class Labels:
    """`tax` names the contained tax and takes its rate; `page` takes the page and the number of pages."""

    receipt: str
    number: str
    date: str
    branch: str
    phone: str
    sold_by: str
    sold_to: str
    general_public: str
    item: str
    quantity: str
    unit_price: str
    amount: str
    subtotal: str
    discount: str
    total: str
    tax: str
    tax_included: str
    payment: str
    scan: str
    thanks: str
    not_fiscal: str
    page: str
    methods: Mapping[str, str]


_LABELS: Mapping[Language, Labels] = MappingProxyType(
    {
        Language.ES: Labels(
            receipt="Recibo de venta",
            number="Folio",
            date="Fecha",
            branch="Sucursal",
            phone="Tel.",
            sold_by="Emisor",
            sold_to="Cliente",
            general_public="Público en general",
            item="Descripción",
            quantity="Cant.",
            unit_price="Precio",
            amount="Importe",
            subtotal="Subtotal",
            discount="Descuento",
            total="Total",
            tax="IVA {rate} incluido",
            tax_included="Impuestos incluidos",
            payment="Forma de pago",
            scan="Escanea para ver tu recibo",
            thanks="¡Gracias por tu compra!",
            not_fiscal="Este recibo no es un comprobante fiscal.",
            page="Página {page} de {pages}",
            methods={
                "CASH": "Efectivo",
                "QR_STATIC": "Código QR",
                "QR_DYNAMIC": "Código QR",
                "PAYMENT_LINK": "Enlace de pago",
                "BANK_TRANSFER": "Transferencia bancaria",
            },
        ),
        Language.PT: Labels(
            receipt="Recibo de venda",
            number="Número",
            date="Data",
            branch="Filial",
            phone="Tel.",
            sold_by="Emitente",
            sold_to="Cliente",
            general_public="Consumidor final",
            item="Descrição",
            quantity="Qtd.",
            unit_price="Preço",
            amount="Valor",
            subtotal="Subtotal",
            discount="Desconto",
            total="Total",
            tax="IVA {rate} incluído",
            tax_included="Impostos incluídos",
            payment="Forma de pagamento",
            scan="Escaneie para ver seu recibo",
            thanks="Obrigado pela sua compra!",
            not_fiscal="Este recibo não é um documento fiscal.",
            page="Página {page} de {pages}",
            methods={
                "CASH": "Dinheiro",
                "QR_STATIC": "Código QR",
                "QR_DYNAMIC": "Código QR",
                "PAYMENT_LINK": "Link de pagamento",
                "BANK_TRANSFER": "Transferência bancária",
            },
        ),
        Language.EN: Labels(
            receipt="Sales receipt",
            number="Number",
            date="Date",
            branch="Branch",
            phone="Tel.",
            sold_by="Seller",
            sold_to="Customer",
            general_public="Walk-in customer",
            item="Description",
            quantity="Qty",
            unit_price="Price",
            amount="Amount",
            subtotal="Subtotal",
            discount="Discount",
            total="Total",
            tax="VAT {rate} included",
            tax_included="Taxes included",
            payment="Paid by",
            scan="Scan to see your receipt",
            thanks="Thank you for your purchase!",
            not_fiscal="This receipt is not a tax document.",
            page="Page {page} of {pages}",
            methods={
                "CASH": "Cash",
                "QR_STATIC": "QR code",
                "QR_DYNAMIC": "QR code",
                "PAYMENT_LINK": "Payment link",
                "BANK_TRANSFER": "Bank transfer",
            },
        ),
    }
)

# How each country calls the tax number it gives a business.
TAX_ID_NAMES: Mapping[str, str] = MappingProxyType({"MX": "RFC", "CO": "NIT", "AR": "CUIT", "CL": "RUT"})


def labels_of(language: Language) -> Labels:
    return _LABELS[language]
