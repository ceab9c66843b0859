// A server of the lab: node server.js KIND PORT [WORD...], with ws and socket.io where NODE_PATH says.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const https = require('https');
const net = require('net');

const [kind, port, ...words] = process.argv.slice(2);
const listen = (server) => server.listen(Number(port), kind.endsWith('-everywhere') ? '0.0.0.0' : '127.0.0.1');
const keyOf = (header) => /sec-websocket-key: *(\S+)/i.exec(header)?.[1] ?? '';
const acceptOf = (key) => crypto.createHash('sha1')
  .update(key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');

// The ws library with these options.
function ws(options, connected) {
  const { WebSocketServer } = require('ws');
  const tls = words[0] === 'tls' && { cert: fs.readFileSync(words[1] + '.crt'), key: fs.readFileSync(words[1] + '.key') };
  const server = tls ? https.createServer(tls) : http.createServer();
  const sockets = new WebSocketServer(options.noServer ? { noServer: true } : { server, ...options });
  sockets.on('connection', connected ?? ((socket) => socket.on('message', (message) => socket.send(message))));
  // Without this a request that asks for no upgrade would wait for ever.
  server.on('request', (request, response) => {
    response.writeHead(426, { 'Content-Type': 'text/plain' }).end('Upgrade Required');
  });
  listen(server);
}

// Bytes as they are; `answer` gets the socket and the request's header.
function raw(answer) {
  listen(net.createServer({ allowHalfOpen: true }, (socket) => {
    let header = '';
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    socket.on('data', (bytes) => {
      const before = header.includes('\r\n\r\n');
      header += bytes.toString('latin1');
      if (!before && header.includes('\r\n\r\n')) answer(socket, header);
    });
  }));
}

const switched = (header, more = '', accept = acceptOf(keyOf(header))) =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${more}\r\n`;

// Writes a beginning, and then the same again and again.
const withoutEnd = (beginning, again) => (socket) => {
  socket.write(beginning, 'latin1');
  const many = Buffer.from(again.repeat(2000), 'latin1');
  const more = () => {
    while (!socket.destroyed && socket.write(many));
    socket.once('drain', more);
  };
  more();
};

// Answers pings, as long as they are small and nothing else comes.
function answerPings(socket) {
  socket.on('data', (bytes) => {
    if (bytes[0] !== 0x89) return;
    const length = bytes[1] & 0x7f;
    const mask = bytes.subarray(2, 6);
    const payload = bytes.subarray(6, 6 + length).map((byte, at) => byte ^ mask[at % 4]);
    socket.write(Buffer.concat([Buffer.from([0x8a, length]), payload]));
  });
}

const kinds = {
  'ws': () => ws({}),
  'ws-everywhere': () => ws({}),
  'ws-path': () => ws({ path: '/socket' }),
  'ws-origin': () => ws({
    verifyClient: ({ origin }, done) => done(!origin || origin === words[0], 403, 'Forbidden'),
  }),
  'ws-token': () => ws({ verifyClient: (info, done) => done(false, 401, 'Unauthorized') }),
  // Answers after so many seconds.
  'ws-slow': () => ws({
    verifyClient: (info, done) => setTimeout(() => done(true), Number(words[0]) * 1000),
  }),
  // Knows itself by one name.
  'ws-host': () => ws({
    verifyClient: ({ req }, done) => done(req.headers.host === words[0], 400, 'Invalid Host header'),
  }),
  'ws-subprotocol': () => ws({ handleProtocols: () => false }),
  'ws-close': () => ws({}, (socket) => socket.close(Number(words[0]), words.slice(1).join(' '))),
  'ws-close-later': () => ws({}, (socket) => setTimeout(() => socket.close(Number(words[0])), 2000)),
  'ws-terminate': () => ws({}, (socket) => socket.terminate()),
  // A server that somebody wrote with the http module: it refuses every upgrade.
  'http-refuses': () => {
    const server = http.createServer((request, response) => response.end('hello'));
    server.on('upgrade', (request, socket) => {
      // Who reads no further resets the connection.
      socket.on('error', () => socket.destroy());
      socket.end(`HTTP/1.1 ${words.join(' ')}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    });
    listen(server);
  },
  // Sockets at one path and 404 at every other, as frameworks answer.
  'http-path': () => {
    const { WebSocketServer } = require('ws');
    const sockets = new WebSocketServer({ noServer: true });
    sockets.on('connection', () => {});
    const missing = 'Cannot GET this';
    const server = http.createServer((request, response) => response.writeHead(404).end(missing));
    server.on('upgrade', (request, socket, head) => {
      // Who reads no further resets the connection.
      socket.on('error', () => socket.destroy());
      if (request.url.split('?')[0] === words[0]) {
        return sockets.handleUpgrade(request, socket, head, (one) => sockets.emit('connection', one));
      }
      socket.end(`HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: ${missing.length}\r\n\r\n${missing}`);
    });
    listen(server);
  },
  // A server that knows nothing of sockets.
  'http-page': () => listen(http.createServer((request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>Shop</title><p>Welcome');
  })),
  'http-json': () => listen(http.createServer((request, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.writeHead(Number(words[0])).end(JSON.stringify({ error: words.slice(1).join(' ') }));
  })),
  'socketio': () => {
    const { Server } = require('socket.io');
    const server = http.createServer();
    new Server(server).on('connection', () => {});
    listen(server);
  },
  'silent': () => raw(() => {}),
  'reset': () => raw((socket) => socket.resetAndDestroy()),
  'empty': () => raw((socket) => socket.end()),
  'garbage': () => raw((socket) => socket.end(crypto.randomBytes(3000).fill(0xf3, 0, 4))),
  'endless-header': () => raw((socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\n');
    let number = 0;
    const more = () => {
      while (!socket.destroyed && socket.write(`X-Filler-${number++}: ${'a'.repeat(200)}\r\n`));
      socket.once('drain', more);
    };
    more();
  }),
  'endless-body': () => raw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n');
    const more = () => {
      while (!socket.destroyed && socket.write('b'.repeat(4000)));
      socket.once('drain', more);
    };
    more();
  }),
  // These never end: a page in chunks, one line of a header, announcements, one message.
  'endless-chunks': () => raw(withoutEnd('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '5\r\nhello\r\n')),
  'endless-line': () => raw(withoutEnd('HTTP/1.1 101 Switching Protocols\r\nX-Filler: ', 'a')),
  'endless-announcements': () => raw(withoutEnd('', 'HTTP/1.1 100 Continue\r\n\r\n')),
  'endless-message': () => raw((socket, header) => withoutEnd(
    switched(header) + '\x82\x7f\x00\x00\x7f\xff\xff\xff\xff\xff', 'm')(socket)),
  'endless-pings': () => raw((socket, header) => withoutEnd(switched(header), '\x89\x01p')(socket)),
  'announces': () => raw((socket, header) => {
    socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n' + switched(header));
    answerPings(socket);
  }),
  'breaks-off': () => raw((socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n')),
  'half-tls': () => listen(net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.write(Buffer.from('1603030040', 'hex')));
  })),
  'chatter': () => ws({}, (socket) => {
    const more = () => {
      if (socket.readyState === 1) socket.send('c'.repeat(50000), () => setImmediate(more));
    };
    more();
  }),
  'drip': () => raw((socket, header) => {
    const answer = switched(header);
    let at = 0;
    const timer = setInterval(() => {
      if (socket.destroyed || at >= answer.length) return clearInterval(timer);
      socket.write(answer[at++]);
    }, 1000);
  }),
  'wrong-accept': () => raw((socket, header) => socket.write(switched(header, '', acceptOf('another key')))),
  'no-accept': () => raw((socket, header) =>
    socket.write(switched(header).replace(/Sec-WebSocket-Accept.*\r\n/, ''))),
  'unknown-extension': () => raw((socket, header) =>
    socket.write(switched(header, 'Sec-WebSocket-Extensions: x-lab-compress\r\n'))),
  'unasked-subprotocol': () => raw((socket, header) =>
    socket.write(switched(header, 'Sec-WebSocket-Protocol: soap\r\n'))),
  'two-subprotocols': () => raw((socket, header) => socket.write(
    switched(header, 'Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: soap\r\n'))),
  'deflate-parameter': () => raw((socket, header) => {
    const offered = /permessage-deflate/i.test(header);
    socket.write(switched(header, offered ? 'Sec-WebSocket-Extensions: permessage-deflate; turbo=1\r\n' : ''));
    answerPings(socket);
  }),
  'lower-accept': () => raw((socket, header) =>
    socket.write(switched(header, '', acceptOf(keyOf(header)).toLowerCase()))),
  'without-upgrade': () => raw((socket, header) =>
    socket.write(switched(header).replace('Upgrade: websocket\r\n', ''))),
  'connection-close': () => raw((socket, header) =>
    socket.write(switched(header).replace('Connection: Upgrade', 'Connection: close'))),
  'old-http': () => raw((socket, header) => socket.write(switched(header).replace('HTTP/1.1', 'HTTP/1.0'))),
  // An answer as it is, words with _ for spaces: STATUS HEADERS BODY.
  'answers': () => raw((socket) => {
    const [status, headers, body] = words.map((word) => word.replaceAll('_', ' '));
    const lines = (headers ?? '-') === '-' ? '' : headers.split('|').join('\r\n') + '\r\n';
    socket.end(`HTTP/1.1 ${status}\r\n${lines}Content-Length: ${(body ?? '').length}\r\nConnection: close\r\n\r\n${body ?? ''}`);
  }),
  // After a good handshake these bytes, as hexadecimal digits, then pings are answered.
  'frames': () => raw((socket, header) => {
    socket.write(switched(header));
    socket.write(Buffer.from(words[0], 'hex'));
    answerPings(socket);
  }),
  'ends-after-101': () => raw((socket, header) => socket.end(switched(header))),
  'wrong-pong': () => raw((socket, header) => {
    socket.write(switched(header));
    socket.once('data', () => socket.write(Buffer.from('8a037a7a7a', 'hex')));
  }),
  'no-pong': () => raw((socket, header) => socket.write(switched(header))),
  // Bytes before anybody asked, and an end to what is asked in TLS.
  'greets': () => listen(net.createServer((socket) => {
    socket.on('error', () => {});
    socket.write(Buffer.from(words[0], 'hex'));
    setTimeout(() => socket.end(), 1000);
  })),
  'closes-on-accept': () => listen(net.createServer((socket) => {
    socket.on('error', () => {});
    socket.end();
  })),
  'alert': () => listen(net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(Buffer.from('1503030002 02'.replace(' ', '') + words[0], 'hex')));
  })),
  'bad-frames': () => raw((socket, header) => socket.write(switched(header) + '\x83\x7e\x00\x10oops', 'latin1')),
  'http-in-frames': () => raw((socket, header) =>
    socket.write(switched(header) + 'HTTP/1.1 400 Bad Request\r\n\r\n')),
  'ssh': () => listen(net.createServer((socket) => {
    socket.on('error', () => {});
    socket.end('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n');
  })),
};

kinds[kind]();
