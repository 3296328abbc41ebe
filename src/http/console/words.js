// The page's own words in both languages. What the bot and the customer say is never translated here.

import { keep, kept } from "./dom.js";

const WORDS = {
  zh: {
    skip: "跳到输入框",
    whyTitle: "为什么这样回答",
    whyShort: "为什么",
    whyThis: "为什么这样回答？",
    restart: "新的对话",
    restartAsk: "开始新的对话？",
    restartMeans: "这里的聊天记录会清空，客服会把您当作新的顾客。",
    restartNo: "继续现在的对话",
    bots: "选择客服",
    log: "对话",
    write: "写下您的问题",
    send: "发送",
    keys: "Enter 发送，Shift + Enter 换行",
    close: "关闭",
    later: "以后再说",
    open: "服务中",
    shut: "休息中",
    hours: (hours) => `服务时间：${hours}`,
    youSaid: "您：",
    botSaid: (name) => `${name}：`,
    typing: (name) => `${name}正在输入`,
    today: "今天",
    yesterday: "昨天",
    numberHint: "点一下，或直接回复数字",
    picture: "图片",
    pictureLost: "图片打不开，点这里查看",
    file: "文件",
    voice: "语音",
    download: "下载",
    openNew: "在新窗口打开",
    unknownPart: "（这条内容无法在网页里显示）",
    sending: "正在发送",
    failNetwork: "没有发出去，请检查网络。",
    failTimeout: "等了很久没有回音，请再试一次。",
    failServer: "服务暂时出了点问题，请再试一次。",
    failKey: "没有发出去，需要访问密钥。",
    failLeft: "页面关闭时还没有收到回答。",
    retry: "重新发送",
    amend: "修改后再发",
    startFail: "暂时连不上客服。",
    startAgain: "再试一次",
    noBots: "这里还没有客服。店主请先放入知识库，再打开本页。",
    missingBot: (id) => `没有名为“${id}”的客服，已打开第一个。`,
    keyTitle: "需要访问密钥",
    keyAsk: "这个客服只对有密钥的人开放。请填入店主给您的密钥，它只保存在这个标签页里。",
    keyWrong: "这个密钥不对或已停用，请重新填写。",
    keyLabel: "访问密钥",
    keyAdmin: "管理密钥",
    keyUse: "使用这个密钥",
    keyForget: "移除密钥",
    keyHelp: "每条回答背后的判断只给店主看。请在服务器上运行下面的命令，得到一个管理密钥：",
    keyHelpThen: "密钥只保存在这个标签页里，关闭后就没有了。",
    keySaved: "密钥已记下。再问一句，就能看到依据。",
    keyNotAdmin: "这个密钥没有管理权限，看不到依据。请用 --scope admin 新建一个。",
    copy: "复制",
    copied: "已复制",
    pickAnswer: "再问一句，或点一条回答下面的“为什么这样回答？”。",
    actions: { answer: "直接回答", clarify: "先问清楚", task: "办理事项", handoff: "转人工", decline: "婉拒", block: "拦截", mask: "打码" },
    heard: "听到的话",
    tokens: "分词",
    rules: "触发的规则",
    stages: { hard: "先于一切依据", soft: "在依据之后" },
    evidence: "找到的依据",
    noEvidence: "没有找到相近的问答或商品。",
    kinds: { faq: "问答", product: "商品", rule: "规则" },
    lineAnswer: (percent) => `回答线 ${percent}`,
    lineClarify: (percent) => `追问线 ${percent}`,
    barLabel: (title, percent) => `${title}，把握 ${percent}`,
    score: (score) => `得分 ${score}`,
    matched: "相同的词",
    lead: (gap, margin, enough) =>
      enough ? `第一名领先 ${gap}，达到要求的 ${margin}` : `第一名只领先 ${gap}，不到要求的 ${margin}`,
    sensitive: "敏感词",
    timings: "用时",
    timingsOf: { text: "读懂文字", rules: "规则", search: "检索", decide: "决定", rest: "其余" },
    total: "合计",
    state: "对话状态",
  },
  en: {
    skip: "Skip to the message box",
    whyTitle: "Why this answer",
    whyShort: "Why",
    whyThis: "Why this answer?",
    restart: "New chat",
    restartAsk: "Start a new chat?",
    restartMeans: "This conversation will be cleared, and the bot will treat you as a new customer.",
    restartNo: "Keep this chat",
    bots: "Choose a bot",
    log: "Conversation",
    write: "Type your question",
    send: "Send",
    keys: "Enter sends, Shift + Enter starts a new line",
    close: "Close",
    later: "Not now",
    open: "Open",
    shut: "Closed",
    hours: (hours) => `Hours: ${hours}`,
    youSaid: "You: ",
    botSaid: (name) => `${name}: `,
    typing: (name) => `${name} is typing`,
    today: "Today",
    yesterday: "Yesterday",
    numberHint: "Tap one, or reply with its number",
    picture: "Picture",
    pictureLost: "The picture did not load. Open it here",
    file: "File",
    voice: "Voice message",
    download: "Download",
    openNew: "opens in a new window",
    unknownPart: "(This content cannot be shown on the page)",
    sending: "Sending",
    failNetwork: "Not sent. Please check your connection.",
    failTimeout: "No answer came back. Please try again.",
    failServer: "Something went wrong on our side. Please try again.",
    failKey: "Not sent. An access key is needed.",
    failLeft: "The page was closed before an answer came.",
    retry: "Send again",
    amend: "Edit and send",
    startFail: "The service cannot be reached at the moment.",
    startAgain: "Try again",
    noBots: "There is no bot here yet. If this is your shop, add a knowledge folder and reload.",
    missingBot: (id) => `There is no bot called “${id}”; this is the first one.`,
    keyTitle: "Access key needed",
    keyAsk: "This service is open to key holders only. Enter the key the shop gave you; it stays in this tab.",
    keyWrong: "This key is wrong or no longer valid. Please enter another.",
    keyLabel: "Access key",
    keyAdmin: "Admin key",
    keyUse: "Use this key",
    keyForget: "Remove key",
    keyHelp: "Only the shop can see how an answer was decided. Run this on the server to get an admin key:",
    keyHelpThen: "The key stays in this tab and is gone when you close it.",
    keySaved: "Key saved. Ask something and the reasons will appear here.",
    keyNotAdmin: "This key has no admin scope, so reasons stay hidden. Create one with --scope admin.",
    copy: "Copy",
    copied: "Copied",
    pickAnswer: "Ask something, or choose “Why this answer?” below a reply.",
    actions: { answer: "Answer", clarify: "Clarify", task: "Task", handoff: "Hand over", decline: "Decline", block: "Block", mask: "Mask" },
    heard: "What was understood",
    tokens: "Words",
    rules: "Rules that fired",
    stages: { hard: "ahead of all evidence", soft: "after the evidence" },
    evidence: "Evidence",
    noEvidence: "Nothing similar was found.",
    kinds: { faq: "FAQ", product: "Product", rule: "Rule" },
    lineAnswer: (percent) => `answer from ${percent}`,
    lineClarify: (percent) => `clarify from ${percent}`,
    barLabel: (title, percent) => `${title}, probability ${percent}`,
    score: (score) => `score ${score}`,
    matched: "Shared words",
    lead: (gap, margin, enough) =>
      enough ? `First leads by ${gap}; ${margin} is needed` : `First leads by only ${gap}; ${margin} is needed`,
    sensitive: "Sensitive words",
    timings: "Time taken",
    timingsOf: { text: "text", rules: "rules", search: "search", decide: "decide", rest: "other" },
    total: "total",
    state: "Conversation state",
  },
};

let current = kept(localStorage, "yingda.language") === "en" ? "en" : "zh";

/** The language shown: `zh` or `en`. */
export function language() {
  return current;
}

/** Changes the language and remembers it in this browser. */
export function setLanguage(next) {
  current = next;
  keep(localStorage, "yingda.language", next);
}

/** The page's words under `name`; entries that take values are functions of them. */
export function say(name, ...values) {
  const words = WORDS[current][name];
  return typeof words === "function" ? words(...values) : words;
}

/** The word for one member of a closed set, such as an action; the member itself where it is unknown. */
export function sayOne(set, member) {
  return WORDS[current][set][member] ?? String(member);
}

/** Writes the words into every element of the page that names them in a `data-say…` attribute. */
export function sayAll() {
  document.documentElement.lang = current === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
  for (const node of document.querySelectorAll("[data-say-label]")) node.setAttribute("aria-label", say(node.dataset.sayLabel));
  for (const node of document.querySelectorAll("[data-say-hint]")) node.placeholder = say(node.dataset.sayHint);
  for (const node of document.querySelectorAll("[data-say-tip]")) node.title = say(node.dataset.sayTip);
}
