#!/usr/bin/env python3
"""Draws the attachments of the demo bot `staff`: two handbooks, a leave form, an expense sheet, a contact sheet.

    apt-get install -y fonts-wqy-microhei
    pip install pillow reportlab python-docx openpyxl fonttools pymupdf
    python3 draw.py            # writes beside itself

Company, people and numbers are invented. The 2026 facts are those of ../faq; change them there and here.
"""

import datetime
import io
import pathlib

import pymupdf
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from openpyxl import Workbook
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.datavalidation import DataValidation
from fontTools import subset
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

HERE = pathlib.Path(__file__).parent
FONT = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"
COMPANY = "杭州云朵服饰有限公司"
BLUE = "#2F6FB0"
MADE = datetime.datetime(2026, 1, 4, 9, 0, 0)

HANDBOOK_2026 = [
    ("第一章　总则", [
        "本手册适用于公司全体员工，包括总部、门店（上海静安店、杭州湖滨店、成都太古里店）、绍兴工厂和嘉兴仓库。",
        "本手册自 2026 年 1 月 1 日起执行，《员工手册（2025 版）》同时废止。手册经职工代表讨论通过并公示。",
    ]),
    ("第二章　入职与试用", [
        "入职当日签订电子劳动合同，首次期限 3 年，试用期 3 个月。试用期工资为转正工资的 90%，社会保险和公积金自入职起缴纳。",
        "试用期满前 15 天发起转正，到期日前告知结果。对结果有异议，可在 3 个工作日内申请复核。",
    ]),
    ("第三章　工作时间与考勤", [
        "总部弹性到岗 8:30-9:30，满 9 小时（含午休 12:00-13:00）离岗；门店早班 9:30-18:00、晚班 13:30-22:00（成都 14:00-22:30）；工厂白班 8:00-17:00；仓库 8:30-17:30。",
        "忘打卡的，3 个工作日内补卡，每月 3 次。公司不以罚款方式处理迟到早退。",
        "总部转正员工每月 2 天居家办公，提前 1 个工作日申请。",
        "加班须事先批准，每日不超过 3 小时，每月不超过 36 小时。工作日 150%，休息日优先调休、6 个月内未安排的 200%，法定节假日 300%。",
    ]),
    ("第四章　休假", [
        "TABLE",
        "请假 2 天以内由直属主管审批，3 至 5 天加部门负责人，5 天以上加人事总监。病假当天 10:00 前告知主管，复工后 3 个工作日内补齐材料。",
        "全薪病假用完后，6 个月以内的病假按连续工龄发放：不满 10 年 70%，满 10 年 80%，满 20 年 90%，且不低于当地最低工资的 80%。",
    ]),
    ("第五章　薪酬与福利", [
        "每月 10 日发放上月工资，遇节假日提前。每年 4 月调薪一次，年终奖在春节前一周发放。",
        "工作日餐补 25 元（自 2027 年 1 月 1 日起 28 元）；高温补贴 6 至 9 月，工厂和仓库作业岗每月 300 元，其他岗位 200 元。",
        "节日福利春节、端午、中秋各 300 元；结婚、生育礼金各 888 元；员工内购 6 折，每季度 3000 元；入职满 6 个月每年体检一次。",
    ]),
    ("第六章　费用与差旅", [
        "费用发生后 60 天内在 OA 提交，财务每周二、周五付款。招待费人均 150 元以内，须事前申请。",
        "住宿每晚上限（员工 / 主管经理 / 总监）：北上广深 450 / 600 / 800 元；省会、计划单列市、苏州、无锡 350 / 450 / 600 元；其他 280 / 380 / 500 元。",
        "出差餐补江浙沪每天 80 元，其他地区 100 元。高铁二等座；高铁超过 5 小时可乘飞机经济舱。返回后 10 个工作日内报销。",
    ]),
    ("第七章　绩效、晋升与调动", [
        "总部按季度考核，系数 A 1.3、B+ 1.1、B 1.0、C 0.8、D 0.5；对结果有异议，5 个工作日内可申诉。",
        "每年 4 月、10 月晋升评审。在现岗位满 1 年、最近一次绩效 B 以上的，可以申请内部转岗。",
    ]),
    ("第八章　信息安全", [
        "资料分公开、内部、机密三级，机密资料外发须部门负责人批准并使用云盘加密外链。电脑遗失 2 小时内报 IT（0571-8800-6080）。",
    ]),
    ("第九章　行为准则", [
        "连续旷工 3 个工作日或一年内累计 5 个工作日、虚开发票、泄露商业秘密、性骚扰，属于严重违反规章制度。",
        "供应商礼品超过 200 元或现金、购物卡一律谢绝。廉洁专线 0571-8800-6099，jubao@yunduo.example，可以匿名。",
    ]),
    ("第十章　离职", [
        "转正员工提前 30 天、试用期员工提前 3 天书面提出。离职手续办完后 5 日内结清工资，最后工作日当天出具离职证明。",
    ]),
]

