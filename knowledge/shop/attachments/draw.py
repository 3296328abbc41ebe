#!/usr/bin/env python3
"""Makes the attachments that the shop bot sends: size charts, the store map, manuals, price lists.

How to run (Debian; the font is /usr/share/fonts/truetype/wqy/wqy-microhei.ttc):

    apt-get install -y fonts-wqy-microhei
    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install pillow reportlab
    /tmp/venv/bin/python knowledge/shop/attachments/draw.py

Writes *.png (palette, at most 40 KB each) and *.pdf (font subset embedded, at most 60 KB each) beside
this script. PDFs are written with reportlab's `invariant` mode, so the same text gives the same bytes.
The price list of 2026 reads ../products.csv.
"""

import csv
import pathlib

from PIL import Image, ImageDraw, ImageFont
from reportlab import rl_config
from reportlab.lib import colors
from reportlab.lib.pagesizes import A5
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

HERE = pathlib.Path(__file__).resolve().parent
FONT = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"
INK, SOFT, LINE, HEAD = "#2F3440", "#6B7280", "#C9D3DC", "#2F5D73"
SHOP = "云朵小铺"
CONTACT = "客服热线 400-820-6677 · service@yunduo.example · shop.yunduo.example"


def font(size):
    return ImageFont.truetype(FONT, size)


