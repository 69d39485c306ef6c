/**
 * The Chinese of docs/reference.zh.md: each description of the schemas -> the same in Chinese.
 * By the English sentence, so that a changed one has no Chinese until somebody has looked at it (test/readme.test.ts).
 */
export const CHINESE: Readonly<Record<string, string>> = {
  // Parameters
  "What iFlow should do.": "要 iFlow 做什么。",
  "Short name of the session; derived from the prompt when absent.": "会话的短名；不给则取自提示。",
  "Directory to work in; default: the agent's workspace, else defaultWorkdir.":
    "工作目录；默认：代理的工作区，否则 defaultWorkdir。",
  "Model id of iFlow; default: defaultModel, else iFlow's own.":
    "iFlow 的模型 id；默认：defaultModel，否则 iFlow 自己的。",
  "ms without a sign of life while the model is waited for; default: iflowTimeout.":
    "等待模型时可以没有动静的毫秒数；默认：iflowTimeout。",
  "iFlow's own limit of model calls in one turn.": "iFlow 自己对一轮中模型调用次数的上限。",
  "Replaces iFlow's system prompt.": "替换 iFlow 的系统提示。",
  "Tools that selective mode allows without asking.": "selective 模式下不必询问的工具。",
  "End with the first turn; default false.": "第一轮之后就结束；默认 false。",
  "auto: never asks; selective: asks but for allowed_tools and reading; manual: always asks; plan: a plan first.":
    "auto：从不询问；selective：除 allowed_tools 和读取之外都问；manual：总是询问；plan：先做计划。",
  "Files below workdir to send along.": "一并发送的文件，须在 workdir 之下。",
  "Go on with this session (name or id) and its settings instead of a new one.":
    "不新建，而是带着原来的设置接着做这个会话（名字或 id）。",
  "With resume_session_id: leave the original untouched.": "与 resume_session_id 同用：不动原会话。",
  "reuse: go on with the last session of the same directory and its settings; default auto (a new one).":
    "reuse：接着做同一目录的上一个会话，沿用其设置；默认 auto（新建）。",
  "Chat for notices: channel|target or channel|account|target; default: this chat.":
    "通知发往的聊天：channel|target 或 channel|account|target；默认：当前聊天。",
  "Name or id.": "名字或 id。",
  "The answer, or what to do next.": "回答，或接下来做什么。",
  "Stop the running turn first; default false.": "先停下正在进行的一轮；默认 false。",
  "Which question, when several are open.": "同时有几个提问时，回答哪一个。",
  "The chosen option, by number, id or text.": "所选的选项：编号、id 或原文。",
  "Send it as a message, also where it reads like an answer and nothing is asked; default false.":
    "作为消息发送，即使它读起来像回答而现在没有提问；默认 false。",
  "How many lines to catch up at most, in a chat that is new to it.": "新来的聊天最多补看多少行。",
  "Name or id; none: all that this chat follows.": "名字或 id；不给：这个聊天跟看的全部会话。",
  "Stop every live session of this chat; default false.": "停止这个聊天的全部活动会话；默认 false。",
  "How many of the last lines.": "最后多少行。",
  "Everything from the beginning; default false.": "从头开始的全部内容；默认 false。",
  "Absolute offset (UTF-16 code units) to start from; wins over lines and full.":
    "起始的绝对偏移（UTF-16 码元）；优先于 lines 和 full。",
  "Which sessions.": "哪些会话。",
  "Name or id; none: list what can be resumed.": "名字或 id；不给：列出可以接着做的会话。",
  'What to do next; default: the message of a turn that failed, else "Continue where you stopped."':
    "接下来做什么；默认：失败的那一轮的消息，否则 “Continue where you stopped.”",
  "A new session with the same history; default false.": "带着同样历史的新会话；默认 false。",
  // Answers
  "Id of the session.": "会话的 id。",
  "Its name.": "会话的名字。",
  "Its state now.": "现在的状态。",
  "Real path of its directory.": "工作目录的真实路径。",
  "Its TaskFlow.": "它的 TaskFlow。",
  "Place in line, from 1, when all slots are busy.": "名额已满时排在第几位，从 1 起。",
  "A refusal is an error instead.": "被拒绝时则是错误。",
  "now: iFlow has it; queued: for the next turn; resumed: iFlow is started again for it.":
    "now：iFlow 已收到；queued：留待下一轮；resumed：为此重新启动 iFlow。",
  "Where `output` begins.": "`output` 从哪里开始。",
  "One past its end: `since` of the next call.": "末尾的后一位：下次调用的 `since`。",
  "Whether more will come (false: the session has ended).": "是否还会有内容（false：会话已结束）。",
  "What this chat had not seen.": "这个聊天还没看过的内容。",
  "Which the chat does not follow any more.": "这个聊天不再跟看的会话。",
  "With `all`: those that were stopped.": "用 `all` 时：被停止的会话。",
  "Whether there is more before or after.": "前后是否还有内容。",
  "The words; with `questionId` those of the question, and the offsets are in them.":
    "文字；给出 `questionId` 时是该提问的全文，偏移也按它计算。",
  "Instead of output, all of this open question: command, diff or plan, and every choice.":
    "不显示输出，而显示这个未答提问的全部内容：命令、差异或计划，以及每个选项。",
  "Its first prompt, at most 2 KiB of it.": "第一个提示，至多 2 KiB。",
  "Launched at.": "启动时间。",
  "Ended at.": "结束时间。",
  "From launch to end, or until now.": "从启动到结束，或到现在。",
  "Turns begun.": "已开始的轮数。",
  "Tool calls of iFlow.": "iFlow 的工具调用次数。",
  "As it is now.": "现在的许可模式。",
  "What is open, when it asks.": "提问时：尚未回答的提问。",
  "For `question_id`.": "用于 `question_id`。",
  "What is asked for.": "问的是哪一类。",
  "The question.": "提问的内容。",
  "Choices, in the order of their marks.": "选项，按其标号的顺序。",
  "By what they are named: 1, 2, 3, or A, B, C where a number could mean two.":
    "选项用什么标号：1、2、3；编号可能有歧义时用 A、B、C。",
  "Why it failed, was killed or interrupted.": "失败、被停止或中断的原因。",
  "Id of the session that it goes on with.": "它所接续的会话的 id。",
  "Notices in a row that no chat took; none when its chat takes them.":
    "连续没有任何聊天收下的通知数；聊天能收到时没有此项。",
  "Names of sessions whose last notices no chat took.": "最近的通知没有任何聊天收下的会话的名称。",
  "Id of the session that went on with it.": "接续它的会话的 id。",
  "Sessions that are known.": "已知的会话数。",
  "State -> sessions.": "状态 -> 会话数。",
  "Time in which iFlow worked; waiting for people does not count.": "iFlow 工作的时间；等人的时间不算。",
  "Tool calls.": "工具调用次数。",
  "The longest session: `{ id, name, durationMs }`.": "最久的会话：`{ id, name, durationMs }`。",
  "Questions of iFlow.": "iFlow 的提问数。",
  "Answered by people.": "由人回答的。",
  "Answered by an agent.": "由代理回答的。",
  "Denied, e.g. past their deadline.": "被拒绝的，例如超过期限。",
  "Slots taken.": "已占用的名额。",
  "Sessions in line.": "排队的会话数。",
  "Slots.": "名额总数。",
  "Places in line.": "队伍的位置总数。",
  "Notices that the host took.": "OpenClaw 已接收的通知。",
  "Notices that it or the channel refused for good.": "被它或频道彻底拒绝的通知。",
  "Notices that may not have arrived (cut off while they were sent); they are not repeated.":
    "可能没有送到的通知（发送途中断掉）；不再重发。",
  "Notices without a chat.": "没有去处的通知。",
  "Notices on their way.": "正在路上的通知。",
  "Chats that take nothing now; what waits for them is tried again.": "眼下不接收的聊天；等着它们的通知会再试。",
  "Why the last one was not taken at once; only for who sees every session.":
    "最近一条没有马上被接收的原因；只给能看到所有会话的人。",
  "With `fork`: id of the original.": "用 `fork` 时：原会话的 id。",
  "With `fork`: what it knows of the original.": "用 `fork` 时：它对原会话知道多少。",
  // Configuration
  "Sessions with a live agent process at a time.": "同时有代理进程的会话数。",
  "Launches that may wait for a slot.": "可以排队等名额的启动数。",
  "Answers by an agent in a row before a person must answer.": "代理连续回答多少次之后，必须由人回答。",
  "Milliseconds without a sign of life while a turn waits for the model.": "一轮等待模型时可以没有动静的毫秒数。",
  "Seconds of silence after which a working session is reported once as quiet.":
    "工作中的会话安静多少秒后，报告一次“很久没动静”。",
  "Seconds that the agent process of an idle session waits for a follow-up. It goes sooner when another session needs its slot.":
    "空闲会话的代理进程等待后续消息的秒数。别的会话需要名额时，它会更早离开。",
  "Minutes that one tool call of the agent may take.": "代理的一次工具调用可以用多少分钟。",
  "Minutes after which an idle session ends as completed.": "空闲会话多少分钟后按完成结束。",
  "Minutes after which an open question is denied.": "提问多少分钟没人回答就按拒绝处理。",
  "Ended sessions that stay resumable (each for a day at least).":
    "保留多少个已结束、仍可接着做的会话（每个至少一天）。",
  "Days that the journal of an ended session is kept.": "已结束会话的日志保留多少天。",
  "What the journal keeps: all words, or all words with secrets masked (always so with safeMode).":
    "日志保留什么：全部文字，或遮盖了密钥的全部文字（用 safeMode 时总是如此）。",
  "What iFlow may do unasked: everything, the allowed tools, nothing, or only plan.":
    "iFlow 不问就可以做什么：一切、允许的工具、什么都不行，或只做计划。",
  "Launch without the checks that come before it. For tests only.": "启动前不做检查。仅供测试。",
  "Directory of a launch that names none and has no workspace.": "没有指定目录、也没有工作区时的启动目录。",
  "Directories below which sessions may work. Empty: the workspace and defaultWorkdir; the owner anywhere.":
    "会话只可在这些目录之下工作。空：工作区和 defaultWorkdir；网关主人不限。",
  "Model of a launch that names none.": "启动时没有指定模型则用它。",
  "Directory to chat, for sessions launched from no chat; optionally the agent to wake.":
    "目录到聊天的对应，用于不是从聊天启动的会话；可另给要唤醒的代理。",
  "A chat: channel|target or channel|account|target.": "一个聊天：channel|target 或 channel|account|target。",
  "Senders (id, or channel:id) who see and steer every session and grant in groups, as the host's owner does.":
    "可以看到和控制所有会话、并在群里批准的发送者（id 或 channel:id），与网关主人一样。",
  "How much of a session is shown in chats.": "聊天里显示会话的多少内容。",
  "Hide file contents and command output in chats; mask secrets in the words of sessions too, also in the journal.":
    "在聊天里隐藏文件内容和命令输出；会话文字中的密钥也遮盖，日志里也是。",
  "Language of notices.": "通知的语言。",
  "Bytes of the latest output kept in the flow's record; the journal has all of it.":
    "流程记录里保留最近多少字节的输出；日志里有全部。",
  "After a gateway restart, a session that was working waits for a person, or goes on by itself.":
    "网关重启后，原来在工作的会话等人来决定，还是自动接着做。",
  "Agent program: a name on PATH or a path. Default: iflow, else iflow-ce.":
    "代理程序：PATH 上的名字或路径。默认：iflow，否则 iflow-ce。",
  "Arguments put before those of the plugin.": "放在插件的参数之前的参数。",
  "Environment of the agent, besides the short list that it inherits.": "代理的环境变量，在它继承的少数几个之外。",
  "How to talk to the agent. stdio opens no port.": "与代理通信的方式。stdio 不开端口。",
  "Address of an agent that is already running (ws:// or wss://); needs transport websocket.":
    "已在运行的代理的地址（ws:// 或 wss://）；需要 transport 为 websocket。",
  "Authentication method that the agent offers.": "代理提供的登录方式。",
  "A text, or the host's reference to a secret.": "一段文字，或 OpenClaw 的密钥引用。",
  "Base URL of the model's API.": "模型 API 的基础地址。",
  "Model that belongs to the key.": "与密钥对应的模型。",
  "Ask the agent for its live frames; without them less is known of tools.":
    "向代理索取实时帧；没有它们，对工具的了解会少一些。",
};