LEAVES_2026 = [
    ("假种", "天数", "工资", "说明"),
    ("法定年假", "5 / 10 / 15", "全薪", "累计工龄满 1 / 10 / 20 年"),
    ("司龄假", "最多 5", "全薪", "在本公司每满 2 年加 1 天，当年有效"),
    ("病假", "按医嘱", "每年 3 天全薪", "2 天及以上要医院证明"),
    ("事假", "全年 15", "无", "1 小时起"),
    ("婚假", "13", "全薪", "登记后 1 年内，不含休息日"),
    ("产假", "158 / 188", "津贴补差", "一孩 / 二孩、三孩；难产、多胞胎加 15"),
    ("护理假", "15", "全薪", "子女出生后 3 个月内"),
    ("育儿假", "10 / 年", "全薪", "子女满 3 周岁前"),
    ("独生子女护理假", "5 / 年", "全薪", "父母满 60 周岁住院"),
    ("丧假", "3 / 1", "全薪", "直系及配偶父母 / 祖辈、兄弟姐妹"),
    ("生日假", "半天", "全薪", "生日当月，转正员工"),
]

HANDBOOK_2025 = [
    ("第一章　总则", ["本手册适用于公司全体员工，自 2025 年 1 月 1 日起执行，有效期至 2025 年 12 月 31 日。"]),
    ("第二章　考勤", [
        "总部工作时间 9:00-18:00，午休 12:00-13:00。忘打卡的，2 个工作日内补卡，每月 2 次。",
        "公司暂不实行居家办公，特殊情况由部门负责人审批。",
    ]),
    ("第三章　休假", [
        "法定年假按累计工龄 5 / 10 / 15 天；司龄每满 3 年加 1 天，最多 3 天。",
        "婚假 3 天；产假一孩 158 天，二孩、三孩 188 天；护理假 15 天；育儿假每年 10 天。",
    ]),
    ("第四章　费用与差旅", [
        "费用发生后 30 天内提交，财务每周五付款。工作日餐补 22 元。",
        "住宿每晚上限：北上广深 400 元，省会 320 元，其他 260 元。出差餐补每天 80 元。",
    ]),
    ("第五章　行为准则", ["供应商礼品超过 100 元一律谢绝。连续旷工 3 个工作日的，公司可以依法解除劳动合同。"]),
]


def font_for(words):
    """The font cut down to the characters in use and without hints, which halves the PDF."""
    options = subset.Options(font_number=0, hinting=False, layout_features=[], name_IDs=[1, 2, 4, 6], notdef_outline=True)
    font = subset.load_font(FONT, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=words + "".join(map(chr, range(32, 127))))
    subsetter.subset(font)
    file = io.BytesIO()
    font.flavor = None
    font.save(file, reorderTables=False)
    file.seek(0)
    return file


