#!/usr/bin/env python3
"""Draws the pictures of the catalogue: one flat illustration per row of ../products.csv.

How to run (Python 3.9+ and Pillow; nothing else):

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install pillow
    /tmp/venv/bin/python knowledge/shop/pictures/draw.py            # all pictures
    /tmp/venv/bin/python knowledge/shop/pictures/draw.py YR-C101    # only these articles
    /tmp/venv/bin/python knowledge/shop/pictures/draw.py --sheet /tmp/sheet   # and contact sheets

Each picture is ID.png beside this script: 240x240, a palette of at most 32 colours, at most
4 KB. The shape follows 类目 and words of 名称 (see `pick`), the colour is the first of 颜色. There is
no randomness: the same catalogue gives the same pixels.
"""

import csv
import math
import pathlib
import sys
import zlib

from PIL import Image, ImageDraw

HERE = pathlib.Path(__file__).resolve().parent
K = 4  # supersampling

COLOURS = {
    "白色": "F7F7F5", "米白": "F1EADB", "奶白": "F7F1E6", "珍珠白": "F4F0EA", "燕麦": "DCCDB4",
    "驼色": "BF9468", "卡其": "C2AA7E", "焦糖": "B56F3A", "奶茶色": "CBAC8F", "咖色": "7B5A43",
    "深棕": "5E3F2D", "原木色": "D9B48A", "胡桃色": "7A5539", "香槟金": "DDC39A", "黑色": "34353A",
    "炭黑": "45474C", "深灰": "6A6E75", "浅灰": "C6CACE", "麻灰": "A9ADB2", "银灰": "B9C0C7",
    "雾灰": "AEB4B6", "藏青": "2B3A5E", "宝蓝": "2F5BB7", "深蓝": "33507F", "牛仔蓝": "5C83B3",
    "雾霾蓝": "87A2B8", "天蓝": "8CC3EA", "浅蓝": "B9D7EC", "湖蓝": "3FA6B5", "薄荷绿": "A9DCC6",
    "豆绿": "A3BE8C", "军绿": "6B7350", "墨绿": "2F5B4B", "酒红": "7E2B3B", "大红": "CE3238",
    "铁锈红": "A4492F", "豆沙粉": "C98F8B", "樱花粉": "F3C1CB", "藕粉": "E3BDB6", "裸粉": "EBCBB9",
    "灰粉": "D3AFB0", "香芋紫": "BBA4D0", "丁香紫": "A893C4", "姜黄": "D9A233", "鹅黄": "F5DE8C",
    "柠檬黄": "F3DA45", "荧光黄": "D8EC3F", "橘色": "EE8336", "珊瑚橙": "F4845F", "透明": "DCEAF0",
    "酒红格": "7E2B3B", "墨绿格": "2F5B4B", "黑白格": "E9E9E7", "蓝白条纹": "F6F7F8",
    "黑白条纹": "F6F6F5", "红白条纹": "F8F5F4",
}
STRIPES = {"蓝白条纹": "3E64A8", "黑白条纹": "3A3A3E", "红白条纹": "C4393F"}
BACKGROUNDS = ["E4EDF3", "F3E6E0", "E6F0E6", "EEE8F3", "F5EEDD", "E1EFEE", "F4E4EA", "E8EAF0"]


def rgb(code):
    return tuple(int(code[i:i + 2], 16) for i in (0, 2, 4))


def mix(a, b, share):
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b))


def light(colour):
    return (colour[0] * 299 + colour[1] * 587 + colour[2] * 114) / 1000


class Pen:
    """Draws in a 240x240 space; every closed shape gets a thin outline of its own darker shade."""

    def __init__(self, background):
        self.image = Image.new("RGB", (240 * K, 240 * K), background)
        self.draw = ImageDraw.Draw(self.image)
        self.back = background

    @staticmethod
    def rounded(points, r):
        out = []
        n = len(points)
        for i in range(n):
            p, c, q = points[i - 1], points[i], points[(i + 1) % n]
            radius = c[2] if len(c) > 2 else r
            a, b = math.dist(p[:2], c[:2]), math.dist(c[:2], q[:2])
            if radius <= 0 or a == 0 or b == 0:
                out.append(c[:2])
                continue
            s, t = min(radius / a, 0.5), min(radius / b, 0.5)
            ax, ay = c[0] + (p[0] - c[0]) * s, c[1] + (p[1] - c[1]) * s
            bx, by = c[0] + (q[0] - c[0]) * t, c[1] + (q[1] - c[1]) * t
            for k in range(9):
                u = k / 8
                out.append(((1 - u) ** 2 * ax + 2 * u * (1 - u) * c[0] + u * u * bx,
                            (1 - u) ** 2 * ay + 2 * u * (1 - u) * c[1] + u * u * by))
        return out

    def line(self, points, fill, width=2.0, r=0):
        if r:
            first, last = points[0], points[-1]
            points = self.rounded([(*first[:2], 0), *points[1:-1], (*last[:2], 0)], r)
        scaled = [(x * K, y * K) for x, y in points]
        self.draw.line(scaled, fill=fill, width=max(1, round(width * K)), joint="curve")
        half = width * K / 2
        for x, y in (scaled[0], scaled[-1]):
            self.draw.ellipse([x - half, y - half, x + half, y + half], fill=fill)

    def poly(self, points, fill, r=5, edge=None, width=1.8):
        shape = self.rounded(points, r)
        self.draw.polygon([(x * K, y * K) for x, y in shape], fill=fill)
        if edge is not False:
            edge = edge or edge_of(fill)
            self.line([*shape, shape[0], shape[1]], edge, width)

    def mirror(self, left, fill, r=5, edge=None):
        """A shape symmetric about x=120: `left` runs down its left half."""
        self.poly(left + [(240 - p[0], *p[1:]) for p in reversed(left)], fill, r, edge)

    def both(self, points, fill, r=5, edge=None):
        """The shape and its mirror image."""
        self.poly(points, fill, r, edge)
        self.poly([(240 - p[0], *p[1:]) for p in points], fill, r, edge)

    def band(self, points, fill, width, r=0):
        """A strap: a thick line with an outline."""
        self.line(points, edge_of(fill), width + 3, r)
        self.line(points, fill, width, r)

    def lines2(self, points, fill, width=2.0, r=0):
        self.line(points, fill, width, r)
        self.line([(240 - p[0], *p[1:]) for p in points], fill, width, r)

    def ell(self, x, y, rx, ry, fill, edge=None, width=1.8):
        box = [(x - rx) * K, (y - ry) * K, (x + rx) * K, (y + ry) * K]
        if edge is False:
            self.draw.ellipse(box, fill=fill)
        else:
            self.draw.ellipse(box, fill=fill, outline=edge or edge_of(fill), width=round(width * K))

    def rect(self, x0, y0, x1, y1, fill, r=6, edge=None):
        self.poly([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], fill, r, edge)

    def inside(self, outline, r, paint):
        """What `paint(pen)` draws, kept only inside the outline (for stripes and checks)."""
        mask = Image.new("L", self.image.size, 0)
        shape = self.rounded(outline, r)
        ImageDraw.Draw(mask).polygon([(x * K, y * K) for x, y in shape], fill=255)
        over = Pen(self.back)
        over.image.paste(self.image)
        paint(over)
        self.image.paste(over.image, mask=mask)
        self.draw = ImageDraw.Draw(self.image)


def edge_of(fill):
    return mix(fill, (40, 40, 50), 0.34) if light(fill) > 70 else mix(fill, (255, 255, 255), 0.24)


class Look:
    """The colours of one article."""

    def __init__(self, name):
        self.name = name
        self.c = rgb(COLOURS[name])
        self.d = mix(self.c, (30, 30, 45), 0.16) if light(self.c) > 70 else mix(self.c, (255, 255, 255), 0.13)
        self.l = mix(self.c, (255, 255, 255), 0.32)
        self.e = edge_of(self.c)
        self.w = (250, 249, 246)
        self.m = (204, 176, 116)  # brass
        self.s = (176, 183, 190)  # steel


def m(points):
    return points + [(240 - p[0], *p[1:]) for p in reversed(points)]


def pattern(p, o, shapes):
    """Stripes or checks of the colour over the given outlines."""
    if o.name in STRIPES:
        ink = rgb(STRIPES[o.name])

        def paint(q):
            for y in range(40, 220, 14):
                q.line([(0, y), (240, y)], ink, 4.5)
    elif o.name.endswith("格"):
        ink = (60, 60, 66) if o.name[0] == "黑" else mix(o.c, (255, 255, 255), 0.42)
        thin = (150, 150, 154) if o.name[0] == "黑" else (214, 190, 150)

        def paint(q):
            for v in range(24, 240, 32):
                q.line([(0, v), (240, v)], ink, 4)
                q.line([(v, 0), (v, 240)], ink, 4)
                q.line([(0, v + 16), (240, v + 16)], thin, 1.5)
                q.line([(v + 16, 0), (v + 16, 240)], thin, 1.5)
    else:
        return
    for s in shapes:
        p.inside(s, 5, paint)
        p.line([*p.rounded(s, 5), p.rounded(s, 5)[0]], o.e, 1.8)


# ---- tops -------------------------------------------------------------------------------------

def torso(top=52, bottom=196, half=46, shoulder=50, waist=0):
    return [(101, top), (120 - shoulder, top + 10), (120 - half, 104), (120 - half + waist, 145, 20),
            (120 - half, bottom)]


def sleeve(kind, drop=0, wide=0):
    if kind == "short":
        return [(76, 58 + drop), (40 - wide, 92), (60, 112), (82, 94)]
    if kind == "half":
        return [(76, 58 + drop), (32 - wide, 122), (56, 134), (82, 98)]
    return [(77, 58 + drop, 12), (52 - wide, 92, 16), (32 - wide, 176), (57 - wide / 2, 184), (82, 108)]


def top(p, o, sleeves="long", bottom=196, half=46, waist=0, cuff=False, hem=False, wide=0):
    body = m(torso(bottom=bottom, half=half, waist=waist))
    arms = []
    if sleeves != "none":
        s = sleeve(sleeves, wide=wide)
        arms = [s, [(240 - x[0], *x[1:]) for x in s]]
        for a in arms:
            p.poly(a, o.c)
    p.poly(body, o.c)
    pattern(p, o, [*arms, body])
    if cuff and sleeves == "long":
        p.both([(33 - wide, 168), (30 - wide, 182), (57 - wide / 2, 190), (61 - wide / 2, 175)], o.d, 3)
    if hem:
        p.rect(120 - half, bottom - 13, 120 + half, bottom, o.d, 3)
        for x in range(120 - half + 8, 120 + half, 8):
            p.line([(x, bottom - 10), (x, bottom - 3)], o.e, 0.8)


def round_neck(p, o, depth=14, band=True):
    p.poly([(101, 51), (139, 51), (134, 51 + depth, 12), (120, 54 + depth, 12), (106, 51 + depth, 12)], mix(o.d, (0, 0, 0), 0.18), 3)
    if band:
        p.line([(101, 51), (105, 53 + depth), (120, 57 + depth), (135, 53 + depth), (139, 51)], o.d, 4.5, 10)
        p.line([(98, 53), (102, 56 + depth), (120, 61 + depth), (138, 56 + depth), (142, 53)], o.e, 1.2, 10)


def shirt_collar(p, o, fill=None):
    fill = fill or o.l
    p.poly([(103, 50), (137, 50), (120, 72)], mix(o.d, (0, 0, 0), 0.18), 2)
    p.both([(102, 46), (120, 68), (108, 82), (94, 58)], fill, 2)


def buttons(p, o, x=120, ys=(88, 106, 124, 142, 160, 178)):
    for y in ys:
        p.ell(x, y, 2.3, 2.3, o.w if light(o.c) < 150 else mix(o.e, (90, 80, 80), 0.3), False)


def shirt(p, o, f):
    long = "长衬衫" in f
    top(p, o, "short" if "短袖" in f else "long", bottom=210 if long else 194, half=44, waist=8 if "收腰" in f or long else 0)
    p.line([(116, 74), (116, 207 if long else 192)], o.e, 1.2)
    p.line([(124, 74), (124, 207 if long else 192)], o.e, 1.2)
    if "立领" in f:
        p.poly([(104, 44), (136, 44), (139, 56), (120, 66), (101, 56)], o.l, 3)
        p.line([(120, 46), (120, 64)], o.e, 1.2)
    elif "飘带" in f:
        shirt_collar(p, o)
        p.both([(120, 76), (96, 64), (94, 90)], o.l, 6)
        p.both([(119, 78), (104, 124), (116, 122)], o.l, 3)
        p.ell(120, 77, 5, 5, o.l)
    else:
        shirt_collar(p, o)
    buttons(p, o)
    if long:
        p.rect(82, 138, 158, 147, o.d, 2)
    elif "飘带" not in f:
        p.poly([(134, 96), (154, 96), (154, 114), (144, 120), (134, 114)], o.c if not o.name.endswith("格") else o.l, 2)
    if "小熊" in f:
        bear(p, 144, 106, 5)
    if "short" not in f and "短袖" not in f:
        p.both([(34, 168), (31, 180), (57, 188), (60, 176)], o.l, 2)


def bear(p, x, y, r, brown=(160, 112, 76)):
    p.ell(x - r * .8, y - r * .8, r * .45, r * .45, brown, False)
    p.ell(x + r * .8, y - r * .8, r * .45, r * .45, brown, False)
    p.ell(x, y, r * 1.1, r, brown, False)
    p.ell(x, y + r * .35, r * .5, r * .38, (235, 210, 180), False)


def tee(p, o, f):
    if "背心" in f:
        p.poly(m([(98, 46), (90, 46), (88, 76, 14), (74, 104), (76, 196)]), o.c)
        p.line([(98, 46), (102, 82), (120, 88), (138, 82), (142, 46)], o.e, 2, 16)
        p.poly([(99, 45), (141, 45), (137, 80, 14), (120, 86, 10), (103, 80, 14)], p.back, 3, o.e)
        p.lines2([(78, 120), (84, 190)], o.l, 3)
        return
    long = "长袖" in f or "打底" in f
    top(p, o, "long" if long else "short", bottom=164 if "短款" in f else 194, half=42 if "短款" in f or long else 48)
    if "打底" in f:
        p.rect(103, 38, 137, 60, o.l, 4)
        for x in range(107, 136, 5):
            p.line([(x, 42), (x, 56)], o.e, 0.8)
        return
    round_neck(p, o)
    if "山海" in f:
        p.ell(138, 112, 9, 9, (220, 120, 84), False)
        p.poly([(88, 150), (106, 120), (118, 138), (132, 112), (154, 150)], (150, 180, 178), 3, False)
        p.line([(88, 156), (104, 152), (120, 157), (136, 152), (152, 156)], (214, 222, 222), 3, 6)
    elif "速干" in f:
        p.both([(76, 60), (72, 104), (79, 190), (88, 190), (84, 110)], o.l, 4, False)
        p.line([(132, 96), (146, 96)], o.w, 2.5)
    elif "冰丝" in f:
        p.line([(88, 150), (100, 144), (112, 150), (124, 144), (136, 150), (150, 144)], o.l, 2.5, 5)
        p.line([(88, 160), (100, 154), (112, 160), (124, 154), (136, 160), (150, 154)], o.l, 2.5, 5)


