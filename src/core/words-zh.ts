/**
 * Chinese words of notices.
 */
import { OWN_LABELS_ZH } from "./choice.ts";
import type { Words } from "./words.ts";

function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} 秒`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} 分钟` : `${minutes} 分 ${seconds % 60} 秒`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} 小时` : `${hours} 小时 ${minutes % 60} 分`;
  return hours % 24 === 0 ? `${Math.floor(hours / 24)} 天` : `${Math.floor(hours / 24)} 天 ${hours % 24} 小时`;
}

const took = (time: string | undefined): string => (time === undefined ? "" : ` · ${time}`);
const MARK = { number: "编号", letter: "字母" } as const;
const WHO = { by_agent: "智能体", by_person: "用户", by_writer: "TaskFlow 的其他写入方" } as const;

const FROM = {
  here: "在此回答",
  elsewhere: "在别处回答",
  meanwhile: "已经回答",
  agent: "由智能体回答",
  writer: "由 TaskFlow 的其他写入方回答",
} as const;

const TAKEN = {
  now: { message: "消息已转达。", answer: "回答已转达：" },
  queued: { message: "消息会在当前这一轮结束后发送。", answer: "回答正在等待：" },
  resumed: { message: "iFlow 重新启动并继续。", answer: "iFlow 重新启动并继续，回答：" },
} as const;

export const ZH: Words = {
  duration,
  head: {
    launched: (name) => `${name} 已启动`,
    queued: (name, place) => `${name} 正在等待空闲名额${place === undefined ? "" : `（第 ${place} 位）`}`,
    permission: (name) => `${name} 请求许可`,
    plan: (name) => `${name} 提出了计划`,
    question: (name) => `${name} 有一个问题`,
    questions: (name, count) => `${name} 有 ${count} 个问题`,
    freshStart: (name) => `${name} 询问如何继续`,
    waits: (name) => `${name} 正在等你回答`,
    closed: (name, what) => `${name} 之前的提问${what === "" ? "" : `（${what}）`}已经有了结果`,
    responded: (name, who) => `${name} 收到了${WHO[who]}的回答`,
    turnFinished: (name, turn, time) => `${name} 完成了第 ${turn} 轮${took(time)}`,
    completed: (name, time) => `${name} 已完成${took(time)}`,
    failed: (name, time) => `${name} 失败${took(time)}`,
    killed: (name, time) => `${name} 已被停止${took(time)}`,
    interrupted: (name) => `${name} 被中断`,
    quiet: (name, time) => `${name} 已有 ${time}没有动静`,
    denied: (name, ids) => `${name}：${ids.join("、")} 超时无人回答，按拒绝处理`,
    warning: (name) => name,
  },
  about: {
    agent_missing: "找不到 iFlow。",
    agent_start_failed: "无法启动 iFlow。",
    agent_handshake: "iFlow 已启动，但没有及时应答。",
    not_authenticated: "iFlow 尚未登录。",
    agent_too_old: "iFlow 版本过旧。",
    agent_error: "iFlow 返回了错误。",
    agent_exited: "iFlow 进程已结束。",
    gateway_restarted: "iFlow 工作时网关重启了。",
    gateway_stopped: "iFlow 工作时网关停止了。",
    model_silent: "模型长时间没有响应，本轮已停止。",
    tool_timeout: "工具运行时间过长，本轮已停止。",
    stopped_by_person: "由用户停止。",
    stopped_by_agent: "由启动它的智能体停止。",
    stopped_elsewhere: "它的 TaskFlow 在插件之外被结束。",
    abandoned: "没有人及时回答或继续。",
    prompt_unknown: "无法确定最后一条消息是否已送达 iFlow。",
    storage: "无法保存或找到它的记录。",
    end_turn: "",
    max_tokens: "提前停止：模型达到输出上限。",
    refusal: "提前停止：模型拒绝回答。",
    cancelled: "本轮已被停止。",
    max_turn_requests: "提前停止：本轮的模型请求次数达到上限。",
    unknown: "已停止，但没有说明原因。",
    by_agent: "",
    by_person: "",
    by_writer: "",
    deadline_passed: "",
    deadline_held: "网关停机期间，它的期限已过。",
    foreign_resume: "有人恢复了它的 TaskFlow，但没有给出有效回答。问题仍未关闭。",
    record_ignored: "网关未运行期间，它的 TaskFlow 记录中的权限与日志不一致。以日志为准，以下改动未采用：",
    rights_unknown: "它的日志已丢失，现根据 TaskFlow 记录继续。它原有的权限无法确认，因此今后每一步都会询问。",
    background_kept: "后台仍在运行，直到会话结束或其他会话需要它的位置：",
    background_ended: "以下后台程序仍在运行，已随它的进程一起结束：",
    waiting_for_model: "正在等待模型。",
    running_tool: "",
    may_be_cut: "可能是达到 max_turns 而停止：最后一次工具调用之后没有任何文字。",
    limit_reached: "智能体连续自动回答次数过多（maxAutoResponds），这次需要由人来回答。",
  },
  remedy: {
    not_authenticated: "请在终端运行 `iflow` 登录，或在插件配置中设置 agent.auth。",
    agent_too_old: "请用当初的安装方式更新 iFlow。",
    agent_missing: "请安装社区版（命令是 iflow-ce），或在插件配置中设置 agent.command。",
    model_silent: "模型可以沉默多久由 iflowTimeout 决定。",
    tool_timeout: "工具可以运行多久由 toolTimeoutMinutes 决定。",
  },
  where: (workdir, mode) => `${workdir} · 权限模式：${mode}`,
  unsent: (count) => `有 ${count} 条等待中的消息没有发送。`,
  slotsHeld: (names) => `${names.join("、")} 占着位置等你回答；两分钟内无人回答就会让出位置，问题仍可回答。`,
  running: (tool) => `正在运行 ${tool}。`,
  held: (time) => `现在再保留 ${time}。`,
  resumedWith: (words) => `对方的内容：${words}`,
  partly: (shown, total) => `[…… 共 ${total} 个字符，这里显示 ${shown} 个 ……]`,
  showAll: "查看全部",
  more: (count) => `…… 另有 ${count} 项`,
  mayBeMissing: (name) =>
    `⚠️ ${name}：发送一条消息时连接中断，它可能没有送到这里。\n查看：/iflow_output ${name}\n还有什么在等：/iflow_sessions`,
  elsewhere: (name) => `（${name} 原来的聊天现在无法接收消息，所以发到这里。）`,
  typed: {
    waitsForRest: (command, units) => `⏳ ${command} 占满了一条消息（这里是 ${units} 个字符），等余下部分到达后开始。`,
    restMissing: (command, units) =>
      `没有开始任何工作：${command} 占满了一条消息（这里是 ${units} 个字符），而余下部分没有到达。请重新发送全部内容；如果那就是全部，请稍微缩短。长文本也可以放进工作目录下的文件，再在话里写出文件名。`,
    attachment: (command) =>
      `没有开始任何工作：随 ${command} 发来的图片和文件不会转交给 iFlow。请只发送文字；文件可以放到工作目录下，再在话里写出文件名。`,
  },
  options: OWN_LABELS_ZH,
  freshStart: "iFlow 已经没有这个会话的历史记录。要带着之前的摘要重新开始，还是停止？",
  markPlace: { number: "<编号>", letter: "<字母>" },
  wordsPlace: "<回答>",
  severalAllowed: (example) => `可以选多项，例如 ${example}。`,
  effects: { once: "仅此一次", always: "以后都", no: "拒绝" },
  answers: {
    which: "是哪一个？还没有回答任何问题。",
    already: (name, answer) =>
      answer === undefined ? `${name}：那个问题已经结束，没有回答` : `${name}：已经回答过：${answer}`,
    nothingAnswered: "没有回答其他问题。",
    passedOn: (name) => `${name}：你的话已经转达。`,
  },
  over: {
    answered: (answer, from) => `↩️ ${answer}（${FROM[from]}）`,
    denied: "⌛ 没有人及时回答，因此答案是“否”。",
    dropped: "◻️ 不再询问：该轮或会话已经结束。",
  },
  contentHidden: "（安全模式下不显示内容）",
  codeHidden: "（安全模式下不显示代码）",
  reply: {
    launched: (name, mode) => `↩️ ${name} 已启动 · 权限模式：${mode}`,
    queued: (name, mode, place) => `⏳ ${name} 正在排队（第 ${place} 位）· 权限模式：${mode}`,
    taken: (name, what, how) =>
      `↩️ ${name}：${what === undefined ? TAKEN[how].message : `${TAKEN[how].answer}${what}`}`,
    stillOpen: (ids) => `尚待回答：${ids.join("、")}`,
    stopped: (name, time) => `⛔ ${name} 已停止${took(time)}`,
    closed: (name) => `✅ ${name} 已关闭（当时空闲）`,
    resumed: (name) => `↩️ ${name} 继续进行`,
    forked: (name, into, how) =>
      `↩️ ${into} 从 ${name} 分出，${how === "copied" ? "带有它的历史副本" : "从头开始，带有历史摘要"}`,
    following: (name) => `▍正在跟随 ${name}；停止跟随：/iflow_bg ${name}`,
    repeats: "上一轮失败了，会重新发送那一轮的消息。",
    willBeTold: "它提问、完成或失败时会通知你。",
    nothingNew: "（没有新内容）",
  },
  next: {
    readWhole: (command) => `完整内容：${command}`,
    watch: (name) => `查看进展：/iflow_fg ${name}`,
    withdraw: (name) => `轮到时会自动开始。撤回：/iflow_kill ${name}`,
    choose: (command, mark) => `回复${MARK[mark]}即可，或：${command}`,
    chooseOrSay: (command, mark) => `回复${MARK[mark]}即可。用自己的话回答：${command}`,
    say: (command) => `回答：${command}`,
    each: (command) => `请按编号逐个回答：${command}`,
    deadline: (left) => `${left}内没有回答则按拒绝处理。`,
    goOn: (name) => `继续：/iflow_respond ${name} <内容>`,
    retry: (name) => `带着原来的上下文重试：/iflow_resume ${name}`,
    resumeLater: (name) => `以后继续：/iflow_resume ${name}`,
    carryOn: (name) => `没有重复执行任何操作。继续：/iflow_respond ${name} 继续`,
    stop: (name) => `停止：/iflow_kill ${name}`,
    readBefore: (length, command) => `…… 前面还有 ${length} 个字符：${command}`,
  },
};