def handbook(name, title, period, chapters, void):
    text = ParagraphStyle("text", fontName="body", fontSize=10.5, leading=18, wordWrap="CJK", firstLineIndent=21)
    head = ParagraphStyle("head", fontName="body", fontSize=14, leading=22, spaceBefore=10, keepWithNext=1, textColor=HexColor(BLUE))
    cell = ParagraphStyle("cell", fontName="body", fontSize=9, leading=13, wordWrap="CJK")
    cover = ParagraphStyle("cover", fontName="body", fontSize=24, leading=34, alignment=1)
    small = ParagraphStyle("small", fontName="body", fontSize=11, leading=18, alignment=1, textColor=HexColor("#666666"))
    story = [Spacer(1, 18 * mm), Paragraph(COMPANY, small), Paragraph(title, cover), Paragraph(period, small), Spacer(1, 8 * mm)]
    for chapter, lines in chapters:
        story.append(Paragraph(chapter, head))
        number = 0
        for line in lines:
            if line == "TABLE":
                rows = [[Paragraph(value, cell) for value in row] for row in LEAVES_2026]
                table = Table(rows, colWidths=[34 * mm, 26 * mm, 32 * mm, 74 * mm], repeatRows=1)
                table.setStyle(TableStyle([
                    ("GRID", (0, 0), (-1, -1), 0.4, HexColor("#B8C4D0")),
                    ("BACKGROUND", (0, 0), (-1, 0), HexColor("#E6EEF6")),
                    ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ]))
                story += [Spacer(1, 2 * mm), table, Spacer(1, 3 * mm)]
            else:
                number += 1
                story.append(Paragraph(f"{number}. {line}", text))

    def page(canvas, doc):
        canvas.saveState()
        canvas.setFont("body", 8.5)
        canvas.setFillColor(HexColor("#888888"))
        canvas.drawString(22 * mm, 12 * mm, f"{COMPANY}　{title}")
        canvas.drawRightString(A4[0] - 22 * mm, 12 * mm, f"第 {doc.page} 页")
        if void:
            canvas.setFont("body", 64)
            canvas.setFillColor(HexColor("#F0D0D0"))
            canvas.translate(A4[0] / 2, A4[1] / 2)
            canvas.rotate(35)
            canvas.drawCentredString(0, 0, "已 停 用")
        canvas.restoreState()

    margins = {"leftMargin": 22 * mm, "rightMargin": 22 * mm, "topMargin": 20 * mm, "bottomMargin": 22 * mm}
    file = io.BytesIO()
    document = SimpleDocTemplate(file, pagesize=A4, title=title, author=COMPANY, invariant=1, **margins)
    document.build(story, onFirstPage=page, onLaterPages=page)
    # reportlab writes fonts as text; plain bytes are a fifth smaller.
    bare = pymupdf.open(stream=file.getvalue(), filetype="pdf").tobytes(garbage=4, expand=255)
    pymupdf.open(stream=bare, filetype="pdf").save(HERE / name, garbage=4, deflate=True, deflate_fonts=True, use_objstms=1, no_new_id=True)


def leave_form():
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.2)
    section.top_margin = section.bottom_margin = Cm(2)
    style = document.styles["Normal"]
    style.font.name, style.font.size = "微软雅黑", Pt(10.5)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), "微软雅黑")
    for words, size in ((COMPANY, 12), ("请假申请表", 20)):
        paragraph = document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        run = paragraph.add_run(words)
        run.bold, run.font.size = size > 12, Pt(size)
    document.add_paragraph("门店、工厂、仓库同事没有电脑时使用，填好交店长或线长代录；总部同事请在云朵人事→假勤里提。")
    rows = [
        ("姓名", "", "工号", ""),
        ("部门 / 门店", "", "岗位", ""),
        ("假种", "□年假　□司龄假　□调休　□病假　□事假　□婚假　□产假　□产检假　□护理假　□育儿假　□独生子女护理假　□丧假　□生日假　□其他：", None, None),
        ("开始时间", "　　年　　月　　日　　时", "结束时间", "　　年　　月　　日　　时"),
        ("合计", "　　天　　小时", "联系电话", ""),
        ("事由", "\n\n", None, None),
        ("工作交接人", "", "交接人签字", ""),
        ("附件", "□医院证明　□结婚证　□出生医学证明　□住院记录　□其他：", None, None),
        ("员工签字", "\n　　　　　　　　　　　　　　　　　　　　　　　　年　　月　　日", None, None),
        ("直属主管（2 天以内）", "\n　　　　　　　　　　　　　　　　　　　　　　　　年　　月　　日", None, None),
        ("部门负责人（3-5 天）", "\n　　　　　　　　　　　　　　　　　　　　　　　　年　　月　　日", None, None),
        ("人事总监（5 天以上）", "\n　　　　　　　　　　　　　　　　　　　　　　　　年　　月　　日", None, None),
    ]
    table = document.add_table(rows=0, cols=4)
    table.style = "Table Grid"
    for values in rows:
        cells = table.add_row().cells
        if values[2] is None:
            cells[1].merge(cells[3])
            values = values[:2]
        for cell, value in zip(cells, values):
            cell.text = value
    document.add_paragraph()
    for line in (
        "填写说明：",
        "1. 事先请假：2 天以内提前 1 个工作日，3 天及以上提前 5 个工作日。",
        "2. 病假当天 10:00 前告知主管，复工后 3 个工作日内补齐；2 天及以上附二级以上医院病假证明。",
        "3. 原件由本人保管，代录人拍照上传。有疑问打人事服务台 0571-8800-6060。",
    ):
        document.add_paragraph(line)
    document.core_properties.author, document.core_properties.title = COMPANY, "请假申请表"
    document.core_properties.created = document.core_properties.modified = MADE
    document.save(HERE / "leave-form.docx")