def polo(p, o, f):
    top(p, o, "short", half=46)
    trim = o.w if light(o.c) < 150 or "撞色" in f else o.l
    if "撞色" in f:
        trim = (70, 92, 120)
    p.rect(113, 66, 127, 110, o.l, 2)
    shirt_collar(p, o, trim)
    buttons(p, o, ys=(82, 94, 105))
    p.both([(36, 94), (42, 88), (66, 108), (60, 116)], trim, 2)


def sweatshirt(p, o, f):
    top(p, o, "long", bottom=170 if "短款" in f else 194, half=48, cuff=True, hem=True, wide=4)
    low = 170 if "短款" in f else 194
    if "圆领" in f or "字母" in f or "云朵" in f:
        round_neck(p, o)
        p.poly([(114, 72), (126, 72), (120, 82)], o.d, 2)
    else:
        p.poly([(92, 56, 10), (98, 32, 22), (142, 32, 22), (148, 56, 10), (132, 80, 14), (108, 80, 14)], o.d, 12)
        p.poly([(103, 54, 8), (107, 42, 12), (133, 42, 12), (137, 54, 8), (120, 76, 10)], mix(o.d, (0, 0, 0), 0.25), 10)
        p.lines2([(112, 76), (110, 108)], o.w, 2.6)
        p.ell(110, 110, 2.4, 3.4, o.w, False)
        p.ell(130, 110, 2.4, 3.4, o.w, False)
        if "拉链" in f:
            p.line([(120, 78), (120, low - 2)], o.s, 3)
            p.both([(84, 138), (104, 132), (108, 166), (80, 170)], o.d, 4)
        else:
            p.poly([(92, 126), (148, 126), (160, 164), (80, 164)] if low > 180 else
                   [(94, 116), (146, 116), (156, 148), (84, 148)], o.d, 5)
    if "字母" in f:
        for x, pts in ((98, [(0, 0), (6, 12), (12, 0)]), (98, [(6, 12), (6, 24)]), (116, [(0, 24), (0, 0), (11, 0)]),
                       (116, [(0, 12), (9, 12)]), (133, [(0, 0), (0, 24), (11, 24)])):
            p.line([(x + a, 100 + b) for a, b in pts], (240, 224, 188), 4.5)
    if "云朵" in f:
        cloud(p, 120, 122, 1.0)


def cloud(p, x, y, k):
    for dx, dy, r in ((-16, 4, 11), (0, -5, 15), (17, 4, 11)):
        p.ell(x + dx * k, y + dy * k, r * k, r * k, (255, 255, 255), False)
    p.rect(x - 22 * k, y + 3 * k, x + 24 * k, y + 15 * k, (255, 255, 255), 6, False)
    for dx in (-12, 0, 12):
        p.line([(x + dx * k, y + 21 * k), (x + dx * k - 2, y + 28 * k)], (110, 160, 210), 2.6)


def sweater(p, o, f):
    top(p, o, "long", bottom=172 if "短款" in f or "软糯" in f else 192, half=47, cuff=True, hem=True, wide=5)
    low = 176 if not ("短款" in f or "软糯" in f) else 156
    if "麻花" in f:
        for x in (98, 120, 142):
            for y in range(74, low - 8, 14):
                p.line([(x - 5, y), (x + 5, y + 12)], o.e, 2.2)
                p.line([(x + 5, y), (x - 5, y + 12)], o.d, 2.2)
    elif "圣诞" in f:
        for x in range(80, 166, 17):
            for a in range(3):
                dx, dy = 5.5 * math.cos(a * math.pi / 3), 5.5 * math.sin(a * math.pi / 3)
                p.line([(x - dx, 118 - dy), (x + dx, 118 + dy)], o.w, 1.8)
            p.poly([(x - 6, 152), (x, 137), (x + 6, 152)], (52, 110, 84), 1, False)
        for y in (104, 131, 158):
            p.line([(76, y), (164, y)], o.w, 2.2)
    elif "冰麻" not in f:
        for y in range(84, low, 11):
            for x in range(82, 160, 13):
                p.line([(x, y), (x + 3, y + 4), (x + 6, y)], o.d, 1.5)
    if "高领" in f:
        p.rect(99, 34, 141, 60, o.d, 8)
        p.line([(101, 47), (139, 47)], o.e, 1.4)
    elif "拉链" in f:
        p.rect(101, 38, 139, 58, o.d, 5)
        p.line([(120, 40), (120, 104)], o.s, 3.2)
        p.rect(117.5, 102, 122.5, 112, o.s, 2)
    else:
        round_neck(p, o)


def knit(p, o, f):
    if "马甲" in f:
        p.poly(m([(98, 46), (82, 48), (84, 84, 16), (74, 108), (76, 194)]), o.c)
        p.poly([(98, 45), (142, 45), (120, 104)], o.w, 2, o.e)
        p.lines2([(98, 45), (120, 104)], mix(o.l, (255, 255, 255), .3), 4)
        for y in (116, 150):
            for x in (92, 120, 148):
                p.poly([(x, y - 8), (x + 11, y + 8), (x, y + 24), (x - 11, y + 8)], o.l if light(o.c) < 170 else o.d, 1, False)
        p.rect(76, 184, 164, 196, o.d, 3)
        return
    if "冰麻" in f:
        top(p, o, "short", half=47, hem=True)
        for y in range(84, 180, 10):
            p.line([(78, y), (162, y)], o.d, 1.6)
        return round_neck(p, o)
    if "羊绒" in f:
        return sweater(p, o, f)
    top(p, o, "long", half=45, cuff=True, hem=True)
    p.poly([(100, 49), (140, 49), (120, 112)], mix(o.d, (0, 0, 0), .22), 2)
    p.lines2([(99, 50), (120, 112)], o.d, 6)
    p.line([(120, 112), (120, 194)], o.d, 9)
    buttons(p, o, ys=(118, 136, 154, 172, 188))
    p.both([(84, 150), (106, 150), (106, 172), (84, 172)], o.d, 3)


def blazer(p, o, f):
    suit = "两件套" in f
    if suit:
        p.both([(72, 148), (118, 148), (118, 222), (88, 222)], o.d, 3)
    top(p, o, "long", bottom=176 if suit else 198, half=47, waist=7)
    men = "男士" in f
    p.poly([(101, 49), (139, 49), (120, 122)], o.w, 2, o.e)
    if men:
        p.poly([(116, 60), (124, 60), (126, 68), (122, 112), (118, 112), (114, 68)], (140, 46, 58) if light(o.c) < 100 else (60, 70, 100), 2)
    p.both([(101, 47), (87, 66), (96, 76), (88, 82), (120, 128), (120, 118), (108, 80)], o.l if light(o.c) > 70 else o.d, 2)
    p.line([(120, 126), (120, 174 if suit else 196)], o.e, 1.8)
    buttons(p, o, ys=(136, 154) if men else (138,))
    p.both([(80, 152), (106, 152), (106, 161), (80, 161)], o.d, 2)
    p.poly([(132, 98), (150, 95), (150, 100), (132, 103)], o.w if men else o.d, 1)


def coat(p, o, f):
    short = "短款" in f
    low = 176 if short else 214
    trench = "风衣" in f
    if "羊羔绒" in f:
        top(p, o, "long", bottom=176, half=50, wide=8)
        for y in range(66, 172, 11):
            for x in range(78 + (y % 2) * 6, 164, 12):
                p.line([(x, y), (x + 4, y - 3), (x + 6, y + 1)], o.d, 1.8, 3)
        p.both([(103, 44), (86, 60), (98, 88), (120, 96), (120, 78)], o.l, 8)
        p.line([(120, 94), (120, 174)], o.e, 2)
        for y in (112, 134, 156):
            p.ell(128, y, 4.5, 4.5, (120, 82, 56))
        return
    body = m([(101, 50), (72, 60), (75, 110), (79, 138, 14), (68, low)])
    s = sleeve("long", wide=4)
    p.both(s, o.c)
    p.poly(body, o.c)
    pattern(p, o, [body])
    p.line([(120 if not trench else 112, 96), (120 if not trench else 112, low - 2)], o.e, 1.8)
    if "牛角扣" in f:
        p.poly([(88, 58, 12), (97, 34, 20), (143, 34, 20), (152, 58, 12), (120, 82, 10)], o.d, 12)
        p.poly([(104, 54), (110, 42), (130, 42), (136, 54), (120, 76)], mix(o.d, (0, 0, 0), .25), 8)
        for y in (100, 126, 152):
            p.line([(104, y), (136, y)], (230, 205, 160), 2.4)
            p.rect(116, y - 4, 132, y + 4, (236, 214, 172), 4)
        p.both([(80, 160), (106, 160), (106, 188), (78, 188)], o.d, 4)
        return
    p.poly([(102, 49), (138, 49), (120, 96)], o.w if "男士" in f and not trench else mix(o.d, (0, 0, 0), .2), 2)
    p.both([(102, 45), (82, 62), (92, 78), (84, 86), (119, 110), (120, 96), (108, 74)], o.l if light(o.c) > 70 else o.d, 3)
    if "腰带" in f or ("风衣" in f and "男士" not in f and not short) or "双面" in f:
        p.rect(77, 132, 163, 144, o.d, 2)
        p.rect(112, 129, 128, 147, o.m if trench else o.d, 2)
        if not trench:
            p.poly([(124, 144), (134, 144), (138, 178), (128, 178)], o.d, 2)
    if trench and "男士" not in f and not short:
        for y in (112, 124, 158, 172):
            for x in (104, 130):
                p.ell(x, y, 3, 3, (92, 70, 52), False)
        p.both([(74, 60), (92, 56), (93, 63), (75, 68)], o.d, 2)
        p.both([(35, 160), (31, 168), (59, 176), (62, 168)], o.d, 2)
    else:
        buttons(p, o, ys=(122, 142, 162) if not short else (120, 140, 160))
    y = 160 if not short else 146
    p.both([(80, y), (102, y + 4), (102, y + 12), (79, y + 8)], o.d, 2)
    if short:
        p.line([(70, 172), (170, 172)], o.e, 4)


def down(p, o, f):
    vest = "马甲" in f
    low = 214 if "中长款" in f else 206 if "极寒" in f or "派克" in f else 172 if "面包" in f or "短款" in f else 188
    puff = 8 if "面包" in f or "极寒" in f else 3
    hood = any(w in f for w in ("连帽", "极寒", "派克", "亲子"))
    if not vest:
        s = [(78, 60, 14), (48 - puff, 92, 18), (30 - puff, 172), (58 - puff / 2, 184), (84, 108)]
        p.both(s, o.c, 9)
        for k in range(1, 6):
            t = k / 6
            p.lines2([(58 - puff + (34 - 58) * t + 6, 86 + 92 * t - 8), (80 + (56 - 80) * t, 96 + 86 * t)], o.e, 1.6)
        p.both([(31 - puff, 170), (29 - puff, 184), (57 - puff / 2, 192), (60 - puff / 2, 180)], o.d, 4)
    p.poly(m([(102, 52), (72, 60), (70 - puff, 110), (70 - puff, low - 4, 9)]), o.c, 9)
    step = 24 if "面包" in f else 16
    diamond = "菱格" in f
    body = m([(102, 52), (72, 60), (70 - puff, 110), (70 - puff, low - 4, 9)])

    def quilt(q):
        if diamond:
            for k in range(-120, 260, 18):
                q.line([(k, 40), (k + 180, 220)], o.e, 1.3)
                q.line([(k + 180, 40), (k, 220)], o.e, 1.3)
        else:
            for y in range(74, low, step):
                q.line([(50, y), (120, y + 4), (190, y)], o.e, 1.7, 30)
                q.line([(50, y + 4), (120, y + 8), (190, y + 4)], o.l, 1.7, 30)
    p.inside(body, 9, quilt)
    p.line([(120, 60), (120, low - 5)], o.s, 3.2)
    if hood:
        p.poly([(90, 62, 12), (95, 32, 24), (145, 32, 24), (150, 62, 12), (120, 80, 12)], o.d, 12)
        fur = "极寒" in f or "中长款" in f
        p.poly([(102, 60, 8), (106, 42, 14), (134, 42, 14), (138, 60, 8), (120, 72, 8)], mix(o.d, (0, 0, 0), .3), 8)
        if fur:
            p.line([(103, 64), (99, 44), (110, 35), (130, 35), (141, 44), (137, 64)], (222, 204, 176), 8, 12)
    else:
        p.rect(98, 40, 142, 62, o.d, 7)
        p.line([(120, 42), (120, 64)], o.s, 3.2)
    if "工装" in f or "派克" in f or "极寒" in f:
        p.both([(76, 136), (106, 136), (106, 166), (76, 166)], o.d, 3)
        p.lines2([(76, 144), (106, 144)], o.e, 1.4)
    elif not diamond:
        p.lines2([(84, 134), (96, 154)], o.e, 2.6)


def chinese_coat(p, o, f):
    top(p, o, "long", bottom=190, half=49, wide=7)
    for x, y in ((92, 96), (146, 110), (96, 140), (150, 156), (98, 176)):
        p.ell(x, y, 6, 6, o.l, False)
        p.ell(x, y, 2.4, 2.4, o.c, False)
    p.poly([(104, 42), (136, 42), (140, 58), (120, 68), (100, 58)], o.d, 4)
    p.line([(120, 50), (120, 188)], o.e, 2)
    for y in (72, 98, 124, 150):
        p.line([(106, y), (134, y)], (226, 186, 104), 3)
        p.ell(120, y, 4, 4, (226, 186, 104))
    p.both([(32, 166), (26, 178), (56, 188), (60, 174)], o.l, 3)


