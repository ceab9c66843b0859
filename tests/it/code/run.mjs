// Runs the examples of reconnecting and of the page's heartbeat against a small server, with their
// pauses shortened. {"reconnection", "heartbeat"} come in, a list of what does not hold goes out.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

const examples = JSON.parse(readFileSync(0, 'utf8'));
const failed = [];
const expect = (holds, what) => { if (!holds) failed.push(what); };

// Frames of RFC 6455, section 5.2; everything here is shorter than 126 bytes.
const frame = (opcode, payload) => Buffer.concat([Buffer.from([0x80 | opcode, payload.length]), payload]);

class Peer {
  constructor(stream) {
    this.stream = stream;
    this.texts = [];
    stream.on('error', () => {});
    stream.on('data', (data) => this.read(data));
  }
  read(data) {
    while (data.length > 0) {
      const length = data[1] & 127;
      const payload = Buffer.from(data.subarray(6, 6 + length)).map((byte, at) => byte ^ data[2 + (at % 4)]);
      if ((data[0] & 15) === 1) this.texts.push(payload.toString());
      if ((data[0] & 15) === 8) {
        this.closedWith = payload.length > 1 ? payload.readUInt16BE(0) : 1005;
        this.stream.end(frame(8, payload));
      }
      data = data.subarray(6 + length);
    }
  }
  send(text) { this.stream.write(frame(1, Buffer.from(text))); }
  close(code) { this.stream.write(frame(8, Buffer.from([code >> 8, code & 255]))); }
}

const peers = [];
let breaks = false;
const server = createServer((request, response) => response.writeHead(426).end());
server.on('upgrade', (request, stream) => {
  const accept = createHash('sha1')
    .update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11')
    .digest('base64');
  stream.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
    + `Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
  peers.push(new Peer(stream));
  // Not before the answer: Node 20 tells of a refused handshake by 'error' alone.
  if (breaks) stream.end();
});
await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
const url = `ws://127.0.0.1:${server.address().port}/`;

// A page has these events; here nobody sends them.
globalThis.addEventListener ??= () => {};

async function until(holds, what) {
  for (let rounds = 0; rounds < 300; rounds += 1) {
    if (holds()) return;
    await pause(10);
  }
  failed.push(what);
}

const module = (text) => import(`data:text/javascript,${encodeURIComponent(text)}`);

async function reconnection() {
  const faster = examples.reconnection
    .replace('FIRST_BOUND = 1_000', 'FIRST_BOUND = 10')
    .replace('LONGEST_BOUND = 30_000', 'LONGEST_BOUND = 20')
    .replace('STABLE_AFTER = 10_000', 'STABLE_AFTER = 60_000');
  const { ReconnectingSocket } = await module(faster);
  const messages = [];
  let gaveUp = null;
  const options = { onMessage: (message) => messages.push(message), onGiveUp: (event) => { gaveUp = event; } };
  const socket = new ReconnectingSocket(url, options);
  await until(() => peers.length === 1, 'it opens');
  peers[0].send('{"id":7}');
  await until(() => messages.length === 1, 'messages arrive');
  peers[0].stream.destroy();
  await until(() => peers.length === 2, 'it opens again after a loss');
  await until(() => peers[1].texts.includes('{"type":"resume","after":7}'), 'it resumes after the last message');
  expect(socket.send({ type: 'hello' }), 'it sends when open');
  await until(() => peers[1].texts.includes('{"type":"hello"}'), 'what is sent arrives');
  peers[1].close(1012);
  await until(() => peers.length === 3, 'it opens again after a restart');
  await pause(50);
  socket.close();
  await until(() => peers[2].closedWith === 1000, 'it closes with 1000');
  await pause(100);
  expect(peers.length === 3 && gaveUp === null, 'closed, it stays closed');
  expect(!socket.send({}), 'closed, it does not send');

  const refused = new ReconnectingSocket(url, options);
  await until(() => peers.length === 4, 'a second one opens');
  await pause(50);
  peers[3].close(1008);
  await until(() => gaveUp?.code === 1008, 'it gives up after a final code');
  expect(!refused.send({}), 'given up, it does not send');

  breaks = true;
  gaveUp = null;
  new ReconnectingSocket(url, options);
  await until(() => gaveUp !== null, 'it gives up after the most attempts');
  breaks = false;
}

async function heartbeat() {
  const faster = examples.heartbeat
    .replace('EVERY = 25_000', 'EVERY = 50')
    .replace('PATIENCE = 10_000', 'PATIENCE = 30');
  const { startHeartbeat } = await module(`${faster}\nexport { startHeartbeat };`);
  const first = peers.length;
  const socket = new WebSocket(url);
  let closed = null;
  socket.addEventListener('open', () => startHeartbeat(socket));
  socket.addEventListener('close', (event) => { closed = event; });
  await until(() => peers.length > first, 'the heart begins');
  const peer = peers[first];
  const answering = setInterval(() => peer.send('{}'), 10);
  await until(() => peer.texts.length >= 3, 'the heart beats');
  expect(closed === null, 'answered, the socket stays open');
  clearInterval(answering);
  await until(() => peer.closedWith === 4000, 'unanswered, it closes with 4000');
  const beats = peer.texts.length;
  await pause(200);
  expect(peer.texts.length === beats, 'closed, the heart rests');
}

await reconnection();
await heartbeat();
process.stdout.write(JSON.stringify(failed));
process.exit(0);