def save_png(image, name):
    small = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    path = HERE / name
    small.quantize(48, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
    assert path.stat().st_size <= 40 * 1024, (name, path.stat().st_size)


def chart(name, title, subtitle, head, rows, notes):
    """A table of sizes; drawn at twice the size it is saved in."""
    width, row, top = 1640, 76, 210
    height = top + row * (len(rows) + 1) + 60 + 48 * len(notes) + 70
    image = Image.new("RGB", (width, height), "#FBFAF7")
    d = ImageDraw.Draw(image)
    d.rectangle([0, 0, width, 16], fill=HEAD)
    d.text((60, 50), title, font=font(60), fill=INK)
    d.text((60, 134), subtitle, font=font(34), fill=SOFT)
    d.text((width - 60, 66), SHOP, font=font(40), fill=HEAD, anchor="ra")
    cell = (width - 120) / len(head)
    for r, values in enumerate([head, *rows]):
        y = top + r * row
        fill = HEAD if r == 0 else "#FFFFFF" if r % 2 else "#EEF3F5"
        d.rectangle([60, y, width - 60, y + row], fill=fill)
        for c, value in enumerate(values):
            ink = "#FFFFFF" if r == 0 else HEAD if c == 0 else INK
            d.text((60 + cell * (c + .5), y + row / 2), value, font=font(36), fill=ink, anchor="mm")
    bottom = top + row * (len(rows) + 1)
    for r in range(len(rows) + 2):
        d.line([60, top + r * row, width - 60, top + r * row], fill=LINE, width=2)
    for c in range(len(head) + 1):
        d.line([60 + cell * c, top, 60 + cell * c, bottom], fill=LINE, width=2)
    for k, note in enumerate(notes):
        d.text((60, bottom + 36 + 48 * k), "· " + note, font=font(32), fill=INK)
    d.text((60, height - 62), "手工平量有1-3厘米误差。" + CONTACT, font=font(26), fill=SOFT)
    save_png(image, name)


def charts():
    chart("size-chart-tops.png", "上装尺码表", "衬衫 / T恤 / 卫衣 / 外套通用（单位：厘米，体重：斤）",
          ["尺码", "号型(女)", "号型(男)", "胸围", "肩宽", "衣长", "女生体重", "男生体重"],
          [["S", "155/80A", "165/84A", "96", "39", "62", "80-95", "95-110"],
           ["M", "160/84A", "170/88A", "100", "41", "65", "95-108", "110-125"],
           ["L", "165/88A", "175/92A", "104", "43", "68", "108-120", "125-140"],
           ["XL", "170/92A", "180/96A", "108", "45", "70", "120-132", "140-155"],
           ["XXL", "175/96A", "185/100A", "112", "47", "72", "132-145", "155-170"],
           ["3XL", "180/100A", "190/104A", "118", "49", "74", "145-160", "170-190"]],
          ["胸围量法：两臂放松，软尺水平绕过胸部最丰满处一周，再加放8-12厘米即成衣胸围。",
           "修身款按平时尺码；宽松款想合身可小一码，喜欢廓形按平时。",
           "介于两个尺码之间，秋冬外套里面要叠毛衣的请选大一码。"])
    chart("size-chart-pants.png", "裤装尺码表", "牛仔裤 / 休闲裤 / 西裤（单位：厘米；1尺≈33.3厘米）",
          ["尺码", "国际码", "腰围", "腰围(尺)", "臀围", "大腿围", "裤长", "参考体重(斤)"],
          [["25", "S-", "62-64", "1.9", "86", "51", "98", "80-88"],
           ["26", "S", "65-66", "2.0", "89", "53", "99", "88-96"],
           ["28", "M", "70-72", "2.1", "94", "56", "101", "105-114"],
           ["30", "L", "75-77", "2.3", "99", "59", "103", "122-131"],
           ["32", "XL", "80-83", "2.5", "104", "62", "105", "138-148"],
           ["34", "XXL", "86-88", "2.6", "109", "65", "106", "156-166"],
           ["36", "3XL", "91-94", "2.8", "114", "68", "107", "172-184"],
           ["38", "4XL", "97-99", "2.9", "119", "71", "107", "190-200"]],
          ["腰围量法：肚脐上方最细处水平一周，不吸气；低腰款量胯骨上方。",
           "弹力牛仔按体重选；无弹力的硬挺牛仔、梨形身材以臀围为准。",
           "25-29码为女裤常用，30-38码男女通用；单数码取上下两码之间。"])
    chart("size-chart-shoes.png", "鞋码对照表", "量脚长：脚跟贴墙站在纸上，量到最长脚趾（单位：毫米）",
          ["中国码", "脚长", "欧码", "美码(女)", "美码(男)", "英码", "脚围(女)", "脚围(男)"],
          [["34", "220", "34", "4", "-", "2", "213", "-"],
           ["35", "225", "35", "5", "-", "2.5", "217", "-"],
           ["36", "230", "36", "6", "-", "3.5", "220", "-"],
           ["37", "235", "37", "6.5", "-", "4", "224", "-"],
           ["38", "240", "38", "7", "5.5", "5", "227", "234"],
           ["39", "245", "39", "8", "6.5", "6", "231", "238"],
           ["40", "250", "40", "8.5", "7", "6.5", "234", "241"],
           ["41", "255", "41", "9.5", "8", "7", "-", "245"],
           ["42", "260", "42", "-", "8.5", "8", "-", "248"],
           ["43", "265", "43", "-", "9.5", "9", "-", "252"],
           ["44", "270", "44", "-", "10", "9.5", "-", "255"]],
          ["两脚不一样长以长的一只为准；下午脚微胀时量最准。",
           "脚宽、脚背高：运动鞋与马丁靴建议大半码到一码；凉鞋、拖鞋按正码。",
           "童鞋：脚长加8毫米为鞋内长，例如脚长170毫米选鞋内长178毫米。"])


def store_map():
    image = Image.new("RGB", (1640, 1180), "#FBFAF7")
    d = ImageDraw.Draw(image)
    d.rectangle([0, 0, 1640, 16], fill=HEAD)
    d.text((60, 50), "云朵小铺 门店地图", font=font(60), fill=INK)
    d.text((60, 134), "示意图，不按比例；线上订单凭订单号可到店退换（家居类除外）", font=font(32), fill=SOFT)
    stores = [
        ("上海静安店", "南京西路1266号", "恒隆西侧2楼", "10:00-22:00", "停车：满200元免2小时", "南京西路", "恒隆", "#7E9FB5"),
        ("杭州湖滨店", "延安路258号", "", "10:00-22:00", "", "延安路", "西湖", "#8FB59B"),
        ("成都太古里店", "中纱帽街8号", "1层", "10:00-22:30", "", "中纱帽街", "太古里", "#C9967B"),
    ]
    for k, (name, street, extra, hours, parking, road, mark, tint) in enumerate(stores):
        x = 60 + k * 515
        d.rounded_rectangle([x, 210, x + 490, 1050], 26, fill="#FFFFFF", outline=LINE, width=3)
        d.rounded_rectangle([x + 24, 236, x + 466, 690], 18, fill="#EEF1EC")
        for a in range(3):  # blocks of houses
            for b in range(3):
                bx, by = x + 44 + a * 146, 256 + b * 150
                d.rounded_rectangle([bx, by, bx + 112, by + 104], 12, fill="#E0E4DD")
        d.rectangle([x + 24, 508, x + 466, 552], fill="#FFFFFF")
        d.line([x + 24, 530, x + 466, 530], fill="#E5C97A", width=4)
        d.rectangle([x + 160, 236, x + 188, 690], fill="#FFFFFF")
        d.text((x + 446, 530), road, font=font(32), fill=INK, anchor="rm", stroke_width=5, stroke_fill="#FFFFFF")
        if mark == "西湖":
            d.ellipse([x + 34, 560, x + 150, 676], fill="#BFD9E6")
            d.text((x + 92, 618), "西湖", font=font(30), fill="#3F6B80", anchor="mm")
        else:
            d.rounded_rectangle([x + 330, 404, x + 456, 500], 12, fill=tint)
            d.text((x + 393, 452), mark, font=font(30), fill="#FFFFFF", anchor="mm")
        px, py = x + 258, 490
        d.polygon([(px - 34, py - 46), (px + 34, py - 46), (px, py + 14)], fill="#D2524A")
        d.ellipse([px - 38, py - 100, px + 38, py - 24], fill="#D2524A")
        d.ellipse([px - 15, py - 77, px + 15, py - 47], fill="#FFFFFF")
        d.text((x + 30, 712), name, font=font(46), fill=HEAD)
        lines = [street + extra if len(street + extra) < 12 else street, extra if len(street + extra) >= 12 else "",
                 "营业 " + hours, parking]
        for n, line in enumerate([v for v in lines if v]):
            d.text((x + 30, 792 + n * 56), line, font=font(36), fill=INK)
    d.text((60, 1096), CONTACT, font=font(30), fill=SOFT)
    save_png(image, "store-map.png")


# ---- PDF ----------------------------------------------------------------------------------------

TITLE = ParagraphStyle("t", fontName="wqy", fontSize=17, leading=23, textColor=INK)
SUB = ParagraphStyle("s", fontName="wqy", fontSize=9, leading=13, textColor=SOFT, wordWrap="CJK")
H = ParagraphStyle("h", fontName="wqy", fontSize=10.5, leading=14, textColor=HEAD, spaceBefore=4.5, spaceAfter=1, keepWithNext=1)
P = ParagraphStyle("p", fontName="wqy", fontSize=8.8, leading=12.8, textColor=INK, wordWrap="CJK")
L = ParagraphStyle("l", parent=P, leftIndent=13, bulletIndent=1)


def table(rows, widths=None, size=8.4):
    cell = ParagraphStyle("c", parent=P, fontSize=size, leading=size + 3.2)
    widths = widths or [1] * len(rows[0])
    widths = [w * 336 / sum(widths) for w in widths]
    t = Table([[Paragraph(v, cell) for v in r] for r in rows], colWidths=widths, repeatRows=1)
    t.setStyle(TableStyle([
        ("GRID", (0, 0), (-1, -1), .5, colors.HexColor(LINE)), ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#DCE8ED")), ("TOPPADDING", (0, 0), (-1, -1), 1.8),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.2), ("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.white, colors.HexColor("#F6F8F9")])]))
    return t


def pdf(name, title, subtitle, parts):
    """Parts: ("h", text), ("p", text), ("ol" / "ul", [text]), ("table", rows, widths)."""
    story = [Paragraph(title, TITLE), Paragraph(subtitle, SUB), Spacer(1, 4)]
    for kind, value, *more in parts:
        if kind == "h":
            story.append(Paragraph(value, H))
        elif kind == "p":
            story.append(Paragraph(value, P))
        elif kind == "table":
            story += [Spacer(1, 3), table(value, *more), Spacer(1, 4)]
        else:
            story += [Paragraph(v, L, bulletText=f"{n}." if kind == "ol" else "·") for n, v in enumerate(value, 1)]

    def foot(canvas, doc):
        canvas.setFont("wqy", 7.5)
        canvas.setFillColor(colors.HexColor(SOFT))
        canvas.drawString(36, 22, "杭州云朵服饰有限公司 · " + CONTACT)
        canvas.drawRightString(A5[0] - 36, 33, f"第{doc.page}页")
        canvas.setFillColor(colors.HexColor(HEAD))
        canvas.rect(0, A5[1] - 8, A5[0], 8, stroke=0, fill=1)

    path = HERE / name
    SimpleDocTemplate(str(path), pagesize=A5, leftMargin=36, rightMargin=36, topMargin=22, bottomMargin=40,
                      title=title, author="杭州云朵服饰有限公司", invariant=1, pageCompression=1
                      ).build(story, onFirstPage=foot, onLaterPages=foot)
    assert path.stat().st_size <= 60 * 1024, (name, path.stat().st_size)


def goods():
    with open(HERE.parent / "products.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def manuals():
    repair = [("h", "保修与维修"), ("p", "自签收起保修1年（人为摔损、进水、自行拆机除外）。请寄回嘉兴仓检修，收到后5-7个工作日修好寄出，也可送到任一门店代收。送修前请先联系客服登记订单号。")]
    pdf("manual-humidifier.pdf", "暖居静音卧室加湿器 说明书", "型号 NJ-J101（2L / 4L）；桌面款 NJ-J102 可参照清洁与故障部分", [
        ("h", "参数"), ("table", [["项目", "2L", "4L"], ["额定电压", "220V~50Hz", "220V~50Hz"], ["功率", "22W", "28W"], ["最大雾量", "220ml/时", "300ml/时"], ["适用面积", "10-15平米", "15-25平米"], ["最小档续航", "约18小时", "约30小时"]]),
        ("h", "第一次使用"), ("ol", ["取下水箱上盖，冲洗水箱内壁，倒掉余水。", "从上方直接加水，不要超过MAX线；建议用纯净水，硬水会产生白粉。", "放在平稳台面上，出雾口离墙和木家具30厘米以上，不要正对插座。", "插电，按电源键开机；再按一次切换小、中、大三档；长按2秒关机。"]),
        ("h", "香薰"), ("p", "水溶性精油滴在底部香薰盒的棉片上，每次3-5滴，不要直接倒入水箱。"),
        ("h", "清洁（每周一次）"), ("ol", ["断电，倒空余水。", "雾化片滴几滴白醋，15分钟后用软刷轻刷。", "水箱用清水洗两遍；长期不用请擦干。"]),
        ("h", "常见问题"), ("table", [["现象", "可能原因", "处理"], ["不出雾", "缺水保护 / 雾化片结垢", "加水到MIN线以上；按上面方法除垢"], ["雾小", "水垢或水温太低", "除垢；换常温水"], ["有异味", "水放置超过两天", "换水并清洗水箱，晾半天"], ["桌面有水", "出雾口被遮挡或放得太低", "抬高到60厘米以上，雾口朝外"]], [62, 110, 176]), *repair])
    pdf("manual-nightlight.pdf", "暖居小夜灯 说明书", "适用 NJ-D101 人体感应款、NJ-D102 星空投影款、NJ-D103 月球拍拍灯", [
        ("h", "NJ-D101 人体感应小夜灯"), ("ol", ["充电款：用5V/1A充电头充电约3小时，红灯灭即充满；插电款直接插入插座。", "拨到AUTO：暗处有人走进3米内自动亮，离开约20秒熄灭。", "拨到ON：长亮；拨到OFF：关闭。", "粘贴：墙面擦干净，撕下背胶按压30秒，1小时后再吸上灯体。"]),
        ("h", "NJ-D102 星空投影小夜灯"), ("ol", ["USB供电，短按电源键依次切换暖光、星空、极光。", "换投影片：逆时针旋下顶罩，更换后对齐卡口拧紧。", "长按3秒开启1小时定时，指示灯闪两下表示设好。", "投影时请勿让孩子近距离直视光源。"]),
        ("h", "NJ-D103 月球拍拍灯"), ("ol", ["轻拍球体：暖黄、中性、冷白三色依次切换，第四下关闭。", "长按木座触点：连续调节亮度，松手即停。", "充满约4小时，暖黄中档可用约16小时（两晚）。"]),
        ("h", "常见问题"), ("table", [["现象", "处理"], ["白天不亮", "感应款带光敏，遮住光孔再试；属正常"], ["频繁误亮", "避开窗帘和空调出风口"], ["充不进电", "换5V/1A充电头和数据线；快充头可能不识别"], ["亮度变暗", "电量低，充电后恢复"]], [90, 258]),
        ("h", "注意"), ("ul", ["不防水，浴室请放干区。", "不要用酒精擦灯罩，用微湿软布即可。"]), *repair])
    pdf("manual-handwarmer.pdf", "暖居暖手宝 说明书", "适用 NJ-N101 充电暖手宝（5000mAh / 10000mAh）、NJ-N102 毛绒电热水袋", [
        ("h", "NJ-N101 充电暖手宝"), ("table", [["项目", "5000mAh", "10000mAh"], ["档位", "42度 / 48度 / 55度", "42度 / 48度 / 55度"], ["低档时长", "约4小时", "约8小时"], ["充电时间", "约3小时", "约5小时"], ["给手机充电", "5V/2A输出", "5V/2A输出"]]),
        ("ol", ["长按电源键3秒开机，默认低档；短按换档，灯数表示档位。", "再长按3秒关机；温度超过58度自动断电。", "加热与给手机充电请分开使用，寿命更长。", "充电口为Type-C，充电时不要捂在被子里。"]),
        ("h", "NJ-N102 毛绒电热水袋"), ("ol", ["平放，袋口朝上，连接充电夹，红灯亮。", "约8分钟自动断电，红灯灭后拔下再用，不要边充边抱。", "不要自行加水、放水；不要坐压、折叠、用针扎。", "绒套可拆下手洗，内胆只能擦拭。"]),
        ("h", "安全提示"), ("ul", ["贴同一处皮肤不超过30分钟，防止低温烫伤；睡觉时请勿贴身使用。", "婴幼儿、感觉不灵敏的人须有人照看。", "10000mAh为37Wh，可以随身登机，不可托运。", "鼓包、漏液、异味立即停用并联系客服。"]),
        ("h", "常见问题"), ("table", [["现象", "处理"], ["开机几秒就灭", "电量低于5%，先充30分钟"], ["温度上不去", "户外零下时先在口袋里预热几分钟，或换高档"], ["电热水袋不通电", "夹子两极对准触点；刚断电过热，等20分钟再充"]], [100, 248]), *repair])
    pdf("manual-shelf.pdf", "暖居置物架 安装说明", "适用 NJ-H101 多层落地置物架；浴室款 NJ-H102、书桌款 NJ-H103 见后", [
        ("h", "清点配件（四层为例）"), ("table", [["编号", "名称", "数量"], ["A", "立杆（上、下段）", "各4"], ["B", "层板", "4"], ["C", "卡扣（成对）", "16"], ["D", "脚轮（带刹2只）", "4"], ["E", "内六角扳手、防倒带", "各1"]], [50, 200, 98]),
        ("h", "NJ-H101 安装（约30分钟，建议两人）"), ("ol", ["立杆上、下段旋紧，四根一样高。", "从最下层开始：卡扣凹槽朝上扣在同一刻度线。", "层板四角套入立杆往下压到底，听到“咔”一声。", "依次装上面各层，层距可按刻度每2.5厘米调整。", "装脚轮，带刹车的两只放在外侧；不用脚轮可装平脚垫。", "靠墙放置，把防倒带一端固定在墙上，有孩子的家庭务必安装。"]),
        ("h", "承重"), ("p", "每层均布20公斤，重物放下层；移动前请先清空上两层，锁住脚轮再取放。"),
        ("h", "NJ-H102 浴室免打孔款"), ("ol", ["墙面擦干无油；毛面砖、掉灰墙、墙纸不适合胶粘。", "撕膜贴上胶片，排尽气泡，按压1分钟。", "静置12小时后再挂架体，24小时内不要溅水；每层承重5公斤。"]),
        ("h", "NJ-H103 书桌款"), ("p", "支脚对准孔位拧紧即可；显示器重量不超过15公斤。竹面遇水及时擦干。"),
        ("h", "上门安装"), ("p", "上海、杭州可预约师傅上门安装，60元一次，请联系客服约时间。其他城市请按本说明自行安装。缺件请在签收48小时内拍照给我们，免费补发。")])
    pdf("manual-curtain.pdf", "暖居窗帘 测量与安装说明", "适用 NJ-C101 遮光窗帘、NJ-C102 棉麻纱帘、NJ-C103 浴室门帘", [
        ("h", "先量窗"), ("ol", ["量轨道或罗马杆的长度，不是窗洞宽度。", "帘宽＝杆长×1.5-2倍，褶子才好看。例如杆长2米，选2米宽两片。", "成品高2.7米；从杆下沿量到离地2厘米处，就是需要的高度。"]),
        ("table", [["杆长", "建议"], ["1.0-1.3米", "2米宽×1片"], ["1.4-2.0米", "2米宽×2片"], ["2.1-2.5米", "2.5米宽×2片"], ["2.6-3.0米", "3米宽×2片"]], [120, 228]),
        ("h", "挂钩款安装"), ("ol", ["四爪钩插入布带，每隔10厘米一个，头尾各一个。", "钩子挂进轨道滑轮，两端各留一只固定。", "拉上窗帘，用绑带束一夜，垂感会更好。"]),
        ("h", "打孔款安装"), ("ol", ["取下罗马杆一端装饰头。", "孔环一正一反依次穿入，最外一环留在支架外侧。", "装回装饰头，拧紧支架螺丝。"]),
        ("h", "NJ-C103 浴室门帘"), ("p", "伸缩杆需另配。杆子两端胶垫贴紧墙面，旋转撑到拉不动，再把12只挂环扣上。底边铅坠朝内，洗后拉开晾干。"),
        ("h", "洗护"), ("table", [["面料", "方法"], ["遮光布", "30度以下轻柔洗或手洗，不漂白、不烘干，反面低温熨"], ["棉麻纱", "先拆钩，冷水手洗，半干挂回自然垂直；约有2%缩水"], ["PEVA", "湿布加中性清洁剂擦，不能机洗"]], [70, 278]),
        ("h", "上门安装"), ("p", "上海、杭州可预约上门安装，60元一次；不含打承重墙与旧杆拆除，具体请先向客服说明墙面情况。遮光约九成是布料本身，顶部和两侧漏光属正常。")])


def papers():
    pdf("warranty-card.pdf", "云朵小铺 保修卡", "请与订单号一起保存；电子订单本身即为凭证，丢失本卡不影响保修", [
        ("table", [["订单号", ""], ["商品编号", ""], ["签收日期", ""], ["顾客姓名 / 电话", ""]], [100, 248]),
        ("h", "保修范围与期限（自签收日起）"),
        ("table", [["商品", "期限", "范围"], ["服装", "30天", "开线、脱色、拉链纽扣等质量问题"], ["鞋", "90天（三包）", "鞋底断裂、开胶"], ["箱包", "1年", "拉链、背带、肩带"], ["加湿器、小夜灯、暖手宝", "1年", "主机不工作、充电故障"]], [120, 78, 150]),
        ("h", "不在保修内"), ("ul", ["正常穿用的磨损与起球；", "洗涤、熨烫不当，摔落、进水、宠物咬损；", "自行拆开或在别处维修过的商品；", "定制印标商品的印花磨损。"]),
        ("h", "怎样送修"), ("ol", ["联系客服登记订单号，并发照片或短视频。", "寄到嘉兴仓（地址由客服发出），或送到上海静安店、杭州湖滨店、成都太古里店代收。", "收到后5-7个工作日修好寄回；签收30天内的质量问题，邮费由我们承担。"]),
        ("h", "签收30天内的质量问题"), ("p", "可以选择退货、换货或维修，来回邮费我们出。7天无理由退货另按退换规则办理。"),
        ("h", "维修记录"), ("table", [["日期", "故障", "处理", "经办"], ["&nbsp;<br/>&nbsp;", "", "", ""], ["&nbsp;<br/>&nbsp;", "", "", ""]], [70, 118, 100, 60])])
    pdf("invoice-guide.pdf", "开发票指南", "云朵小铺 · 电子普通发票与增值税专用发票", [
        ("h", "电子普通发票（个人 / 单位都可以）"), ("ol", ["打开小程序“云朵小铺”→ 我的 → 订单详情。", "点“申请发票”，选择抬头类型。", "个人：填姓名；单位：填单位全称与税号。", "填写接收邮箱，提交。", "签收后24小时内发到邮箱，也可在订单详情里下载PDF。"]),
        ("h", "增值税专用发票"), ("p", "只开给单位，请联系客服办理，资料齐全后3-5个工作日开出。需要："),
        ("ul", ["单位全称、纳税人识别号；", "注册地址、电话；", "开户银行与账号；", "订单号、收票邮箱。"]),
        ("h", "改抬头、重开"), ("p", "当月开出的可以改：把订单号、原发票号码和正确的信息发给客服，冲红后重开。跨月的请先与客服说明情况。"),
        ("h", "常见问题"), ("table", [["问题", "回答"], ["金额按什么开？", "按实付金额，优惠券、满减、积分抵扣部分不开票"], ["退了一部分货？", "按退款后的实付金额重开"], ["没收到邮件？", "先看垃圾箱；签收满24小时仍没有，请联系客服"], ["能开别的品名吗？", "不能，品名须与所购商品一致"], ["有纸质的吗？", "电子发票与纸质同等效力，可自行打印报销"]], [110, 238]),
        ("h", "开票方"), ("p", "杭州云朵服饰有限公司")])
    rows = goods()
    price = {r["编号"]: r for r in rows}
    want = ["YR-C101", "YR-C102", "YR-T101", "YR-T108", "YR-W101", "YR-W102", "YR-M101", "YR-M201", "XH-D101", "XH-D105", "XH-B101",
            "YR-J101", "YR-K101", "XH-X101", "XH-F101", "XH-Y101", "QY-Y101", "QY-Y103", "SY-C101", "SY-C103", "SY-F101",
            "YR-S101", "YR-Z101", "MB-Y101", "MB-F101", "MB-P101", "XN-S101", "XN-L101", "XN-Q101", "NJ-B101",
            "NJ-T101", "NJ-S101", "NJ-M101", "NJ-J101", "NJ-D101", "NJ-H101"]
    money = lambda v: f"{v:.1f}".removesuffix(".0")
    new = [["编号", "名称", "零售价", "20件起", "50件起"]]
    for i in want:
        p = float(price[i]["价格"])
        new.append([i, price[i]["名称"], money(p), money(round(p * .92, 1)), money(round(p * .88, 1))])
    pdf("price-list-2026.pdf", "2026年 主要商品价目表", "单位：元/件，含税；2026年1月1日起用。以下单时页面价格为准", [
        ("table", new, [56, 152, 46, 47, 47], 7.8),
        ("h", "团购说明"), ("ul", ["20件起9.2折，50件起8.8折；100件以上请发需求到 business@yunduo.example，1个工作日内报价。", "50件起可印logo，工期10-12天。", "面料小样免费（邮费8元）；样衣按零售价购买，大货成交后退样衣款。"])])
    old_ids = want[:4] + want[4:12] + ["XH-X101", "XH-F101", "QY-Y101", "QY-Y103", "SY-C101", "MB-Y101", "MB-F101", "XN-S101", "XN-L101", "NJ-B101", "NJ-T101", "NJ-J101"]
    off = (10, 0, 0, 10, 20, 10, 30, 0, 20, 10, 0, 20)
    old = [["编号", "名称", "2025零售价", "2026零售价"]]
    for k, i in enumerate(old_ids):
        p = float(price[i]["价格"])
        old.append([i, price[i]["名称"], money(p - off[k % 12] if p > 60 else p), money(p)])
    pdf("price-list-2025.pdf", "2025年 价目表（已停用）", "有效期2025年1月1日至2025年12月31日，仅供对账与查旧单；现行价格见2026年价目表", [
        ("table", old, [60, 158, 66, 64], 8),
        ("h", "说明"), ("ul", ["2025年的订单按当时实付金额办理退款与开票。", "本表只列当年在售的主要商品；新品见2026年价目表。", "价格不同时以下单页面显示为准。"])])


if __name__ == "__main__":
    rl_config.useA85 = 0  # binary streams, a fifth smaller
    pdfmetrics.registerFont(TTFont("wqy", FONT, subfontIndex=0))
    charts()
    store_map()
    manuals()
    papers()
    for path in sorted(HERE.glob("*.p[nd][gf]")):
        print(f"{path.stat().st_size:6} {path.name}")