def shell(p, o, f):
    """冲锋衣 and 防晒衣: hood, zip, colour blocks."""
    sun = "防晒" in f or "皮肤" in f
    light_one = o.l if sun else o.d
    top(p, o, "long", bottom=196, half=48, wide=3)
    if not sun:
        second = (58, 62, 70) if light(o.c) > 90 else mix(o.c, (255, 255, 255), .3)
        p.poly(m([(102, 52), (72, 60), (73, 92), (120, 100, 4)]), second, 5)
        p.both([(77, 59), (54, 88), (46, 120), (80, 110)], second, 6)
    p.poly([(92, 58, 10), (96, 30, 24), (144, 30, 24), (148, 58, 10), (120, 78, 12)], light_one, 12)
    p.poly([(104, 56, 8), (108, 42, 14), (132, 42, 14), (136, 56, 8), (120, 70, 8)], mix(o.d, (0, 0, 0), .3), 8)
    if not sun:
        p.line([(95, 52), (103, 36), (120, 33), (137, 36), (145, 52)], mix(light_one, (255, 255, 255), .35), 2.4, 16)
    p.line([(120, 68), (120, 194)], o.s if light(o.c) < 200 else mix(o.e, (90, 100, 110), .4), 3)
    p.lines2([(84, 140), (98, 168)], o.e if sun else o.w, 2.8)
    if sun:
        p.both([(33, 170), (30, 186), (56, 192), (58, 178)], o.l, 4)
        p.ell(146, 100, 7, 7, (246, 196, 84), False)
        for a in range(8):
            x, y = math.cos(a * math.pi / 4), math.sin(a * math.pi / 4)
            p.line([(146 + 9.5 * x, 100 + 9.5 * y), (146 + 13 * x, 100 + 13 * y)], (246, 196, 84), 2)
    else:
        p.line([(134, 114), (150, 110)], o.w, 3.4)
        p.line([(72, 190), (168, 190)], o.e, 2.2)


def cape(p, o, f):
    p.poly(m([(104, 58), (74, 74, 20), (36, 176, 14), (84, 196, 20), (120, 200)]), o.c, 8)
    p.poly([(88, 66, 12), (94, 30, 26), (146, 30, 26), (152, 66, 12), (120, 84, 12)], o.l, 12)
    p.poly([(102, 62), (107, 42, 14), (133, 42, 14), (138, 62), (120, 76)], mix(o.d, (0, 0, 0), .3), 8)
    p.line([(120, 78), (120, 198)], o.s, 3)
    p.lines2([(92, 96), (74, 186)], o.d, 2, 10)


def fleece(p, o, f):
    top(p, o, "long", bottom=192, half=48, cuff=True, hem=True, wide=4)
    if "羊羔绒" in f:
        for y in range(104, 178, 11):
            for x in range(80 + (y % 2) * 6, 160, 13):
                p.line([(x, y), (x + 4, y - 3), (x + 6, y + 1)], o.d, 1.8, 3)
        p.poly(m([(102, 52), (72, 60), (73, 90), (120, 94, 3)]), (66, 70, 76), 5)
    p.rect(98, 38, 142, 62, o.d, 7)
    p.line([(120, 40), (120, 190)], o.s, 3)
    p.poly([(132, 98), (154, 98), (154, 120), (132, 120)], (66, 70, 76) if "羊羔绒" in f else o.d, 3)
    p.lines2([(84, 144), (98, 168)], o.e, 2.6)


# ---- dresses, skirts, trousers -----------------------------------------------------------------

def dress(p, o, f):
    if "吊带" in f:
        p.lines2([(103, 36), (98, 66)], o.e, 3)
        p.poly(m([(120, 78), (98, 62), (88, 80, 8), (92, 120, 16), (66, 216)]), o.c, 5)
        p.lines2([(108, 130), (98, 210)], o.d, 2)
        p.line([(124, 130), (134, 206)], o.l, 3)
        return
    if "衬衫领" in f:
        skirt_flare(p, o, 64)
        top(p, o, "short", bottom=128, half=38, waist=4)
        shirt_collar(p, o)
        p.rect(81, 122, 159, 132, o.d, 2)
        buttons(p, o, ys=(90, 106, 144, 162, 180, 198))
        return
    if "盘扣" in f:
        p.both([(82, 60), (60, 84), (72, 98), (88, 88)], o.c, 4)
        p.poly(m([(104, 48), (82, 58), (84, 92), (88, 122, 14), (74, 214)]), o.c, 5)
        p.poly([(104, 42), (136, 42), (138, 54), (120, 62), (102, 54)], o.d, 3)
        p.line([(120, 58), (128, 78), (152, 92)], o.e, 2, 12)
        for x, y in ((122, 64), (129, 79), (144, 89)):
            p.ell(x, y, 4, 4, (190, 120, 70))
        for x, y in ((98, 176), (110, 188), (92, 196)):
            for a in range(5):
                p.ell(x + 4.5 * math.cos(a * 1.2566), y + 4.5 * math.sin(a * 1.2566), 3, 3, o.w, False)
            p.ell(x, y, 2, 2, (226, 160, 90), False)
        return
    if "针织" in f:
        p.both(sleeve("long"), o.c)
        p.poly(m([(101, 50), (78, 60), (82, 100), (88, 124, 14), (76, 160, 14), (82, 216)]), o.c, 6)
        for x in range(88, 156, 7):
            p.line([(x, 74), (x + (120 - x) * .12, 124), (x, 210)], o.d, 1.1, 20)
        p.rect(101, 40, 139, 58, o.d, 6)
        return
    if "小黑裙" in f:
        p.poly(m([(120, 66), (92, 56), (80, 52), (84, 80), (92, 116, 14), (72, 204)]), o.c, 5)
        p.line([(90, 56), (104, 63), (120, 65), (136, 63), (150, 56)], o.l, 2, 8)
        p.line([(91, 118), (149, 118)], o.l, 3)
        for k in range(9):
            x = 92 + k * 7
            p.ell(x, 42 + 10 * math.sin(math.pi * k / 8), 2.6, 2.6, (206, 178, 120), False)
        return
    if "泡泡袖" in f:
        skirt_flare(p, o, 68)
        p.both([(84, 60, 12), (54, 58, 18), (50, 92, 14), (82, 98)], o.c, 12)
        p.both([(52, 90), (80, 94), (79, 102), (52, 98)], o.d, 3)
        p.poly(m([(98, 52), (84, 52), (86, 122)]), o.c, 3)
        p.poly([(98, 51), (142, 51), (140, 76), (100, 76)], p.back, 2, o.e)
        p.rect(85, 118, 155, 128, o.d, 3)
        for y in (86, 96, 106):
            p.line([(90, y), (150, y)], o.d, 1.6)
        return
    big = "大码" in f or "孕妇" in f
    skirt_flare(p, o, 70 if big else 66, waist=46 if big else 36, y=104 if "孕妇" in f else 122)
    p.both([(84, 58), (46 if not big else 42, 94), (64, 112), (88, 94)], o.c, 7)
    p.poly(m([(101, 50), (80, 58), (80 if not big else 74, 100), (84 if not big else 74, 126)]), o.c, 4)
    p.poly([(101, 49), (139, 49), (120, 84 if big else 74)], p.back if not big else mix(o.d, (0, 0, 0), .2), 3, o.e)
    if "碎花" in f:
        for x, y in ((98, 90), (140, 96), (112, 112), (92, 150), (122, 148), (150, 160), (80, 180), (108, 184), (138, 192), (164, 186), (64, 198), (120, 104), (56, 92), (184, 92)):
            for a in range(5):
                p.ell(x + 3 * math.cos(a * 1.2566), y + 3 * math.sin(a * 1.2566), 2.1, 2.1, (212, 96, 92), False)
            p.ell(x, y, 1.6, 1.6, o.w, False)
    p.line([(82 if not big else 76, 106 if "孕妇" in f else 124), (158 if not big else 164, 106 if "孕妇" in f else 124)], o.d, 5)
    if "孕妇" in f:
        p.poly([(120, 108), (108, 100), (108, 116)], o.l, 3)
        p.poly([(120, 108), (132, 100), (132, 116)], o.l, 3)


def skirt_flare(p, o, half, waist=36, y=122):
    p.poly(m([(120 - waist, y), (120 - half, 206), (120 - half / 2, 213, 14), (120, 209, 14)]), o.c, 6)
    for x in (-.55, 0, .55):
        p.line([(120 + waist * x, y + 12), (120 + half * x, 203)], o.d, 1.8)


def skirt(p, o, f):
    if "包臀" in f:
        p.poly(m([(86, 60), (72, 108, 22), (82, 194)]), o.c, 4)
        p.rect(85, 54, 155, 68, o.d, 3)
        p.line([(120, 166), (116, 193)], o.e, 2)
        p.line([(120, 166), (124, 193)], o.e, 2)
        return p.lines2([(98, 70), (96, 92)], o.e, 1.6)
    if "纱" in f:
        for k, (half, low) in enumerate(((82, 204), (76, 196), (66, 184))):
            fill = mix(o.c, (255, 255, 255), .3 - .14 * k)
            p.poly(m([(88, 62), (120 - half, low, 14), (120 - half * .6, low + 7, 12), (120 - half * .2, low + 1, 10)]), fill, 8)
        p.rect(86, 52, 154, 66, o.d, 4)
        for x in range(94, 150, 11):
            p.line([(x, 70), (120 + (x - 120) * 1.9, 178)], o.d, 1.2)
        return
    if "牛仔" in f:
        p.poly(m([(84, 56), (74, 110, 20), (62, 210)]), o.c, 4)
        p.rect(83, 48, 157, 62, o.d, 3)
        p.poly([(118, 124), (122, 124), (132, 211), (108, 211)], p.back, 2, o.e)
        p.line([(120, 62), (120, 124)], (226, 176, 104), 1.6)
        p.lines2([(90, 64), (92, 84), (108, 84)], (226, 176, 104), 1.5, 6)
        return p.ell(120, 55, 3.6, 3.6, o.m)
    if "百褶" in f:
        p.poly(m([(88, 56), (56, 200)]), o.c, 3)
        for k in range(-5, 6):
            p.line([(120 + k * 6, 66), (120 + k * 11.4, 198)], o.e if k % 2 else o.d, 1.8)
        for k in range(-5, 5):
            p.poly([(120 + k * 6, 66), (123 + k * 6, 66), (120 + k * 11.4 + 5, 198), (120 + k * 11.4, 198)], o.d, 0, False)
        p.rect(87, 48, 153, 62, o.d, 3)
        return
    p.poly(m([(86, 66), (58, 180)]), o.c, 5)
    pattern(p, o, [m([(86, 66), (58, 180)])])
    p.rect(85, 56, 155, 72, o.d, 3)
    p.lines2([(92, 96), (108, 102)], o.e, 4)
    buttons(p, o, ys=(88, 106, 124, 142, 160))


def legs(p, o, waist=38, hip=44, hem=28, gap=6, low=214, top_y=40, crotch=104, fill=None):
    left = [(120 - waist, top_y), (120 - hip, crotch - 20, 14), (120 - gap - hem - (hip - hem - gap) * .35, low), (120 - gap, low), (119, crotch)]
    p.poly([*left, (121, crotch), (120 + gap, low), (120 + gap + hem + (hip - hem - gap) * .35, low), (120 + hip, crotch - 20, 14), (120 + waist, top_y)], fill or o.c, 4)


def jeans(p, o, f):
    hem = 46 if "阔腿" in f else 22 if "小脚" in f else 26 if "烟管" in f else 36 if "工装" in f else 31
    legs(p, o, hip=46, hem=hem, gap=5)
    thread = (228, 178, 106)
    p.rect(81, 38, 159, 51, o.d, 3)
    for x in (90, 104, 136, 150):
        p.rect(x - 2, 36, x + 2, 53, o.c, 1)
    p.ell(120, 45, 3.6, 3.6, o.m)
    p.line([(120, 52), (120, 98)], thread, 1.5)
    p.line([(126, 52), (126, 82), (120, 92)], thread, 1.5, 8)
    p.lines2([(84, 72), (98, 68), (103, 52)], thread, 1.6, 10)
    fade = mix(o.c, (255, 255, 255), .22)
    p.both([(92, 112), (104, 112), (103, 158), (93, 158)], fade, 6, False)
    p.lines2([(120 - 8 - hem, 206), (114, 206)], thread, 1.4)
    if "工装" in f:
        p.both([(74, 126), (98, 126), (97, 156), (72, 156)], o.d, 3)
        p.lines2([(74, 134), (98, 134)], thread, 1.4)
    if "加绒" in f:
        p.both([(120 - 12 - hem, 203), (115, 203), (115, 216), (120 - 13 - hem, 216)], (240, 232, 216), 5)


def trousers(p, o, f):
    if "短裤" in f:
        p.poly([(80, 56), (66, 150), (114, 156), (120, 116), (126, 156), (174, 150), (160, 56)], o.c, 4)
        p.rect(79, 50, 161, 66, o.d, 4)
        p.lines2([(114, 60), (110, 92)], o.w, 2.4)
        p.lines2([(82, 74), (76, 100)], o.e, 2)
        p.lines2([(68, 142), (114, 148)], o.e, 1.4)
        return
    if "打底裤" in f:
        legs(p, o, waist=34, hip=38, hem=16, gap=8, low=206)
        p.both([(94, 200), (112, 200), (114, 214), (82, 216), (84, 208)], o.c, 5)
        p.rect(85, 38, 155, 58, o.d, 4)
        return p.lines2([(100, 110), (99, 190)], o.l, 3)
    if "羽绒裤" in f:
        legs(p, o, waist=42, hip=52, hem=34, gap=5)
        for y in range(66, 210, 18):
            p.lines2([(72, y), (92, y + 3), (116, y)], o.e, 1.7, 12)
            p.lines2([(72, y + 3), (92, y + 6), (116, y + 3)], o.l, 1.7, 12)
        p.rect(77, 38, 163, 56, o.d, 5)
        return
    wide = "阔腿" in f
    jogger = "抽绳" in f
    hem = 44 if wide else 22 if jogger or "锥形" in f or "九分" in f else 30
    low = 200 if "九分" in f or jogger else 214
    legs(p, o, waist=38, hip=46, hem=hem, gap=6, low=low)
    p.rect(81, 38, 159, 52, o.d, 3)
    if jogger:
        p.both([(86, 196), (115, 196), (114, 210), (90, 210)], o.d, 4)
        p.lines2([(116, 46), (112, 78)], o.w, 2.6)
        p.lines2([(82, 64), (77, 92)], o.w, 2)
    elif "徒步" in f or "两截" in f:
        p.both([(74, 118), (98, 116), (98, 146), (72, 148)], o.d, 3)
        p.lines2([(84, 60), (94, 86)], o.s, 2.6)
        p.lines2([(70, 156), (116, 158)], o.s if "两截" in f else o.d, 3)
        p.rect(110, 40, 130, 50, (70, 74, 80), 2)
    elif "灯芯绒" in f:
        for dx in range(10, 48, 5):
            p.lines2([(120 - dx, 56 + dx * .4 if dx > 6 else 60), (120 - dx * .9 - 4, low - 3)], o.d, 1.1)
        p.ell(120, 45, 3, 3, o.m)
    else:
        p.lines2([(100, 58), (120 - 6 - hem / 2 - 3, low - 3)], o.e, 1.5)
        p.line([(120, 52), (120, 98)], o.e, 1.4)
        p.lines2([(86, 54), (79, 78)], o.e, 1.8)
        if wide:
            p.lines2([(116, 48), (108, 72)], o.l, 3)
        else:
            p.rect(117, 42, 123, 48, o.m, 1)


