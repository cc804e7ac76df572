"""Tables as CSV for the paper, as LaTeX to paste elsewhere, and as HTML for the report."""

import html
from pathlib import Path

import pandas as pd

from jouleproof.drawing.style import save_caption
from jouleproof.files import write_text

LATEX = str.maketrans(
    {sign: f"\\{sign}" for sign in "&%_#${}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)
HTML_HEAD = (
    "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title><style>"
    "body{{font:14px/1.45 sans-serif;margin:1.5em;color:#222}}table{{border-collapse:collapse}}"
    "th,td{{padding:.3em .9em;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}}"
    "th{{border-bottom:2px solid #444}}p{{color:#555;max-width:50em}}</style></head><body>"
)


def save(table: pd.DataFrame, stem: Path, title: str, caption: str, note: str) -> None:
    """Write <stem>.csv, .tex and .html, and the caption as .rst. table: cells of text. note: tier and stand-ins, shown
    below."""
    texts = {
        "csv": table.to_csv(index=False),
        "tex": latex(table, caption, note),
        "html": page(table, title, caption, note),
    }
    for suffix, text in texts.items():
        write_text(stem.with_name(f"{stem.name}.{suffix}"), text)
    save_caption(stem, caption)


def latex(table: pd.DataFrame, caption: str, note: str) -> str:
    rows = [list(table.columns), *table.to_numpy().tolist()]
    lines = [" & ".join(str(cell).translate(LATEX) for cell in row) + r" \\" for row in rows]
    body = [lines[0], r"\midrule", *lines[1:]]
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{caption.translate(LATEX)} ({note.translate(LATEX)})}}",
            rf"\begin{{tabular}}{{{'l' * len(table.columns)}}}",
            r"\toprule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def page(table: pd.DataFrame, title: str, caption: str, note: str) -> str:
    def row(cells: list[object], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

    body = "\n".join(row(cells, "td") for cells in table.to_numpy().tolist())
    return (
        HTML_HEAD.format(title=html.escape(title))
        + f"\n<h1>{html.escape(title)}</h1>\n<p>{html.escape(caption)}</p>\n<table>\n"
        + f"<thead>{row(list(table.columns), 'th')}</thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"
        + f"<p>{html.escape(note)}</p>\n</body></html>\n"
    )
