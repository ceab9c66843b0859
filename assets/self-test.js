// The browser's self-test: a socket to the address, a plain request to its host, and a socket to
// this service as control. What came of them is sent as an ordinary form.
"use strict";

const LONGEST = 10000;
const since = (start) => Math.round(performance.now() - start);
const latest = (value) => new Promise((done) => { setTimeout(() => done(value), LONGEST); });

function openSocket(url) {
  const start = performance.now();
  const seen = { opened: false, code: null, reason: "", clean: null, took: 0, error: "" };
  return new Promise((done) => {
    let socket;
    const tell = () => { seen.took = seen.took || since(start); done(seen); };
    try {
      socket = new WebSocket(url);
    } catch (error) {
      seen.error = `${error.name}: ${error.message}`;
      tell();
      return;
    }
    socket.addEventListener("open", () => {
      seen.opened = true;
      seen.took = since(start);
      // A server that does not like it closes soon after.
      setTimeout(() => { socket.close(1000); tell(); }, 1000);
    });
    socket.addEventListener("close", (event) => {
      [seen.code, seen.reason, seen.clean] = [event.code, event.reason, event.wasClean];
      tell();
    });
    setTimeout(() => { tell(); socket.close(); }, LONGEST);
  });
}

async function plainRequest(url) {
  const options = { mode: "no-cors", cache: "no-store", credentials: "omit", redirect: "follow" };
  const asked = fetch(url, options).then(() => true, () => false);
  return Promise.race([asked, latest(false)]);
}

function control(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const word = `hello ${Math.random()}`;
  const echoed = new Promise((done) => {
    try {
      const socket = new WebSocket(url);
      socket.addEventListener("open", () => socket.send(word));
      socket.addEventListener("message", (event) => { done(event.data === word); socket.close(1000); });
      socket.addEventListener("close", () => done(false));
    } catch {
      done(false);
    }
  });
  return Promise.race([echoed, latest(false)]);
}

async function test(form) {
  const words = form.dataset;
  const button = form.querySelector("button");
  button.disabled = true;
  const show = (part, words) => {
    const line = form.querySelector(`[data-part="${part}"]`);
    line.hidden = false;
    line.querySelector("b").textContent = words;
  };
  const noted = (part, running, works) => {
    show(part, words.waits);
    return running.then((value) => { show(part, works(value) ? words.works : words.fails); return value; });
  };
  const [ours, fetched, seen] = await Promise.all([
    noted("control", control(words.echo), (value) => value),
    noted("fetched", plainRequest(words.plain), (value) => value),
    noted("opened", openSocket(words.url), (value) => value.opened),
  ]);
  const result = {
    ...seen, url: words.url, control: ours, fetched,
    online: navigator.onLine, origin: location.origin, browser: navigator.userAgent,
  };
  form.querySelector("[name=result]").value = JSON.stringify(result);
  form.submit();
}

document.querySelectorAll("form.self-test").forEach((form) => {
  form.hidden = false;
  form.addEventListener("submit", (event) => { event.preventDefault(); test(form); });
});