# ---- night, under, small wear -------------------------------------------------------------------

def pyjamas(p, o, f):
    if "吊带" in f or "睡裙" in f:
        p.lines2([(104, 42), (98, 74)], o.e, 2.6)
        p.poly(m([(120, 92), (98, 72), (88, 90), (84, 128, 14), (68, 192)]), o.c, 5)
        p.line([(98, 75), (120, 95), (142, 75)], o.w, 3.6)
        p.line([(70, 188), (95, 193), (120, 188), (145, 193), (170, 188)], o.w, 4, 8)
        p.line([(112, 110), (104, 180)], o.l, 3)
        return
    if "连体" in f:
        p.both([(82, 64), (44, 118), (60, 132), (86, 100)], o.c, 8)
        p.poly(m([(102, 54), (80, 64), (80, 140), (72, 206), (112, 210), (120, 160)]), o.c, 8)
        p.both([(70, 200), (113, 200), (113, 216), (68, 216)], o.d, 8)
        round_neck(p, o, 8)
        p.line([(120, 66), (112, 196)], o.s, 3)
        for x, y in ((96, 94), (142, 108), (98, 136), (144, 150), (92, 176), (148, 186)):
            star(p, x, y, 6, o.w)
        return
    for side in (-1, 1):  # trousers behind
        p.poly([(120, 138), (120 + side * 44, 138), (120 + side * 52, 218), (120 + side * 10, 218)], o.d, 4)
    top(p, o, "long", bottom=164, half=44, wide=2)
    if "珊瑚绒" in f:
        for x in (100, 140):
            p.ell(x, 30, 8, 12, o.c)
        p.poly([(92, 58, 10), (96, 30, 24), (144, 30, 24), (148, 58, 10), (120, 76, 12)], o.c, 12)
        p.poly([(104, 56), (108, 42, 14), (132, 42, 14), (136, 56), (120, 68)], mix(o.d, (0, 0, 0), .15), 8)
        p.poly([(98, 108), (142, 108), (148, 142), (92, 142)], o.d, 6)
        return
    trim = o.w if light(o.c) < 205 else o.d
    p.both([(103, 48), (88, 60), (98, 84), (120, 100), (120, 88)], trim, 5)
    p.line([(120, 98), (120, 162)], trim, 3)
    buttons(p, o, ys=(110, 128, 146))
    p.both([(36, 166), (31, 178), (57, 186), (60, 174)], trim, 3)
    p.lines2([(110 - 34, 210), (110, 210)], trim, 3)
    p.rect(134, 108, 154, 128, o.c if o.name not in STRIPES else o.w, 3)
    if "情侣" in f:
        heart(p, 144, 118, 6, (240, 200, 120))
    else:
        p.ell(144, 118, 5, 5, (246, 224, 150), False)
        p.ell(146.5, 116.5, 4.2, 4.2, o.c, False)


def star(p, x, y, r, fill):
    pts = []
    for k in range(10):
        q = r if k % 2 == 0 else r * .45
        a = -math.pi / 2 + k * math.pi / 5
        pts.append((x + q * math.cos(a), y + q * math.sin(a)))
    p.poly(pts, fill, 0.5, False)


def heart(p, x, y, r, fill):
    p.ell(x - r * .5, y - r * .3, r * .6, r * .6, fill, False)
    p.ell(x + r * .5, y - r * .3, r * .6, r * .6, fill, False)
    p.poly([(x - r * 1.05, y - r * .1), (x + r * 1.05, y - r * .1), (x, y + r * 1.1)], fill, 1, False)


def under(p, o, f):
    if "内裤" in f and "男士" in f:
        for k, fill in enumerate((o.l, mix(o.l, o.c, .5), o.c)):
            dy = k * 26 - 26
            p.poly([(64, 84 + dy), (60, 140 + dy), (108, 146 + dy), (120, 126 + dy), (132, 146 + dy), (180, 140 + dy), (176, 84 + dy)], fill, 5)
            p.rect(62, 80 + dy, 178, 94 + dy, mix(fill, o.w, .3), 3)
        p.line([(120, 108), (112, 126), (120, 144)], o.e, 1.6, 10)
        return
    if "内裤" in f:
        for k, fill in enumerate(((206, 196, 222), (222, 224, 226), o.c)):
            dy = k * 32 - 34
            p.poly([(62, 90 + dy), (64, 106 + dy), (104, 148 + dy, 14), (112, 156 + dy), (128, 156 + dy), (136, 148 + dy, 14), (176, 106 + dy), (178, 90 + dy)], fill, 6)
            p.line([(64, 95 + dy), (176, 95 + dy)], mix(fill, o.w, .6), 3)
        return p.ell(120, 94, 3, 3, o.w)
    if "少女" in f:
        p.poly(m([(98, 52), (84, 52), (82, 92, 16), (64, 112), (68, 156)]), o.c, 5)
        p.poly([(98, 51), (142, 51), (136, 92, 16), (120, 98, 10), (104, 92, 16)], p.back, 3, o.e)
        p.rect(66, 150, 174, 166, o.d, 4)
        return p.poly([(120, 106), (112, 100), (112, 112), (128, 100), (128, 112)], o.w, 1)
    p.lines2([(78, 48), (80, 90)], o.e, 3.4)
    p.both([(120, 118), (104, 92, 16), (80, 86, 12), (58, 116, 18), (64, 152, 14), (118, 156)], o.c, 10)
    p.both([(62, 146), (40, 138), (40, 156), (64, 164)], o.d, 4)
    p.poly([(62, 148), (120, 152), (178, 148), (176, 166), (120, 170), (64, 166)], o.d, 4)
    p.lines2([(72, 112), (84, 100), (100, 102)], o.l, 3, 8)
    p.ell(120, 122, 3.2, 3.2, o.w)


def thermal(p, o, f):
    for side in (-1, 1):
        p.poly([(120, 130), (120 + side * 34, 130), (120 + side * 32, 220), (120 + side * 12, 220)], o.d, 4)
    top(p, o, "long", bottom=152, half=38)
    p.rect(104, 40, 136, 60, o.d, 5)
    for x, y in ((96, 92), (120, 92), (144, 92), (108, 112), (132, 112), (96, 132), (120, 132), (144, 132)):
        p.poly([(x, y - 5), (x + 5, y), (x, y + 5), (x - 5, y)], o.l, 1, False)


def socks(p, o, f):
    low = "隐形" in f or "五指" in f
    toes = "五指" in f

    def one(x, y, fill, trim):
        if low:
            if toes:
                for k in range(5):
                    p.ell(x + 78 - k * 3.5, y + 66 - (4 - k) * 9 + 16, 11, 7, fill)
            p.poly([(x - 26, y + 34), (x + 4, y + 44), (x + 40, y + 44, 30), (x + 78, y + 54, 20), (x + 82, y + 84, 18), (x - 22, y + 86, 16)], fill, 10)
            p.line([(x - 25, y + 36), (x + 5, y + 47), (x + 38, y + 47)], trim, 4, 8)
            if toes:
                for dx in (10, 26, 42, 58):
                    p.ell(x + dx - 16, y + 79, 2.4, 2.4, trim, False)
            return
        tall = 0 if "堆堆" not in f else 10
        p.poly([(x, y), (x + 38, y), (x + 38, y + 74, 12), (x + 76, y + 96, 20), (x + 72, y + 122, 18), (x + 28, y + 120, 16), (x, y + 86, 12)], fill, 9)
        p.rect(x - 2, y - 6 - tall, x + 40, y + 14, trim, 4)
        for k in range(x + 3, x + 38, 6):
            p.line([(k, y - 2 - tall), (k, y + 10)], edge_of(trim), 1)
        p.poly([(x + 58, y + 87, 6), (x + 75, y + 97, 18), (x + 72, y + 121, 16), (x + 52, y + 121)], trim, 6)
        p.poly([(x, y + 72), (x + 20, y + 88, 10), (x + 12, y + 106, 8), (x + 1, y + 90)], trim, 5)
        if "堆堆" in f:
            for k in (24, 38, 52, 66):
                p.line([(x + 2, y + k), (x + 19, y + k + 6), (x + 36, y + k)], trim, 3, 12)
        if "儿童" in f:
            bear(p, x + 19, y + 44, 10)
    if low:
        one(76, 14, o.l if light(o.c) < 160 else o.d, o.w if toes else o.c)
        one(76, 94, o.c, o.w if toes else o.d)
    else:
        one(104, 46, o.d, o.l)
        one(60, 66, o.c, o.d if light(o.c) > 70 else o.l)


def scarf(p, o, f):
    p.poly([(66, 60, 18), (174, 60, 18), (178, 104, 24), (120, 122, 30), (62, 104, 24)], o.d, 16)
    p.line([(72, 84), (120, 102), (168, 84)], o.e, 2, 20)
    p.poly([(90, 98), (128, 104), (120, 196), (78, 190)], o.c, 5)
    p.poly([(122, 104), (158, 96), (170, 176), (134, 182)], o.c, 5)
    for k in range(8):
        p.line([(80 + k * 5.4, 191 + k * .7), (78 + k * 5.4, 210 + k * .7)], o.e, 2)
    for k in range(7):
        p.line([(137 + k * 5.2, 182 - k * .8), (139 + k * 5.2, 201 - k * .8)], o.e, 2)
    p.line([(82, 168), (122, 174)], o.l, 5)
    p.line([(132, 160), (166, 154)], o.l, 5)


def hat(p, o, f):
    if "渔夫" in f:
        p.poly([(88, 66, 14), (152, 66, 14), (164, 134), (76, 134)], o.c, 14)
        p.poly([(76, 126), (120, 136, 30), (164, 126), (204, 168, 12), (120, 190, 60), (36, 168, 12)], o.d, 8)
        p.line([(78, 124), (120, 134), (162, 124)], o.e, 4, 30)
        for y in (150, 164):
            p.line([(60, y), (120, y + 14), (180, y)], o.e, 1.2, 40)
        return p.ell(98, 100, 3, 3, o.s)
    p.ell(120, 52, 18, 17, o.l)
    p.poly([(66, 150), (70, 86, 40), (120, 54, 50), (170, 86, 40), (174, 150)], o.c, 20)
    for x in range(76, 170, 12):
        p.line([(120 + (x - 120) * .6, 76), (x, 146)], o.d, 2.2, 0)
    p.rect(60, 142, 180, 182, o.d, 12)
    for x in range(70, 176, 10):
        p.line([(x, 148), (x, 176)], o.e, 1.6)


def gloves(p, o, f):
    def one(x, s, fill):
        q = [(x, 206), (x - 2 * s, 150), (x - 26 * s, 124, 10), (x - 32 * s, 104, 8), (x - 22 * s, 98, 8), (x - 2 * s, 116, 6)]
        for dx, t in ((6, 62), (20, 50), (34, 56), (48, 72)):
            p.poly([(x + (dx - 7) * s, 130), (x + (dx - 6) * s, t), (x + (dx + 6) * s, t), (x + (dx + 7) * s, 130)], fill, 7)
        q += [(x - 1 * s, 106), (x + 56 * s, 106), (x + 54 * s, 150, 16), (x + 50 * s, 206)]
        p.poly(q, fill, 5)
        p.poly([(x + 2 * s, 108), (x + 53 * s, 108), (x + 53 * s, 124), (x + 2 * s, 124)], fill, 1, False)
        p.rect(min(x - 3 * s, x + 53 * s), 178, max(x - 3 * s, x + 53 * s), 212, o.d, 5)
        p.ell(x + 20 * s, 56, 4, 4, o.s, False)
        p.line([(x + 8 * s, 150), (x + 44 * s, 150)], o.d, 2)
        p.line([(x + 8 * s, 160), (x + 44 * s, 160)], o.d, 2)
    one(52, 1, o.c)
    one(188, -1, o.c)


def kids(p, o, f):
    if "灯笼裤" in f:
        p.poly([(74, 60), (54, 120, 30), (64, 184, 14), (110, 186, 10), (120, 122), (130, 186, 10), (176, 184, 14), (186, 120, 30), (166, 60)], o.c, 8)
        p.rect(72, 50, 168, 68, o.d, 5)
        p.both([(68, 178), (108, 180), (107, 194), (70, 192)], o.d, 4)
        for x, y in ((86, 98), (150, 104), (94, 140), (142, 146), (76, 156), (166, 158)):
            star(p, x, y, 7, o.w)
        return
    if "连体衣" in f:
        p.both([(84, 62), (44, 104), (60, 122), (86, 100)], o.c, 7)
        p.poly(m([(100, 52), (80, 62), (78, 150), (84, 164), (104, 186), (120, 188)]), o.c, 6)
        p.both([(79, 152), (104, 186), (98, 192), (74, 160)], o.d, 3)
        round_neck(p, o, 8)
        cloud(p, 120, 112, .9)
        return [p.ell(x, 182, 3, 3, o.s) for x in (110, 120, 130)]
    if "连衣裙" in f:
        body = m([(92, 118), (60, 200)])
        p.poly(body, o.c, 4)
        p.both([(84, 62), (50, 128), (68, 138), (90, 100)], o.c, 6)
        up = m([(101, 54), (84, 62), (88, 122)])
        p.poly(up, o.c, 4)
        pattern(p, o, [body, up])
        for x in range(-4, 5):
            p.line([(120 + x * 6, 124), (120 + x * 13, 198)], o.e, 1.4)
        p.rect(87, 114, 153, 125, o.d, 3)
        p.both([(120, 58), (104, 50), (92, 66), (112, 76)], o.w, 7)
        return p.poly([(120, 72), (110, 66), (110, 82), (130, 66), (130, 82)], (206, 60, 70), 1)
    for side in (-1, 1):
        p.poly([(120, 138), (120 + side * 42, 138), (120 + side * 44, 204), (120 + side * 12, 204)], o.d, 4)
        p.rect(min(120 + side * 12, 120 + side * 45), 200, max(120 + side * 12, 120 + side * 45), 214, o.l, 3)
    sweatshirt(p, o, "连帽短款")


# ---- shoes --------------------------------------------------------------------------------------

def sole(p, x0, x1, y, h, fill, toe=10):
    p.poly([(x0, y), (x1, y), (x1 + 3, y + h * .5), (x1 - 6, y + h), (x0 + 4, y + h)], fill, 6)


