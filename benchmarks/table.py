"""The printed table."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. measured, reference: as printed; value: what is held against floor and aim, which it must reach
    (higher_is_better) or stay under; None where a row only informs."""

    what: str
    measured: str
    reference: str = ""
    value: float | None = None
    unit: str = "×"
    floor: float | None = None
    aim: float | None = None
    higher_is_better: bool = True

    def verdict(self) -> str:
        if self.value is None or self.floor is None:
            return ""

        def reaches(bound: float | None) -> bool:
            if bound is None or self.value is None:
                return False
            return self.value >= bound if self.higher_is_better else self.value <= bound

        return "aim" if reaches(self.aim) else "floor" if reaches(self.floor) else "BELOW"


@dataclass
class Table:
    rows: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        print(f"  … {row.what}: {row.measured}", flush=True)

    def render(self) -> str:
        header = ("what", "measured", "reference", "figure", "floor", "aim", "reached")
        lines = [header, *(_cells(row) for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
        rule = tuple("-" * width for width in widths)
        rows = [lines[0], rule, *lines[1:]]
        return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)) + " |" for r in rows)


def _cells(row: Row) -> tuple[str, ...]:
    def figure(value: float | None) -> str:
        return "" if value is None else f"{value:.3f} ×" if row.unit == "×" else f"{value:,.0f} {row.unit}"

    return (row.what, row.measured, row.reference, figure(row.value), figure(row.floor), figure(row.aim), row.verdict())
