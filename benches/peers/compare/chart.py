"""The picture: CPU time of a GET by proxy, readable on light and on dark paper."""

from html import escape

from proxies import COSTS

LEFT, RIGHT, TOP = 264, 70, 64
BAR, GAP, WIDTH = 13, 14, 820
SIZES = {"1k": ("1 KiB", "small"), "64k": ("64 KiB", "large")}
# Whether the paper is dark is the page's matter, which a picture cannot ask: these are legible on both.
STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #737c86 }
  .title { font-size: 15px; font-weight: 600 }
  .ours { font-weight: 600 }
  .value { font-size: 11px }
  .line { stroke: #8c959f; stroke-opacity: .35 }
  .small { fill: #2f81f7 }
  .large { fill: #d08218 }
  .peer { fill-opacity: .6 }"""


def svg(summary):
    costs = {name: summary["costs"][name] for name in COSTS if name in summary["costs"]}
    most = max((row[size]["cpu_us"] for row in costs.values() for size in SIZES), default=1.0)
    step = next(step for step in (5, 10, 20, 25, 50, 100, 200, 500, 1_000) if most / step <= 8 or step == 1_000)
    scale = (WIDTH - LEFT - RIGHT) / most
    row_height = 2 * BAR + GAP
    height = TOP + row_height * len(costs) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-label="CPU time of a proxied GET by proxy">',
        f"<style>{STYLE}\n</style>",
        '<text class="title" x="8" y="22">CPU time of a proxied GET, µs (less is better)</text>',
    ]
    for number, (text, colour) in enumerate(SIZES.values()):
        x = LEFT + 90 * number
        parts.append(f'<rect class="{colour}" x="{x}" y="36" width="12" height="12" rx="2"/>')
        parts.append(f'<text x="{x + 18}" y="47">{text}</text>')
    for value in range(0, int(most) + 1, step):
        x = LEFT + value * scale
        parts.append(f'<line class="line" x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{height - 24}"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle">{value}</text>')
    for number, (name, row) in enumerate(costs.items()):
        parts += bars(name, row, TOP + number * row_height, scale)
    return "\n".join([*parts, "</svg>"]) + "\n"


def bars(name, row, top, scale):
    ours = name in ("backhaul", "backhaul_served")
    text = escape(COSTS[name][0].replace("**", "").replace("`", ""))
    yield (
        f'<text class="{"ours" if ours else ""}" x="{LEFT - 10}" y="{top + BAR + 4}" '
        f'text-anchor="end">{text}</text>'
    )
    for number, (size, (_, colour)) in enumerate(SIZES.items()):
        value, y = row[size]["cpu_us"], top + number * BAR
        width = max(value * scale, 1)
        yield (
            f'<rect class="{colour}{"" if ours else " peer"}" x="{LEFT}" y="{y}" width="{width:.1f}" '
            f'height="{BAR - 1}" rx="2"/>'
        )
        yield f'<text class="value" x="{LEFT + width + 6:.1f}" y="{y + BAR - 2}">{value:.1f}</text>'