def sneaker(p, o, f):
    thick = 26 if "老爹" in f else 18
    y = 152
    white = (250, 249, 246)
    under_fill = white if light(o.c) < 225 else (226, 228, 230)
    p.poly([(36, 96, 10), (66, 88, 10), (92, 96, 6), (132, 118, 24), (182, 130, 22), (208, 148, 12), (208, y + 8), (34, y + 8)], o.c, 8)
    p.poly([(36, 100), (60, 92), (66, 156), (35, 156)], o.d, 8)
    p.poly([(168, 127, 10), (196, 138, 18), (208, 156), (160, 157), (156, 140)], o.d, 8)
    if "飞织" in f or "一脚蹬" in f or "健步" in f:
        p.poly([(64, 90), (76, 78, 8), (96, 92), (92, 104), (70, 102)], o.d, 6)
        for k in range(4):
            p.line([(76 + k * 16, 112 + k * 7), (72 + k * 16, 148)], o.l, 2)
    else:
        p.poly([(82, 88), (96, 80, 6), (112, 98), (142, 118), (132, 126), (98, 112)], o.l if light(o.c) < 220 else o.d, 6)
        for k in range(5):
            p.line([(94 + k * 10, 110 + k * 4.4), (106 + k * 10, 98 + k * 5)], white if light(o.c) < 200 else o.e, 3.4)
        p.line([(74, 148), (112, 132), (148, 150)], o.l if light(o.c) < 200 else (112, 160, 208), 6, 26)
    if "加绒" in f:
        p.line([(38, 98), (64, 90), (86, 92)], (244, 236, 222), 10, 8)
    if "老爹" in f:
        p.poly([(30, 150), (210, 150), (216, 166, 8), (204, 180), (40, 182), (26, 168)], under_fill, 8)
        p.line([(32, 164), (72, 158), (120, 168), (168, 162), (210, 164)], o.d, 3, 20)
        p.line([(40, 178), (204, 177)], o.e, 2)
    else:
        sole(p, 31, 212, y, thick, under_fill)
        p.line([(36, y + thick - 3), (206, y + thick - 3)], o.e if light(o.c) < 220 else (150, 170, 190), 3)
    if "跑鞋" in f or "缓震" in f:
        for k in range(6):
            p.ell(48 + k * 12, y + 8, 2.6, 2.6, (120, 190, 220), False)


def hiking(p, o, f):
    p.poly([(48, 62, 8), (104, 62, 8), (112, 104, 16), (150, 122, 20), (196, 132, 20), (206, 164), (38, 164), (44, 110)], o.c, 8)
    p.poly([(164, 126, 12), (196, 134, 18), (206, 164), (158, 164)], (70, 70, 74), 8)
    p.poly([(42, 116), (64, 112), (68, 164), (38, 164)], (70, 70, 74), 6)
    p.rect(46, 54, 106, 74, o.d, 7)
    p.poly([(92, 68), (108, 66), (120, 106), (148, 122), (138, 132), (102, 114)], o.l, 5)
    for k in range(5):
        x, y = (94 + [0, 3, 8, 20, 32][k], 78 + k * 11)
        p.line([(x, y), (x + 17, y - 4 + k)], (200, 70, 50), 3.4)
    p.poly([(32, 160), (210, 160), (214, 172), (206, 186), (36, 186)], (56, 56, 60), 5)
    for x in range(42, 204, 16):
        p.rect(x, 182, x + 9, 192, (56, 56, 60), 2)


def canvas(p, o, f):
    white = (250, 249, 246)
    if "高帮" in f:
        p.poly([(46, 56, 6), (104, 56, 6), (112, 106, 16), (160, 132, 24), (206, 146, 14), (206, 168), (42, 168)], o.c, 6)
        p.poly([(92, 58), (106, 56), (118, 104), (152, 128), (140, 136), (104, 116)], white, 4)
        for k in range(6):
            x, y = 92 + [0, 3, 6, 12, 24, 38][k], 68 + k * 11
            p.line([(x, y), (x + 16, y - 3)], white if k else o.e, 3)
        p.ell(68, 94, 12, 12, white)
        star(p, 68, 94, 8, (60, 90, 150))
    elif "懒人" in f:
        p.poly([(38, 110, 8), (70, 104, 8), (104, 110, 8), (150, 116, 24), (206, 144, 16), (208, 168), (36, 168)], o.c, 8)
        p.poly([(66, 106), (108, 111), (100, 132), (78, 130)], o.d, 5)
        p.poly([(34, 158), (212, 158), (210, 176), (36, 176)], (212, 182, 136), 6)
        for x in range(42, 208, 8):
            p.line([(x, 173), (x + 5, 161)], (176, 142, 96), 1.6)
        return
    else:
        p.poly([(38, 100, 8), (72, 94, 8), (96, 100, 6), (150, 126, 24), (206, 144, 14), (206, 168), (36, 168)], o.c, 6)
        p.poly([(84, 96), (100, 92), (148, 122), (136, 132), (98, 116)], o.l if light(o.c) < 220 else o.d, 4)
        for k in range(5):
            p.line([(92 + k * 10, 112 + k * 4.6), (104 + k * 10, 100 + k * 5)], white if light(o.c) < 200 else o.e, 3)
        p.rect(36, 118, 46, 150, o.d, 2)
    p.poly([(170, 138, 14), (196, 140, 16), (210, 160), (210, 170), (166, 170)], white, 8)
    p.rect(34, 160, 212, 178, white, 6)
    p.line([(36, 166), (210, 166)], (190, 60, 60) if o.name != "大红" else (70, 90, 140), 2)


def board(p, o, f):
    canvas(p, o, "低帮")
    p.poly([(60, 132), (74, 128), (86, 154), (72, 156)], o.d, 2)
    p.poly([(84, 130), (98, 126), (110, 154), (96, 156)], o.d, 2)
    if "德训" in f:
        p.rect(34, 160, 212, 178, (196, 144, 90), 6)
        p.poly([(164, 134, 12), (192, 140, 14), (206, 160), (158, 160)], (206, 196, 178), 6)
    else:
        p.rect(36, 98, 50, 118, (96, 160, 126), 4)


def leather(p, o, f):
    heel = mix(o.c, (0, 0, 0), .35)
    if "玛丽珍" in f:
        p.poly([(42, 112, 8), (64, 118, 16), (84, 138, 20), (134, 138, 16), (150, 122, 14), (190, 128, 22), (208, 150), (208, 170), (38, 170)], o.c, 6)
        p.line([(104, 140), (112, 112), (128, 108), (138, 128)], o.c, 9, 10)
        p.rect(108, 106, 124, 118, o.m, 3)
    else:
        p.poly([(40, 102, 8), (74, 96, 10), (100, 104, 8), (148, 126, 26), (204, 140, 20), (214, 160), (212, 170), (38, 170)], o.c, 7)
        if "德比" in f:
            p.poly([(76, 94), (98, 88), (136, 120), (118, 132), (84, 124)], o.d, 4)
            for k in range(4):
                p.line([(96 + k * 8, 112 + k * 4), (106 + k * 8, 102 + k * 5)], o.l, 2.6)
            p.line([(166, 132), (160, 150), (164, 166)], o.e, 2, 8)
        else:
            p.poly([(70, 98), (104, 106), (96, 120), (76, 118)], mix(o.d, (0, 0, 0), .25), 4)
            p.poly([(106, 108), (138, 120), (126, 152), (96, 140)], o.d, 4)
            p.line([(104, 130), (132, 140)], o.m, 4.4)
            p.line([(140, 124), (176, 130), (200, 148)], o.l, 1.8, 18)
    if "豆豆" in f:
        for x in range(44, 210, 13):
            p.ell(x, 176, 4.6, 4.2, heel, False)
        p.rect(38, 164, 212, 173, heel, 3)
    else:
        p.rect(36, 166, 214, 176, heel, 4)
        p.poly([(36, 172), (86, 172), (84, 186), (38, 186)], heel, 2)


def heels(p, o, f):
    flat, block = "平底" in f, "方跟" in f
    inner = mix(o.l, (255, 240, 225), .5)
    if flat:
        p.poly([(34, 128, 8), (56, 134, 16), (90, 150, 20), (130, 146, 20), (160, 132, 14), (198, 146, 20), (212, 168), (208, 174), (36, 174)], o.c, 6)
        p.line([(38, 132), (58, 137), (92, 153), (130, 149), (158, 136)], o.d, 3, 16)
        p.poly([(156, 136), (142, 126), (142, 146)], o.d, 3)
        p.poly([(158, 136), (174, 126), (172, 146)], o.d, 3)
        p.rect(34, 170, 212, 177, o.d, 3)
        return
    lift = 26 if block else 58
    y = 174 - lift
    p.poly([(34, y - 38, 8), (54, y - 30, 16), (94, y + 2, 30), (140, 152 - (4 if block else 0), 20), (168, 142, 12), (206, 164, 14), (214, 176), (150, 176, 20), (108, 168 if block else 160, 30), (56, y + 12, 16), (40, y + 6)], o.c, 6)
    p.line([(40, y - 32), (56, y - 26), (96, y + 6), (140, 155), (166, 145)], inner, 3, 20)
    if block:
        p.poly([(38, y), (72, y + 10), (70, 178), (42, 178)], o.d, 3)
    else:
        p.poly([(38, y - 2), (62, y + 10), (46, 178), (40, 178)], o.d, 2)
    p.line([(104, 168 if block else 162), (152, 177), (212, 177)], o.d, 3.4, 14)
    if not block:
        p.ell(180, 156, 5, 5, o.m)


def sandal(p, o, f):
    cork = (196, 160, 116)
    if "洞洞" in f:
        p.poly([(46, 126, 8), (92, 124), (104, 104, 20), (170, 104, 30), (212, 140, 22), (208, 166), (42, 166)], o.c, 10)
        p.line([(96, 124), (58, 108), (44, 128), (50, 140)], o.d, 9, 14)
        p.ell(94, 124, 6, 6, o.l)
        for x, y in ((128, 120), (150, 116), (172, 122), (138, 136), (160, 134), (182, 138), (194, 150), (150, 150), (172, 152)):
            p.ell(x, y, 4.4, 4.4, mix(o.d, (0, 0, 0), .25), False)
        p.poly([(38, 158), (212, 158), (214, 172), (206, 182), (44, 182)], o.d, 7)
        return
    if "细带" in f:
        p.poly([(36, 112), (70, 124, 20), (120, 164, 20), (206, 164), (212, 172), (112, 176, 10), (62, 138, 18), (38, 126)], (214, 186, 150), 4)
        p.poly([(38, 122), (60, 135), (50, 186), (42, 186)], (178, 142, 104), 2)
        p.band([(44, 116), (46, 84)], o.c, 6)
        p.band([(44, 84), (64, 72), (92, 78), (94, 88), (66, 94), (46, 86)], o.c, 5, 10)
        p.band([(156, 164), (168, 136), (184, 138), (196, 164)], o.c, 8, 12)
        p.band([(132, 164), (142, 142), (158, 140), (168, 160)], o.c, 6, 10)
        return p.ell(92, 83, 5, 5, o.m)
    thick = 28 if "厚底" in f else 16
    dark = (66, 62, 60)
    p.poly([(36, 158), (208, 158), (214, 166), (206, 160 + thick), (40, 160 + thick)], dark if "沙滩" in f else cork, 7)
    p.poly([(34, 148, 8), (80, 156, 20), (208, 150, 10), (212, 162), (36, 164)], (226, 196, 158), 5)
    if "沙滩" in f or "儿童" in f:
        p.poly([(150, 158), (156, 122, 16), (190, 124, 22), (212, 150, 12), (211, 160)], o.c, 10)
        p.band([(112, 156), (130, 120), (156, 124)], o.c, 13, 14)
    else:
        p.poly([(128, 158), (138, 116, 14), (164, 112, 14), (178, 156)], o.c, 8)
        p.poly([(164, 158), (170, 126, 14), (190, 128, 14), (206, 154)], o.c, 8)
    p.poly([(38, 152), (40, 104, 8), (58, 100, 8), (64, 132, 14), (82, 156)], o.c, 8)
    p.band([(48, 104), (72, 84), (98, 88), (104, 104), (78, 112), (54, 108)], o.d, 9, 14)
    p.rect(92, 86, 110, 104, o.m if "厚底" in f else o.l, 3)


def boot(p, o, f):
    rub = mix(o.c, (0, 0, 0), .4) if light(o.c) > 60 else (30, 30, 33)
    if "瘦瘦" in f:
        p.poly([(78, 28, 6), (128, 28, 6), (126, 90, 20), (122, 136, 16), (150, 158, 20), (196, 170, 14), (200, 186), (82, 186), (78, 120, 20)], o.c, 6)
        p.poly([(80, 182), (114, 184), (110, 212), (86, 212)], rub, 3)
        p.poly([(116, 182), (202, 182), (200, 190), (118, 190)], rub, 3)
        p.line([(118, 34), (114, 132)], o.l, 3)
        return
    if "雪地" in f:
        p.poly([(58, 54, 8), (134, 54, 8), (136, 112, 20), (184, 128, 26), (204, 172, 12), (58, 172)], o.c, 10)
        p.line([(58, 58), (134, 58)], (244, 234, 214), 20)
        for x in range(56, 138, 10):
            p.ell(x, 50, 7, 7, (244, 234, 214), False)
        p.line([(96, 72), (98, 168)], o.e, 2)
        p.line([(136, 114), (122, 140), (126, 168)], o.e, 2, 14)
        p.rect(54, 168, 208, 188, (236, 222, 196) if o.name == "焦糖" else rub, 7)
        return
    if "雨靴" in f:
        p.poly([(62, 36, 6), (130, 36, 6), (130, 120, 20), (176, 138, 26), (206, 168, 16), (206, 178), (60, 178)], o.c, 8)
        p.rect(60, 34, 132, 50, o.d, 4)
        p.line([(78, 60), (80, 150)], o.l, 6)
        p.rect(56, 172, 210, 190, (230, 220, 190), 6)
        return p.line([(64, 160), (204, 160)], o.d, 3)
    if "切尔西" in f:
        p.poly([(60, 50, 6), (128, 50, 6), (128, 112, 20), (170, 132, 26), (206, 158, 16), (206, 176), (58, 176)], o.c, 7)
        p.poly([(82, 54), (110, 54), (106, 128, 16), (96, 136, 6), (86, 128, 16)], rub, 6)
        for y in range(62, 128, 7):
            p.line([(86, y), (106, y)], mix(rub, (255, 255, 255), .25), 1.2)
        p.rect(60, 36, 72, 58, rub, 3)
        p.rect(56, 172, 210, 184, rub, 4)
        return p.rect(58, 182, 100, 198, rub, 2)
    p.poly([(58, 40, 6), (122, 40, 6), (124, 108, 18), (160, 128, 22), (204, 142, 22), (210, 172), (56, 172)], o.c, 7)
    p.poly([(104, 42), (124, 40), (128, 106), (158, 126), (146, 134), (112, 116)], o.d, 4)
    for k in range(7):
        x, y = 104 + [0, 1, 2, 4, 8, 18, 30][k], 52 + k * 11
        p.line([(x, y), (x + 18, y - 2 + k * .6)], (230, 200, 90) if o.name == "黑色" else o.l, 3)
    p.line([(168, 132), (162, 152), (166, 168)], o.e, 2, 8)
    p.line([(56, 168), (210, 168)], (226, 190, 90), 2.6)
    p.rect(52, 170, 214, 186, rub, 5)
    p.rect(54, 180, 104, 198, rub, 3)
    for x in range(116, 208, 14):
        p.rect(x, 184, x + 8, 192, rub, 2)
    p.rect(54, 30, 66, 48, o.d, 3)


