/**
 * The websocket side of the demo agent, with nothing but node: enough of RFC 6455 for text frames, ping and close.
 * Owns: the HTTP upgrade at /acp, frames, control texts (`//ready`, `//stderr ...`). Does not own: JSON-RPC.
 * Unlike iFlow, which listens on every interface, it listens on 127.0.0.1 only, unless it is told to do as iFlow does. A busy port is iFlow's: alive, silent, not listening.
 */
import { createHash } from "node:crypto";
import { createServer } from "node:http";

const KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT = 0x81;
const TEXT_BEGIN = 0x01;
const CONTINUATION = 0x00;
const CONTINUATION_END = 0x80;
const CLOSE = 0x88;
const PONG = 0x8a;

function encode(firstByte, payload) {
  const size = payload.length;
  const header = size < 126 ? Buffer.alloc(2) : size < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
  header[0] = firstByte;
  if (size < 126) header[1] = size;
  else if (size < 65_536) {
    header[1] = 126;
    header.writeUInt16BE(size, 2);
  } else {
    header[1] = 127;
    header.writeBigUInt64BE(BigInt(size), 2);
  }
  return Buffer.concat([header, payload]);
}

/** One masked client frame from the front of `bytes`, or undefined when more must come. */
function decode(bytes) {
  if (bytes.length < 2) return undefined;
  let size = bytes[1] & 0x7f;
  let at = 2;
  if (size === 126) {
    if (bytes.length < 4) return undefined;
    size = bytes.readUInt16BE(2);
    at = 4;
  } else if (size === 127) {
    if (bytes.length < 10) return undefined;
    size = Number(bytes.readBigUInt64BE(2));
    at = 10;
  }
  if (bytes.length < at + 4 + size) return undefined;
  const mask = bytes.subarray(at, at + 4);
  const payload = Buffer.from(bytes.subarray(at + 4, at + 4 + size));
  for (let index = 0; index < size; index += 1) payload[index] ^= mask[index & 3];
  return { end: (bytes[0] & 0x80) !== 0, opcode: bytes[0] & 0x0f, payload, rest: bytes.subarray(at + 4 + size) };
}

function serve(socket, onText, onEnd) {
  let bytes = Buffer.alloc(0);
  let parts = [];
  socket.on("data", (chunk) => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    for (let frame = decode(bytes); frame !== undefined; frame = decode(bytes)) {
      bytes = frame.rest;
      if (frame.opcode === 8) socket.end(encode(CLOSE, frame.payload));
      else if (frame.opcode === 9) socket.write(encode(PONG, frame.payload));
      else if (frame.opcode <= 2) {
        parts.push(frame.payload);
        if (!frame.end) continue;
        onText(Buffer.concat(parts).toString("utf8"));
        parts = [];
      }
    }
  });
  socket.on("error", () => socket.destroy()); // the client is gone; turns go on
  socket.on("close", onEnd);
}

/** `connect({ write, writePieces })` returns the peer of a connection. */
export function listen(port, flags, connect) {
  let connections = 0;
  let opened = 0;
  const server = createServer((request, response) => {
    if (request.url !== "/acp-status") return response.writeHead(404).end();
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ connections, lastExit: null, stdoutTail: [], stderrTail: [] }));
  });
  server.on("upgrade", (request, socket) => {
    if (request.url !== "/acp") return socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${KEY_SUFFIX}`).digest("base64");
    socket.setNoDelay(true);
    const upgrade = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
    socket.write(upgrade);
    connections += 1;
    const number = ++opened;
    console.log(`[WS ${number}] open connection ${socket.remoteAddress}`);

    const frame = (text) => encode(TEXT, Buffer.from(text.startsWith("//") ? text : `${text}\n`));
    const held = [];
    let holding = flags.has("handshake-burst");
    const write = (texts) => {
      if (socket.destroyed) return;
      socket.write(Buffer.concat([...held.splice(0), ...texts.map(frame)]));
      holding = false;
    };
    const writePieces = (text) => {
      const whole = Buffer.from(`${text}\n`);
      const middle = Math.floor(whole.length / 2);
      // A fragmented message, cut anywhere (also inside of a character), each byte in a write of its own.
      const bytes = Buffer.concat([
        encode(TEXT_BEGIN, whole.subarray(0, middle)),
        encode(CONTINUATION, whole.subarray(middle, middle + 1)),
        encode(CONTINUATION_END, whole.subarray(middle + 1)),
      ]);
      for (let index = 0; index < bytes.length; index += 1) socket.write(bytes.subarray(index, index + 1));
    };
    const peer = connect({ write, writePieces });
    serve(
      socket,
      (text) => peer.receive(text),
      () => (connections -= 1),
    );
    const started = `//stderr [WS ${number}] Embedded iFlow ACP peer started`;
    if (holding) {
      socket.write(frame("//ready"));
      held.push(frame(started));
    } else write(["//ready", started]);
  });
  server.on("error", () => setInterval(() => {}, 60_000)); // a busy port: stays alive, never listens, says nothing
  server.listen(port, ...(flags.has("all-interfaces") ? [] : ["127.0.0.1"]), () => {
    console.log(`🚀 iFlow ACP Server running at ws://127.0.0.1:${server.address().port}/acp`);
  });
}
