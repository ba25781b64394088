# SPDX-License-Identifier: GPL-2.0-or-later
"""The plot: throughput and server CPU of each tunnel, up and down, as SVG."""
from xml.sax.saxutils import escape

PANELS = [("tcp1-up", "throughput", 1e-9, "one TCP flow up, Gbit/s (more is better)"),
          ("tcp1-down", "throughput", 1e-9, "one TCP flow down, Gbit/s (more is better)"),
          ("tcp1-up", "server_cpu_s_per_gb", 1, "server CPU up, s/GB (less is better)"),
          ("tcp1-down", "server_cpu_s_per_gb", 1, "server CPU down, s/GB (less is better)"),
          ("udp200-up", "throughput", 1e-3, "200-byte UDP up, 1000 packets/s"),
          ("udp200-down", "throughput", 1e-3, "200-byte UDP down, 1000 packets/s")]
LABEL, BAR, VALUE, ROW, TITLE, GAP = 190, 330, 70, 18, 26, 22
WIDTH = 2 * (LABEL + BAR + VALUE) + GAP
COLOURS = (("adit", "#1f6feb"), ("floor", "#b0b7c0"), ("", "#8a6d3b"))


def colour(name):
    return next(c for start, c in COLOURS if name.startswith(start))


def panel(x, y, title, bars):
    """Bars of (name, value, low, high), longest value to full width."""
    top = max(high for _, _, _, high in bars)
    out = [f'<text x="{x}" y="{y + 14}" font-weight="bold">{escape(title)}</text>']
    for i, (name, value, low, high) in enumerate(bars):
        line = y + TITLE + i * ROW
        start, middle = x + LABEL, line + ROW / 2
        out.append(f'<text x="{start - 6}" y="{line + 13}" text-anchor="end">'
                   f'{escape(name)}</text>')
        out.append(f'<rect x="{start}" y="{line + 2}" width="{BAR * value / top:.1f}" '
                   f'height="{ROW - 5}" fill="{colour(name)}"/>')
        out.append(f'<path d="M{start + BAR * low / top:.1f} {middle}H'
                   f'{start + BAR * high / top:.1f}" stroke="#222"/>')
        out.append(f'<text x="{start + BAR * high / top + 5:.1f}" y="{line + 13}">'
                   f'{value:.3g}</text>')
    return out


def draw(summaries, names, caption):
    """The whole picture as text."""
    panels = []
    for case, key, scale, title in PANELS:
        bars = []
        for name in names:
            s = summaries.get((case, name), {})
            if key in s:
                low, high = s[key + "_spread"]
                bars.append((name, s[key] * scale, low * scale, high * scale))
        if bars:
            panels.append((title, bars))
    out, y = [], 8
    for pair in range(0, len(panels), 2):
        both = panels[pair:pair + 2]
        for side, (title, bars) in enumerate(both):
            out += panel(10 + side * (LABEL + BAR + VALUE + GAP), y, title, bars)
        y += TITLE + GAP + ROW * max(len(bars) for _, bars in both)
    out.append(f'<text x="10" y="{y + 6}" fill="#555">{escape(caption)}</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH + 20}" '
            f'height="{y + 20}" font-family="sans-serif" font-size="12">\n'
            '<rect width="100%" height="100%" fill="#fff"/>\n'
            + "\n".join(out) + "\n</svg>\n")