def slipper(p, o, f):
    """A pair, seen from above."""
    if "人字" in f:
        for x in (80, 160):
            p.poly([(x - 28, 60, 26), (x + 28, 60, 26), (x + 26, 120, 30), (x + 22, 206, 22), (x - 22, 206, 22), (x - 26, 120, 30)], (236, 214, 178), 26)
            p.poly([(x - 22, 66, 22), (x + 22, 66, 22), (x + 20, 120, 26), (x + 17, 199, 18), (x - 17, 199, 18), (x - 20, 120, 26)], (246, 230, 202), 22, False)
            p.line([(x, 82), (x - 22, 134)], o.c, 9, 0)
            p.line([(x, 82), (x + 22, 134)], o.c, 9, 0)
            p.ell(x, 81, 6, 6, o.c)
        return
    for x in (78, 162):
        p.poly([(x - 32, 48, 26), (x + 32, 48, 26), (x + 31, 130, 30), (x + 26, 208, 26), (x - 26, 208, 26), (x - 31, 130, 30)], o.d, 26)
        inner = (246, 238, 226) if "绒" in f or "棉拖" in f else mix(o.l, (255, 255, 255), .3)
        p.poly([(x - 25, 60, 22), (x + 25, 60, 22), (x + 24, 130, 26), (x + 20, 200, 20), (x - 20, 200, 20), (x - 24, 130, 26)], inner, 22, False)
        p.poly([(x - 34, 46, 28), (x + 34, 46, 28), (x + 36, 128, 10), (x, 116, 20), (x - 36, 128, 10)], o.c, 12)
        if "绒" in f:
            for k in range(-32, 36, 9):
                p.ell(x + k, 122 + abs(k) * .12, 7, 7, (250, 244, 234), False)
            p.line([(x - 24, 196), (x, 208), (x + 24, 196)], o.c, 13, 18)
            bear(p, x, 86, 11, (160, 112, 76) if light(o.c) > 150 else (240, 222, 196))
        elif "棉麻" in f:
            for k in range(62, 118, 8):
                p.line([(x - 28, k), (x + 28, k)], o.d, 1.6)
        elif "折叠" in f:
            p.line([(x - 26, 150), (x + 26, 150)], o.e, 2)
            p.line([(x - 28, 104), (x + 28, 104)], o.l, 3)
        else:
            p.line([(x - 24, 84), (x, 76), (x + 24, 84)], o.l, 5, 16)
            p.line([(x - 27, 100), (x, 92), (x + 27, 100)], o.d, 3, 16)


def kidshoe(p, o, f):
    if "雪地" in f:
        boot(p, o, "雪地")
        return p.rect(80, 92, 140, 108, o.d, 4)
    if "凉鞋" in f:
        sandal(p, o, "儿童")
        return star(p, 188, 144, 7, (250, 226, 120))
    baby = "学步" in f
    p.poly([(46, 100, 12), (88, 94, 10), (108, 112, 8), (158, 112, 30), (204, 140, 24), (206, 164), (42, 164)], o.c, 12)
    p.poly([(164, 118, 18), (196, 136, 20), (206, 164), (156, 164)], o.d, 10)
    white = (250, 249, 246)
    for k in range(2):
        p.poly([(96 + k * 22, 106 + k * 6), (116 + k * 22, 110 + k * 3), (112 + k * 22, 148), (92 + k * 22, 146)], white if light(o.c) < 215 else o.d, 5)
    p.poly([(38, 156), (208, 156), (212, 168), (204, 180), (44, 180)], (226, 186, 130) if baby else white, 8)
    if baby:
        bear(p, 66, 132, 11)
    else:
        star(p, 66, 132, 13, (250, 214, 80))


# ---- bags ---------------------------------------------------------------------------------------

def backpack(p, o, f):
    p.line([(102, 52), (106, 30), (134, 30), (138, 52)], o.d, 7, 12)
    if "徒步" in f:
        p.poly(m([(94, 66), (76, 80), (76, 200), (90, 212)]), o.c, 10)
        p.poly([(84, 44, 14), (156, 44, 14), (168, 84, 8), (72, 84, 8)], o.d, 12)
        p.both([(58, 130), (76, 126), (78, 196), (60, 192)], o.d, 6)
        p.rect(88, 132, 152, 196, o.l, 8)
        p.lines2([(100, 82), (100, 130)], (60, 60, 64), 5)
        p.rect(94, 94, 106, 104, (60, 60, 64), 2)
        p.rect(134, 94, 146, 104, (60, 60, 64), 2)
        return p.line([(96, 164), (110, 146), (120, 156), (132, 142), (146, 164)], o.d, 3)
    p.both([(62, 108), (78, 104), (78, 190), (64, 186)], o.d, 8)
    p.poly([(76, 80, 30), (92, 46, 26), (148, 46, 26), (164, 80, 30), (168, 206, 16), (72, 206, 16)], o.c, 22)
    p.line([(84, 118), (88, 74), (104, 60), (136, 60), (152, 74), (156, 118)], o.e, 2.4, 20)
    p.rect(84, 134, 156, 196, o.d, 12)
    p.line([(90, 148), (150, 148)], o.s, 2.6)
    p.rect(116, 146, 124, 160, o.s, 2)
    kid = "小学生" in f
    if kid:
        bear(p, 120, 100, 18)
        p.both([(74, 196), (92, 196), (92, 202), (74, 202)], (250, 240, 150), 2)
    elif "中学生" in f:
        p.rect(104, 88, 136, 110, o.l, 4)
        p.line([(84, 124), (156, 124)], (236, 240, 190), 3)
    elif "妈咪" in f:
        p.rect(104, 164, 118, 190, o.w, 5)
        p.rect(107, 156, 115, 166, (240, 190, 170), 3)
        heart(p, 136, 176, 7, (226, 130, 130))
    elif "折叠" in f:
        p.line([(84, 126), (156, 126)], o.l, 3)
        p.ell(120, 96, 12, 12, o.l)
    else:
        p.rect(100, 92, 140, 110, o.d, 4)
        p.line([(106, 101), (134, 101)], o.l, 2)


def shoulder(p, o, f):
    if "云朵" in f:
        p.line([(74, 116), (88, 52), (120, 38), (152, 52), (166, 116)], o.d, 8, 30)
        for x, y, r in ((80, 136, 34), (160, 136, 34), (120, 124, 36), (98, 160, 34), (142, 160, 34)):
            p.ell(x, y, r, r, o.c)
        p.poly([(56, 130, 20), (90, 102, 20), (150, 102, 20), (184, 130, 20), (182, 180, 24), (58, 180, 24)], o.c, 24, False)
        for x in (82, 102, 122, 142, 162):
            p.line([(120 + (x - 120) * .8, 108), (x - 3, 136), (x + 2, 164)], o.d, 2, 10)
        return p.ell(120, 110, 5, 5, o.m)
    if "帆布" in f:
        p.line([(66, 110), (84, 48), (120, 34), (156, 48), (174, 110)], o.d, 9, 30)
        p.poly([(54, 104, 14), (120, 116, 40), (186, 104, 14), (196, 176, 34), (160, 202, 30), (80, 202, 30), (44, 176, 34)], o.c, 14)
        p.line([(58, 110), (120, 122), (182, 110)], o.e, 2, 40)
        return p.rect(104, 146, 136, 166, (176, 120, 76), 3)
    p.line([(64, 114), (78, 62), (120, 44), (162, 62), (176, 114)], o.d, 7, 30)
    p.poly([(50, 112, 12), (190, 112, 12), (184, 176, 20), (56, 176, 20)], o.c, 14)
    p.poly([(50, 110, 12), (190, 110, 12), (186, 138, 10), (120, 152, 16), (54, 138, 10)], o.d, 10)
    p.ell(120, 144, 7, 7, o.m)
    p.ell(64, 114, 5, 5, o.m)
    p.ell(176, 114, 5, 5, o.m)


def crossbody(p, o, f):
    if "胸包" in f:
        p.band([(118, 60), (150, 24), (196, 60), (186, 150), (140, 196)], o.d, 9, 40)
        p.poly([(80, 76, 20), (148, 54, 22), (164, 176, 30), (128, 212, 26), (92, 186, 26)], o.c, 24)
        p.line([(92, 104), (148, 88)], o.s, 3.2)
        p.poly([(96, 124), (152, 110), (156, 160, 14), (126, 190, 14), (104, 172)], o.d, 10)
        p.line([(104, 136), (146, 126)], o.s, 2.4)
        return p.rect(142, 124, 150, 142, o.s, 2)
    p.line([(56, 120), (40, 60), (120, 22), (200, 60), (184, 120)], o.d, 5, 60)
    big = "邮差" in f
    p.rect(46, 96, 194, 204 if big else 192, o.c, 14)
    p.poly([(44, 94, 10), (196, 94, 10), (192, 150, 16), (48, 150, 16)], o.d, 12)
    if big:
        for x in (84, 156):
            p.rect(x - 7, 124, x + 7, 178, mix(o.d, (0, 0, 0), .2), 3)
            p.rect(x - 9, 156, x + 9, 170, o.m, 3)
    else:
        p.rect(108, 138, 132, 160, o.m, 5)
        p.line([(56, 144), (184, 144)], o.l, 1.4)
    p.ell(56, 110, 4.5, 4.5, o.m)
    p.ell(184, 110, 4.5, 4.5, o.m)


def tote(p, o, f):
    p.line([(90, 112), (92, 46), (148, 46), (150, 112)], mix(o.d, (0, 0, 0), .12), 8, 24)
    p.poly([(52, 92), (188, 92), (176, 206), (64, 206)], o.c, 6)
    if "印花" in f:
        cloud(p, 120, 142, 1.2)
        p.line([(58, 102), (182, 102)], o.e, 1.4)
    elif "尼龙" in f:
        for x in (76, 98, 120, 142, 164):
            p.line([(x, 106), (120 + (x - 120) * .86, 198)], o.d, 2)
        p.line([(54, 98), (186, 98)], o.s, 3.4)
        p.rect(104, 132, 136, 146, o.l, 3)
    else:
        p.lines2([(90, 92), (96, 204)], o.d, 4)
        p.line([(56, 104), (184, 104)], o.d, 2)
        p.ell(120, 122, 6, 6, o.m)
    p.lines2([(90, 104), (90, 128)], mix(o.d, (0, 0, 0), .12), 8)


def suitcase(p, o, f):
    if "儿童" in f:
        p.line([(120, 92), (120, 40)], o.s, 5)
        p.line([(96, 40), (144, 40)], (80, 84, 90), 8)
        p.rect(50, 92, 190, 188, o.c, 40)
        p.line([(52, 140), (188, 140)], o.d, 4)
        p.ell(86, 118, 7, 8, (60, 60, 66), False)
        p.ell(154, 118, 7, 8, (60, 60, 66), False)
        p.line([(104, 128), (120, 136), (136, 128)], (60, 60, 66), 3, 10)
        p.both([(52, 88), (72, 76, 8), (86, 92)], o.d, 8)
        for x in (76, 164):
            p.ell(x, 196, 12, 12, (70, 72, 78))
            p.ell(x, 196, 5, 5, o.s, False)
        return
    p.lines2([(102, 70), (102, 26)], o.s, 4)
    p.line([(98, 25), (142, 25)], (80, 84, 90), 7)
    p.rect(68, 66, 172, 200, o.c, 14)
    if "前开口" in f:
        p.rect(78, 76, 162, 138, o.d, 8)
        p.line([(86, 86), (154, 86)], o.s, 2.6)
        for x in (90, 110, 130, 150):
            p.line([(x, 146), (x, 192)], o.d, 3)
    else:
        for x in (82, 97, 112, 128, 143, 158):
            p.line([(x, 76), (x, 190)], o.d, 3.6)
    if "铝框" in f:
        p.line([(68, 132), (172, 132)], (236, 238, 240), 7)
        p.rect(84, 126, 98, 140, (120, 126, 132), 2)
        p.rect(142, 126, 156, 140, (120, 126, 132), 2)
        p.both([(66, 64), (86, 64), (66, 84)], (226, 230, 232), 5)
    p.rect(104, 60, 136, 70, (80, 84, 90), 4)
    for x in (82, 158):
        p.rect(x - 7, 198, x + 7, 208, (80, 84, 90), 3)
        p.ell(x, 211, 7, 7, (60, 62, 68))


def duffel(p, o, f):
    p.line([(84, 110), (92, 62), (148, 62), (156, 110)], o.d, 8, 24)
    p.poly([(40, 112, 26), (66, 92, 20), (174, 92, 20), (200, 112, 26), (204, 186, 18), (36, 186, 18)], o.c, 18)
    p.line([(58, 100), (182, 100)], o.s, 3.4)
    p.lines2([(84, 104), (84, 186)], o.d, 9)
    p.rect(98, 128, 142, 170, o.d, 6)
    p.lines2([(46, 128), (46, 176)], o.l, 3)


def waist(p, o, f):
    p.line([(20, 92), (60, 112), (180, 112), (220, 92)], o.d, 13, 30)
    if "弹力" in f:
        p.poly([(48, 100, 20), (192, 100, 20), (196, 128, 20), (184, 150, 20), (56, 150, 20), (44, 128, 20)], o.c, 20)
        p.line([(64, 114), (176, 114)], (220, 236, 80) if light(o.c) < 150 else o.e, 3.4)
        return p.ell(182, 132, 4, 4, o.s)
    p.poly([(54, 92, 20), (186, 92, 20), (192, 130, 30), (168, 176, 26), (72, 176, 26), (48, 130, 30)], o.c, 20)
    p.line([(62, 108), (178, 108)], o.s, 3.2)
    p.rect(78, 124, 162, 164, o.d, 12)
    p.line([(84, 136), (156, 136)], o.s, 2.4)
    p.rect(200, 84, 224, 100, (60, 62, 68), 4)