def expense_sheet():
    book = Workbook()
    sheet = book.active
    sheet.title = "报销汇总"
    thin = Side(style="thin", color="B8C4D0")
    frame = Border(left=thin, right=thin, top=thin, bottom=thin)
    sheet["A1"] = f"{COMPANY}　费用报销汇总表"
    sheet["A1"].font = Font(size=15, bold=True)
    sheet.merge_cells("A1:H1")
    for at, value in {"A2": "姓名", "C2": "工号", "E2": "成本部门", "G2": "提交日期"}.items():
        sheet[at] = value
    heads = ["序号", "日期", "费用类型", "事由（人、地点、项目）", "发票号码", "金额（元）", "事前申请单号", "超标说明"]
    for column, head in enumerate(heads, 1):
        cell = sheet.cell(4, column, head)
        cell.font, cell.fill, cell.border = Font(bold=True), PatternFill("solid", fgColor="E6EEF6"), frame
        cell.alignment = Alignment(horizontal="center")
    examples = [
        (datetime.date(2026, 11, 3), "市内交通", "总部→四季青面料市场，选秋冬面料", "示例，请删除", 46.5, "", ""),
        (datetime.date(2026, 11, 5), "业务招待", "上海客户 3 人，我方 2 人，谈春款订货", "示例，请删除", 620, "ZD-2026-1102", ""),
    ]
    for row in range(5, 25):
        sheet.cell(row, 1, row - 4)
        for column in range(1, 9):
            sheet.cell(row, column).border = frame
        sheet.cell(row, 2).number_format = "yyyy-mm-dd"
        sheet.cell(row, 6).number_format = "#,##0.00"
    for row, values in enumerate(examples, 5):
        for column, value in enumerate(values, 2):
            sheet.cell(row, column, value)
    sheet["E25"], sheet["F25"] = "合计", "=SUM(F5:F24)"
    sheet["E26"], sheet["F26"] = "审批提示", '=IF(F25>10000,"需财务总监",IF(F25>2000,"需部门负责人","直属主管"))'
    sheet["F25"].number_format = "#,##0.00"
    sheet["E25"].font = sheet["F25"].font = Font(bold=True)
    kinds = DataValidation(type="list", formula1='"市内交通,业务招待,办公用品,快递,样衣面料,拍摄道具,团建,加班餐,其他"', allow_blank=True)
    sheet.add_data_validation(kinds)
    kinds.add("C5:C24")
    late = FormulaRule(formula=['AND($B5<>"",TODAY()-$B5>60)'], fill=PatternFill("solid", bgColor="F8D7DA"))
    sheet.conditional_formatting.add("B5:B24", late)
    for column, width in zip("ABCDEFGH", (6, 13, 12, 38, 24, 12, 18, 22)):
        sheet.column_dimensions[column].width = width
    notes = book.create_sheet("填写说明")
    for line in (
        "1. 费用发生后 60 天内提交；日期变红表示已经超过 60 天，需要部门负责人加批。",
        "2. 抬头：杭州云朵服饰有限公司，税号 91330102MA2YDFS0XX。抬头错一个字都要重开。",
        "3. 招待、出差、团建要填事前申请单号；招待人均 150 元以内。",
        "4. 单笔 50 元以内开不出发票的，附付款截图，每月合计不超过 200 元。",
        "5. 财务每周二、周五付款，打到工资卡。有疑问打财务 0571-8800-6070。",
    ):
        notes.append([line])
    notes.column_dimensions["A"].width = 90
    sheet.freeze_panes = "A5"
    sheet.page_setup.orientation, sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = "landscape", 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    book.properties.creator, book.properties.title = COMPANY, "费用报销汇总模板"
    book.properties.created = book.properties.modified = MADE
    book.save(HERE / "expense-template.xlsx")