def wallet(p, o, f):
    if "长款" in f:
        p.rect(36, 80, 204, 172, o.c, 12)
        p.line([(44, 90), (196, 90), (196, 164)], o.m, 3.4, 8)
        p.rect(188, 96, 196, 118, o.m, 3)
        p.line([(44, 146), (44, 196), (62, 204), (66, 180)], o.d, 6, 14)
        p.ell(120, 132, 13, 13, o.d)
        return heart(p, 120, 131, 7, o.m)
    if "卡包" in f:
        for k in range(4):
            p.poly([(66 + k * 6, 62 + k * 5), (178 - k * 2, 56 + k * 7), (178, 100), (66, 100)], [(240, 206, 120), (136, 176, 214), (236, 150, 140), (210, 226, 214)][k], 5)
        p.rect(54, 90, 186, 186, o.c, 14)
        p.line([(62, 104), (178, 104)], o.m, 3.4)
        p.rect(168, 102, 176, 124, o.m, 3)
        return p.rect(82, 132, 158, 166, o.d, 6)
    p.rect(66, 62, 184, 120, (126, 170, 128), 4)
    p.rect(74, 70, 176, 118, (206, 222, 196), 3)
    p.rect(48, 84, 192, 184, o.c, 12)
    p.poly([(54, 90), (186, 90), (186, 178), (54, 178)], o.c, 8, o.l, 1.2)
    p.rect(150, 122, 196, 148, o.d, 8)
    p.ell(164, 135, 5, 5, o.m)


# ---- home ---------------------------------------------------------------------------------------

def cup(p, o, f):
    if "吸管" in f and "儿童" not in f:
        p.rect(78, 74, 162, 212, o.c, 16)
        p.rect(84, 46, 156, 78, o.d, 8)
        p.line([(98, 48), (104, 28), (140, 28), (146, 48)], o.d, 8, 12)
        p.line([(126, 44), (138, 18)], (240, 240, 238), 6)
        p.line([(164, 96), (188, 106), (188, 160), (164, 172)], o.d, 9, 18)
        p.rect(78, 184, 162, 214, o.d, 10)
        return p.line([(94, 92), (94, 172)], o.l, 6)
    if "咖啡" in f:
        p.poly([(76, 66), (164, 66), (152, 208), (88, 208)], o.c, 10)
        p.rect(70, 48, 170, 70, (92, 72, 58), 8)
        p.rect(106, 40, 134, 52, (92, 72, 58), 5)
        p.poly([(80, 104), (160, 104), (156, 150), (84, 150)], (186, 132, 88), 3)
        p.ell(120, 127, 10, 14, (232, 206, 170), False)
        return p.line([(120, 116), (117, 127), (121, 138)], (150, 100, 64), 2, 5)
    if "儿童" in f:
        p.line([(82, 84), (52, 120), (66, 190)], o.d, 6, 40)
        p.rect(84, 80, 156, 210, o.c, 14)
        p.rect(82, 50, 158, 84, o.d, 12)
        p.poly([(112, 50), (116, 26), (136, 24), (132, 50)], (244, 244, 242), 5)
        bear(p, 120, 136, 20)
        return p.rect(84, 188, 156, 212, o.d, 8)
    p.rect(86, 66, 154, 212, o.c, 14)
    p.rect(90, 36, 150, 70, o.d, 8)
    p.rect(86, 66, 154, 78, o.s, 3)
    p.line([(100, 90), (100, 192)], o.l, 6)
    p.ell(126, 140, 9, 9, o.d, False)
    p.line([(88, 200), (152, 200)], o.d, 2)


def pillow(p, o, f):
    if "动物" in f:
        p.poly([(58, 150, 30), (70, 92, 40), (170, 92, 40), (182, 150, 30), (178, 206, 34), (62, 206, 34)], o.c, 40)
        p.both([(82, 106), (70, 34, 18), (98, 34, 18), (108, 98)], o.c, 16)
        p.both([(86, 92), (80, 50, 10), (92, 50, 10), (99, 90)], mix(o.c, (240, 150, 160), .5), 8, False)
        for x in (100, 140):
            p.ell(x, 128, 5, 6, (60, 56, 60), False)
        p.ell(120, 142, 6, 4.4, (222, 120, 126), False)
        p.line([(106, 152), (114, 156), (120, 148), (126, 156), (134, 152)], (110, 80, 80), 2.2, 5)
        return p.both([(82, 142), (94, 138), (96, 150), (84, 152)], mix(o.c, (244, 140, 150), .55), 6, False)
    if "腰靠" in f:
        p.line([(34, 128), (206, 128)], (70, 72, 78), 10)
        p.poly([(56, 86, 24), (90, 74, 30), (150, 74, 30), (184, 86, 24), (188, 176, 30), (120, 162, 60), (52, 176, 30)], o.c, 26)
        p.line([(120, 80), (120, 160)], o.d, 3)
        return [p.lines2([(64 + k * 10, 94 - k), (62 + k * 10, 160 - k * 2)], o.d, 1.6) for k in range(5)]
    p.poly([(48, 56, 14), (120, 66, 60), (192, 56, 14), (182, 124, 60), (192, 196, 14), (120, 186, 60), (48, 196, 14), (58, 124, 60)], o.c, 14)
    for x in range(68, 180, 10):
        p.line([(x, 72), (x, 180)], o.d, 2)
    p.line([(60, 70), (68, 92)], o.l, 3)


def blanket(p, o, f):
    if "流苏" in f:
        p.poly([(56, 58), (184, 58), (190, 184), (50, 184)], o.c, 8)
        for y in range(72, 176, 14):
            for x in range(62, 176, 14):
                p.line([(x, y), (x + 6, y + 6), (x + 12, y)], o.d, 2)
        for x in range(54, 190, 8):
            p.line([(x, 186), (x - 1, 206)], o.e, 2.2)
        return p.poly([(56, 58), (120, 58), (86, 104)], o.l, 8)
    two = "双层" in f
    for k, y in enumerate((164, 130, 96)):
        fill = (o.c, o.l, o.c)[k] if not two else (o.c, (180, 120, 84) if light(o.c) > 200 else o.w, o.c)[k]
        p.poly([(44, y, 16), (190, y, 16), (202, y + 17, 16), (190, y + 36, 16), (44, y + 36, 16)], fill, 16)
        p.line([(60, y + 12), (176, y + 12)], edge_of(fill), 1.6)
        p.line([(60, y + 23), (184, y + 23)], edge_of(fill), 1.6)
    if two:
        for x in range(54, 190, 12):
            p.ell(x, 97, 7, 6, o.l, False)
    p.poly([(104, 94), (136, 94), (136, 200), (104, 200)], mix(o.d, (255, 255, 255), .1), 3)
    p.poly([(120, 146), (102, 132, 8), (102, 160, 8)], o.w, 5)
    p.poly([(120, 146), (138, 132, 8), (138, 160, 8)], o.w, 5)


def bedding(p, o, f):
    wood = (186, 146, 106)
    if "被" in f and "套件" not in f and "四件套" not in f and "三件套" not in f:
        for k, y in enumerate((160, 128, 96)):
            p.poly([(40, y, 18), (200, y, 18), (206, y + 22, 18), (200, y + 44, 18), (40, y + 44, 18)], o.c if k != 1 else o.d, 18)
            for x in range(62, 196, 22):
                p.line([(x, y + 12), (x, y + 32)], o.e, 1.2)
        return
    p.rect(34, 52, 206, 120, wood, 12)
    p.rect(40, 90, 200, 196, (250, 249, 246), 10)
    one = "三件套" in f
    xs = ((82, 158),) if one else ((50, 114), (126, 190))
    for a, b in xs:
        p.poly([(a, 84, 10), ((a + b) / 2, 80, 20), (b, 84, 10), (b, 116, 10), ((a + b) / 2, 120, 20), (a, 116, 10)], o.l if light(o.c) < 225 else o.d, 10)
    p.poly([(38, 122, 10), (202, 122, 10), (208, 200, 12), (32, 200, 12)], o.c, 10)
    p.poly([(38, 122, 10), (202, 122, 10), (203, 142), (37, 142)], o.l if light(o.c) < 225 else o.d, 8)
    for a in (70, 120, 170):
        p.line([(a, 150), (a + (a - 120) * .06, 194)], o.d, 2.4)
    p.line([(38, 202), (38, 210)], wood, 8)
    p.line([(202, 202), (202, 210)], wood, 8)


def towel(p, o, f):
    if "干发帽" in f:
        p.poly([(60, 160, 20), (66, 92, 44), (120, 48, 60), (174, 92, 44), (180, 160, 20), (120, 178, 60)], o.c, 24)
        p.line([(62, 152), (120, 170), (178, 152)], o.d, 12, 40)
        p.line([(120, 56), (100, 100), (112, 150)], o.d, 3, 30)
        p.line([(122, 56), (150, 90), (146, 140)], o.d, 3, 30)
        p.poly([(120, 54), (130, 34, 8), (152, 40, 10), (142, 66, 8)], o.d, 8)
        return p.ell(120, 164, 6, 6, o.w)
    if "连帽" in f:
        p.poly(m([(120, 56), (58, 104, 20), (44, 200, 16)]), o.c, 10)
        p.poly([(78, 96, 20), (86, 52, 30), (154, 52, 30), (162, 96, 20), (120, 118, 20)], o.l, 20)
        p.ell(90, 54, 13, 13, o.d)
        p.ell(150, 54, 13, 13, o.d)
        bear(p, 120, 92, 14)
        return p.lines2([(60, 130), (56, 190)], o.d, 2)
    if "浴巾" in f:
        p.rect(40, 48, 200, 56, (150, 120, 92), 4)
        p.rect(62, 50, 178, 206, o.c, 6)
        p.rect(62, 168, 178, 180, o.d, 2)
        p.line([(64, 188), (176, 188)], o.d, 2)
        p.line([(120, 60), (120, 164)], o.d, 2)
        return
    for k, y in enumerate((152, 114, 76)):
        fill = [(201, 143, 139), (198, 202, 206), o.c][k]
        p.poly([(46, y, 16), (186, y, 16), (202, y + 19, 18), (186, y + 38, 16), (46, y + 38, 16)], fill, 16)
        p.line([(58, y + 19), (190, y + 19)], edge_of(fill), 1.6)
        p.line([(160, y + 4), (160, y + 34)], edge_of(fill), 3)


def box(p, o, f):
    if "化妆品" in f:
        glass = mix(o.c, (255, 255, 255), .2)
        p.rect(54, 82, 186, 204, glass, 8)
        for y in (112, 142, 172):
            p.rect(60, y, 180, y + 26, mix(glass, (255, 255, 255), .5), 4)
            p.ell(120, y + 13, 5, 5, (226, 168, 160))
        p.rect(70, 48, 84, 84, (206, 84, 92), 3)
        p.rect(94, 60, 112, 84, (240, 206, 150), 4)
        p.rect(124, 40, 136, 84, (150, 130, 180), 3)
        return p.rect(146, 58, 172, 84, (244, 228, 222), 6)
    if "塑料" in f:
        p.poly([(46, 92), (194, 92), (184, 198), (56, 198)], mix(o.c, (255, 255, 255), .3), 10)
        p.poly([(66, 150), (106, 150), (106, 192), (66, 192)], (236, 186, 180), 6, False)
        p.poly([(110, 138), (172, 138), (168, 192), (110, 192)], (150, 188, 214), 6, False)
        p.poly([(68, 124), (106, 124), (106, 148), (68, 148)], (244, 220, 150), 6, False)
        p.rect(38, 76, 202, 98, (120, 160, 190), 7)
        p.both([(38, 94), (54, 94), (56, 118), (42, 118)], (90, 130, 160), 4)
        return [p.ell(x, 202, 7, 7, (80, 84, 90)) for x in (72, 168)]
    p.rect(46, 96, 194, 202, o.c, 6)
    p.rect(40, 76, 200, 102, o.d, 5)
    p.line([(44, 90), (196, 90)], o.s, 2.4)
    p.rect(84, 118, 156, 162, (214, 230, 238), 5)
    p.line([(94, 152), (110, 128)], (250, 252, 254), 5)
    p.rect(98, 176, 142, 188, o.d, 5)


def humidifier(p, o, f):
    mist = (196, 216, 230)
    for x, y, r in ((120, 52, 11), (106, 38, 9), (136, 34, 10), (120, 22, 7)):
        p.ell(x, y, r, r, mist, False)
    if "USB" in f:
        p.poly([(88, 100, 20), (152, 100, 20), (158, 196, 14), (82, 196, 14)], o.c, 18)
        p.ell(120, 100, 30, 10, o.d)
        p.rect(112, 66, 128, 98, o.d, 6)
        p.line([(84, 166), (156, 166)], (250, 214, 140), 6)
        p.line([(156, 188), (186, 192), (196, 170)], (90, 92, 98), 4, 14)
        return p.rect(189, 152, 203, 170, (90, 92, 98), 3)
    p.poly([(82, 88, 34), (158, 88, 34), (172, 148, 20), (164, 206, 18), (76, 206, 18), (68, 148, 20)], o.c, 28)
    p.poly([(74, 152), (166, 152), (163, 182), (77, 182)], (166, 206, 232), 6)
    p.rect(104, 66, 136, 92, o.d, 8)
    p.ell(120, 194, 6, 6, (110, 190, 160), False)
    p.line([(92, 104), (86, 140)], (255, 255, 255), 5)


def lamp(p, o, f):
    glow = (253, 236, 178)
    if "星空" in f:
        night = (58, 70, 120)
        p.poly([(120, 150), (34, 40, 30), (206, 40, 30)], night, 20, False)
        for x, y, r in ((80, 62, 8), (120, 52, 6), (158, 64, 9), (104, 84, 5), (138, 92, 7), (120, 112, 5), (62, 50, 4), (180, 48, 4)):
            star(p, x, y, r, (252, 232, 160))
        p.poly([(78, 164, 40), (88, 132, 30), (152, 132, 30), (162, 164, 40)], o.c, 20)
        p.rect(74, 160, 166, 202, o.d, 12)
        return p.ell(120, 180, 8, 8, (252, 232, 160))
    if "月球" in f:
        p.ell(120, 108, 74, 74, mix(p.back, glow, .6), False)
        p.ell(120, 108, 56, 56, glow, (220, 190, 120))
        for x, y, r in ((100, 88, 11), (138, 104, 14), (110, 130, 9), (146, 76, 6), (92, 116, 5), (130, 142, 6)):
            p.ell(x, y, r, r, (240, 214, 150), False)
        p.poly([(82, 160), (158, 160), (168, 196), (72, 196)], (170, 122, 82), 6)
        return p.line([(82, 172), (158, 172)], (146, 100, 64), 2)
    p.ell(120, 112, 80, 80, mix(p.back, glow, .5), False)
    p.poly([(70, 120, 40), (84, 66, 40), (156, 66, 40), (170, 120, 40), (156, 162, 30), (84, 162, 30)], glow, 40, (222, 196, 130))
    p.rect(84, 150, 156, 186, o.c, 10)
    p.ell(120, 168, 8, 8, (70, 76, 84))
    p.ell(118, 166, 2.6, 2.6, (200, 220, 240), False)
    p.lines2([(38, 168), (52, 160)], (222, 180, 90), 3)
    p.lines2([(30, 140), (46, 138)], (222, 180, 90), 3)


def warmer(p, o, f):
    if "热水袋" in f:
        p.rect(58, 74, 182, 190, o.c, 36)
        p.both([(58, 110), (74, 104), (82, 164), (62, 166)], mix(o.d, (0, 0, 0), .15), 12)
        bear(p, 120, 124, 28)
        p.ell(110, 120, 3, 3, (50, 40, 36), False)
        p.ell(130, 120, 3, 3, (50, 40, 36), False)
        return p.rect(108, 62, 132, 78, o.d, 5)
    p.poly([(62, 124, 50), (84, 70, 50), (156, 70, 50), (178, 124, 50), (156, 192, 50), (84, 192, 50)], o.c, 50)
    p.line([(66, 138), (174, 138)], o.e, 2)
    p.ell(120, 106, 12, 12, o.l)
    p.line([(120, 98), (120, 108)], (230, 110, 80), 3)
    for x in (104, 120, 136):
        p.ell(x, 160, 4, 4, (250, 150, 90) if x < 136 else o.d, False)
    for x in (96, 120, 144):
        p.line([(x, 58), (x - 6, 48), (x + 6, 38), (x, 28)], (238, 130, 92), 4, 8)


def curtain(p, o, f):
    if "门帘" in f:
        p.line([(36, 48), (204, 48)], o.s, 6)
        p.poly([(50, 60), (190, 60), (194, 206), (46, 206)], o.c, 4)
        for x in range(58, 190, 22):
            p.ell(x, 52, 6, 7, (150, 158, 166))
            p.line([(x + 8, 66), (x + 8, 202)], o.d, 2)
        for x, y in ((76, 96), (112, 130), (154, 104), (88, 168), (146, 172)):
            p.poly([(x, y - 10), (x + 7, y + 3, 5), (x, y + 10, 6), (x - 7, y + 3, 5)], (140, 190, 220), 4, False)
        return
    sheer = "纱" in f
    p.rect(64, 54, 176, 196, (206, 228, 242), 2, (190, 200, 208))
    p.line([(120, 54), (120, 196)], (246, 248, 250), 5)
    p.line([(64, 122), (176, 122)], (246, 248, 250), 5)
    p.ell(150, 84, 13, 13, (252, 224, 140), False)
    fill = o.c
    if sheer:
        p.both([(40, 50), (116, 50), (116, 206), (40, 206)], fill, 3)
        for x in range(50, 114, 11):
            p.lines2([(x, 54), (x, 202)], o.d, 1.4)
        p.both([(76, 60), (112, 60), (112, 196), (76, 196)], mix(fill, (206, 228, 242), .5), 3, False)
    else:
        p.both([(38, 48), (104, 48), (92, 110, 20), (62, 138, 10), (74, 206), (38, 206)], fill, 5)
        for x in (50, 64, 80):
            p.lines2([(x, 52), (50 + (x - 50) * .4, 136)], o.d, 2.4)
        for x in (48, 60):
            p.lines2([(x, 146), (x, 202)], o.d, 2.4)
        p.lines2([(38, 138), (64, 138)], o.m, 7)
    p.line([(28, 46), (212, 46)], (138, 104, 74), 7)
    p.ell(26, 46, 7, 7, (138, 104, 74))
    p.ell(214, 46, 7, 7, (138, 104, 74))


def shelf(p, o, f):
    metal = o.c
    if "浴室" in f:
        for y in (96, 164):
            p.poly([(46, y), (194, y), (190, y + 14), (50, y + 14)], metal, 4)
            p.line([(48, y - 14), (192, y - 14)], o.d, 4)
            p.lines2([(48, y - 14), (48, y + 4)], o.d, 4)
        p.rect(66, 50, 92, 94, (150, 200, 180), 7)
        p.rect(74, 38, 84, 52, (90, 96, 100), 3)
        p.rect(104, 60, 128, 94, (244, 214, 150), 6)
        p.rect(142, 46, 168, 94, (222, 160, 170), 8)
        p.rect(66, 136, 124, 162, (250, 249, 246), 10)
        return p.rect(136, 126, 166, 162, (140, 180, 214), 7)
    if "书桌" in f:
        p.rect(54, 44, 186, 118, (70, 74, 82), 6)
        p.rect(60, 50, 180, 112, (150, 190, 220), 3)
        p.rect(110, 118, 130, 130, (70, 74, 82), 2)
        p.rect(30, 128, 210, 142, metal, 4)
        p.both([(34, 142), (46, 142), (46, 192), (34, 192)], metal, 3)
        p.rect(44, 166, 196, 176, o.d, 2)
        p.rect(60, 178, 180, 192, (232, 234, 236), 4)
        p.rect(58, 148, 96, 166, (206, 110, 90), 2)
        return p.rect(106, 152, 160, 166, (120, 160, 130), 2)
    p.lines2([(64, 40), (64, 196)], mix(o.e, (90, 94, 100), .4), 6)
    for y in (58, 106, 154, 190):
        p.rect(56, y, 184, y + 10, metal if y != 190 else o.d, 3)
    p.rect(78, 30, 98, 58, (206, 132, 96), 4)
    p.ell(140, 44, 16, 14, (120, 168, 120))
    p.rect(130, 46, 150, 58, (222, 190, 150), 2)
    for k, c in enumerate(((206, 96, 88), (92, 138, 178), (240, 200, 110), (120, 160, 130))):
        p.rect(76 + k * 12, 74 + (k % 2) * 5, 86 + k * 12, 106, c, 1)
    p.ell(152, 92, 14, 14, (236, 230, 220))
    p.rect(82, 124, 126, 154, (220, 198, 164), 4)
    p.rect(138, 120, 160, 154, (150, 188, 200), 5)
    for x in (68, 172):
        p.ell(x, 208, 8, 8, (70, 74, 80))


def tableware(p, o, f):
    if "筷勺" in f:
        p.rect(48, 58, 106, 206, (170, 204, 196), 12)
        p.line([(66, 74), (66, 190)], (214, 218, 222), 6)
        p.line([(80, 74), (80, 190)], (214, 218, 222), 6)
        p.line([(140, 100), (146, 206)], o.c, 8)
        p.ell(138, 76, 17, 26, o.c)
        p.ell(138, 76, 10, 18, o.l, False)
        p.line([(182, 46), (176, 206)], o.c, 5)
        p.line([(194, 46), (190, 206)], o.c, 5)
        return
    if "饭盒" in f:
        for y in (152, 106):
            p.rect(54, y, 186, y + 46, o.c, 12)
            p.line([(56, y + 6), (184, y + 6)], o.d, 3)
        p.rect(48, 86, 192, 110, o.d, 10)
        p.line([(84, 88), (92, 62), (148, 62), (156, 88)], o.d, 9, 14)
        p.both([(44, 112), (58, 112), (58, 146), (44, 146)], (250, 249, 246), 5)
        return p.ell(120, 130, 8, 8, o.l)
    p.ell(120, 176, 94, 24, o.d)
    p.ell(120, 172, 80, 18, o.c)
    p.poly([(54, 104), (186, 104), (172, 152, 30), (146, 172, 16), (94, 172, 16), (68, 152, 30)], o.c, 8)
    p.ell(120, 104, 66, 17, o.d)
    p.ell(120, 104, 58, 12.5, mix(o.l, (255, 255, 255), .4), False)
    p.line([(66, 130), (96, 148), (144, 148), (174, 130)], (110, 150, 190), 3, 40)
    p.line([(150, 104), (196, 40)], (146, 98, 62), 4)
    p.line([(162, 106), (208, 46)], (146, 98, 62), 4)


def umbrella(p, o, f):
    p.line([(120, 110), (120, 192), (134, 204), (146, 190)], (120, 84, 60), 6, 14)
    p.poly([(28, 122, 4), (40, 70, 40), (120, 34, 70), (200, 70, 40), (212, 122, 4), (166, 112, 20), (120, 124, 4), (74, 112, 20)], o.c, 10)
    p.line([(120, 36), (82, 72), (75, 114)], o.d, 2.4, 40)
    p.line([(120, 36), (158, 72), (165, 114)], o.d, 2.4, 40)
    p.line([(120, 30), (120, 44)], (120, 84, 60), 5)
    p.line([(54, 88), (78, 60)], o.l, 4)


def mat(p, o, f):
    p.poly([(56, 84), (184, 84), (214, 190), (26, 190)], o.c, 12)
    p.poly([(66, 94), (174, 94), (198, 180), (42, 180)], o.c, 8, o.l, 3)
    for x in (96, 136):
        p.ell(x, 136, 10, 15, o.d, False)
        p.ell(x, 160, 7, 9, o.d, False)


def candle(p, o, f):
    p.ell(120, 70, 34, 40, mix(p.back, (253, 226, 160), .6), False)
    p.poly([(120, 42), (132, 72, 14), (120, 88, 12), (108, 72, 14)], (250, 176, 78), 8, (226, 140, 60))
    p.line([(120, 84), (120, 106)], (90, 76, 66), 3)
    p.rect(72, 100, 168, 206, mix(o.c, (255, 255, 255), .2), 12)
    p.ell(120, 106, 46, 9, o.d)
    p.rect(88, 134, 152, 180, (250, 249, 246), 4)
    p.line([(120, 172), (120, 146)], (120, 150, 110), 2.6)
    p.both([(120, 160), (104, 150, 6), (108, 164, 5)], (140, 174, 126), 4, False)
    p.both([(120, 150), (108, 140, 6), (111, 153, 5)], (140, 174, 126), 4, False)


def pick(kind, name):
    """The shape that draws an article of this 类目 and 名称."""
    if "披肩" in name:
        return cape
    if "盘扣棉袄" in name:
        return chinese_coat
    return {
        "衬衫": shirt, "T恤": tee, "POLO衫": polo, "卫衣": sweatshirt, "毛衣": sweater, "针织衫": knit, "马甲": knit,
        "连衣裙": dress, "半身裙": skirt, "牛仔裤": jeans, "休闲裤": trousers, "短裤": trousers, "打底裤": trousers,
        "西裤": trousers, "羽绒裤": trousers, "西装": blazer, "风衣": coat, "大衣": coat, "羽绒服": down, "棉服": down,
        "冲锋衣": shell, "防晒衣": shell, "抓绒衣": fleece, "睡衣": pyjamas, "内衣": under, "保暖内衣": thermal,
        "袜子": socks, "围巾": scarf, "帽子": hat, "手套": gloves, "童装": kids, "运动鞋": sneaker, "登山鞋": hiking,
        "帆布鞋": canvas, "板鞋": board, "皮鞋": leather, "高跟鞋": heels, "单鞋": heels, "凉鞋": sandal, "靴子": boot,
        "拖鞋": slipper, "童鞋": kidshoe, "双肩包": backpack, "单肩包": shoulder, "斜挎包": crossbody, "托特包": tote,
        "行李箱": suitcase, "旅行袋": duffel, "腰包": waist, "钱包": wallet, "卡包": wallet, "保温杯": cup,
        "抱枕": pillow, "腰靠": pillow, "毛毯": blanket, "床单四件套": bedding, "三件套": bedding, "被子": bedding,
        "毛巾": towel, "浴巾": towel, "干发帽": towel, "收纳箱": box, "加湿器": humidifier, "小夜灯": lamp,
        "暖手宝": warmer, "窗帘": curtain, "置物架": shelf, "餐具": tableware, "饭盒": tableware, "雨伞": umbrella,
        "地垫": mat, "香薰": candle,
    }[kind]


def picture(row):
    look = Look(row["颜色"].split("|")[0])
    number = zlib.crc32(row["编号"].encode())
    choice = [rgb(b) for b in BACKGROUNDS]
    # of the soft backgrounds, one of the four that differ most from the goods
    choice.sort(key=lambda b: -sum(abs(x - y) for x, y in zip(b, look.c)))
    back = choice[number % 4]
    pen = Pen(back)
    pen.ell(120, 120, 112, 112, mix(back, (255, 255, 255), .38), False)
    pen.ell(120, 216, 70, 6, mix(back, (60, 60, 80), .10), False)
    pen.back = mix(back, (255, 255, 255), .38)
    words = row["名称"] + " " + row["类目"] + " " + row["款式"]
    pick(row["类目"], row["名称"])(pen, look, words)
    return pen.image


def palette(image, size, flat):
    """The `flat` most used colours of the large picture, then shades between pairs that meet."""
    counted = sorted(image.getcolors(1 << 20), reverse=True)
    base = [colour for _, colour in counted[:flat]]
    shades = []
    for i, a in enumerate(base[:9]):
        for b in base[i + 1:9]:
            if sum(abs(x - y) for x, y in zip(a, b)) > 90:
                shades.append(mix(a, b, .5))
    return (base + shades)[:size]


def save(image, path):
    small = image.resize((240, 240), Image.Resampling.LANCZOS)
    for size, flat in ((32, 20), (26, 18), (20, 16), (16, 14), (12, 12), (9, 9), (7, 7)):
        colours = palette(image, size, flat)
        guide = Image.new("P", (1, 1))
        guide.putpalette([v for c in colours + [colours[0]] * (256 - len(colours)) for v in c])
        done = small.quantize(palette=guide, dither=Image.Dither.NONE)
        done.putpalette([v for c in colours for v in c])
        done.save(path, optimize=True)
        if path.stat().st_size <= 4096:
            return
    raise SystemExit(f"{path.name} is larger than 4 KB: {path.stat().st_size}")


def main():
    arguments = sys.argv[1:]
    sheet = None
    if "--sheet" in arguments:
        at = arguments.index("--sheet")
        sheet = pathlib.Path(arguments[at + 1])
        del arguments[at:at + 2]
    with open(HERE.parent / "products.csv", encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if not arguments or r["编号"] in arguments]
    for row in rows:
        save(picture(row), HERE / f"{row['编号']}.png")
    if sheet:
        sheet.mkdir(parents=True, exist_ok=True)
        for n in range(0, len(rows), 48):
            page = Image.new("RGB", (8 * 200, 6 * 200), "white")
            for k, row in enumerate(rows[n:n + 48]):
                with Image.open(HERE / f"{row['编号']}.png") as one:
                    page.paste(one.convert("RGB").resize((196, 196)), (k % 8 * 200, k // 8 * 200))
            page.save(sheet / f"sheet{n // 48}.png")
    print(f"{len(rows)} pictures")


if __name__ == "__main__":
    main()