CONTACTS = [
    ("总机 / 前台", "6000", "云朵中心 6 楼", "访客、快递、工牌"),
    ("人事服务台", "6060", "云朵中心 6 楼", "假勤、薪酬、社保、入离职"),
    ("财务共享组", "6070", "云朵中心 7 楼", "报销、付款、开票"),
    ("IT 服务台", "6080", "云朵中心 6 楼", "电脑、账号、收银（24 小时）"),
    ("行政组", "6050", "云朵中心 6 楼", "会议室、用章、车位、报修"),
    ("法务", "6030", "云朵中心 7 楼", "合同、授权、合规"),
    ("品牌部", "6020", "云朵中心 8 楼", "媒体、拍摄、商标"),
    ("保安监控", "6119", "云朵中心 1 楼", "紧急情况（24 小时）"),
    ("廉洁专线", "6099", "jubao@yunduo.example", "可以匿名"),
    ("上海静安店", "8101", "南京西路 1266 号 2 楼", "10:00-22:00"),
    ("杭州湖滨店", "8102", "延安路 258 号", "10:00-22:00"),
    ("成都太古里店", "8103", "中纱帽街 8 号 1 层", "10:00-22:30"),
    ("绍兴工厂", "8200", "柯桥区云织路 18 号", "白班 8:00-17:00"),
    ("嘉兴仓库", "8300", "秀洲区运河路 66 号 3 号库", "8:30-17:30"),
]


def contact_sheet():
    width, row, top = 1080, 58, 190
    picture = Image.new("RGB", (width, top + row * (len(CONTACTS) + 1) + 90), "white")
    draw = ImageDraw.Draw(picture)
    font = {size: ImageFont.truetype(FONT, size) for size in (22, 24, 26, 40)}
    draw.rectangle((0, 0, width, 120), fill=BLUE)
    draw.text((40, 34), "各部门联系表", font=font[40], fill="white")
    draw.text((width - 40, 48), "2026 年", font=font[26], fill="white", anchor="ra")
    draw.text((40, 140), "内线直拨 4 位；外线加 0571-8800，例如人事 0571-8800-6060", font=font[24], fill="#555555")
    columns = (40, 270, 390, 730)
    y = top
    draw.rectangle((20, y, width - 20, y + row), fill="#E6EEF6")
    for x, head in zip(columns, ("部门", "分机", "位置", "找他们做什么")):
        draw.text((x, y + 15), head, font=font[26], fill="#1F3B57")
    for index, values in enumerate(CONTACTS):
        y = top + row * (index + 1)
        if index % 2:
            draw.rectangle((20, y, width - 20, y + row), fill="#F6F9FC")
        for position, (x, value) in enumerate(zip(columns, values)):
            colour = BLUE if position == 1 else "#222222"
            draw.text((x, y + 16), value, font=font[26 if position < 2 else 22], fill=colour)
    y = top + row * (len(CONTACTS) + 1)
    draw.line((20, y, width - 20, y), fill="#B8C4D0", width=2)
    draw.text((40, y + 24), f"{COMPANY}　人事行政部　仅供内部使用", font=font[22], fill="#888888")
    # 16 colours are plenty for a table and keep the file small.
    picture.quantize(16).save(HERE / "contacts.png", optimize=True)


if __name__ == "__main__":
    # One font for both handbooks: reportlab keeps a single face for fonts of one inner name.
    words = "".join([COMPANY, repr(HANDBOOK_2025), repr(HANDBOOK_2026), repr(LEAVES_2026), "员工手册版年月日起执行第页已停用　（）"])
    pdfmetrics.registerFont(TTFont("body", font_for(words)))
    handbook("employee-handbook-2025.pdf", "员工手册（2025 版）", "2025 年 1 月 1 日 - 2025 年 12 月 31 日", HANDBOOK_2025, void=True)
    handbook("employee-handbook-2026.pdf", "员工手册（2026 版）", "2026 年 1 月 1 日起执行", HANDBOOK_2026, void=False)
    leave_form()
    expense_sheet()
    contact_sheet()
    for path in sorted(HERE.iterdir()):
        print(f"{path.stat().st_size:>7} {path.name}")
