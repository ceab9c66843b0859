// Adds what works only with a script: buttons that copy, a probe that is watched live. Everything
// else works without.
"use strict";

const { copy, copied } = document.body.dataset;

function addCopyButton(block) {
  const code = block.querySelector("code");
  if (!code || !navigator.clipboard) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = copy;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent.replace(/\n$/, ""));
      button.textContent = copied;
      setTimeout(() => { button.textContent = copy; }, 2000);
    } catch {
      getSelection().selectAllChildren(code);
    }
  });
  block.append(button);
}

document.querySelectorAll(".code").forEach(addCopyButton);

// A place inside a folded part is shown when something leads there.
function unfold() {
  const place = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  const fold = place && place.closest("details:not([open])");
  if (fold) {
    fold.open = true;
    place.scrollIntoView();
  }
}
addEventListener("hashchange", unfold);
unfold();

// A probe that runs: its stages as they end. When it is over the page is loaded again, whole.
function follow(card) {
  const words = card.dataset;
  const status = card.querySelector("[data-status]");
  const signs = { ok: "✓", failed: "✗", skipped: "–", not_reached: "–", running: "…" };
  const show = (stage, state, took, detail) => {
    const rung = card.querySelector(`[data-stage="${CSS.escape(stage)}"]`);
    if (!rung) return;
    rung.className = state;
    rung.querySelector(".sign").textContent = signs[state];
    rung.querySelector(".state").textContent = words[state];
    rung.querySelector(".took").textContent = took;
    rung.querySelector(".about").textContent = detail;
    status.textContent = `${rung.querySelector("b").textContent}: ${words[state]}`;
  };
  const heading = card.querySelector("h1");
  const text = heading.nextElementSibling;
  const again = () => location.reload();
  const events = new EventSource(words.follow);
  events.addEventListener("began", () => { heading.textContent = words.heading; text.textContent = words.text; });
  events.addEventListener("began", (event) => show(JSON.parse(event.data).stage, "running", "", ""));
  events.addEventListener("stage", (event) => {
    const stage = JSON.parse(event.data);
    const was = stage.state === "ok" || stage.state === "failed";
    const took = was ? words.milliseconds.replace("{count}", stage.took_ms) : "";
    show(stage.stage, stage.state, took, stage.detail);
  });
  events.addEventListener("done", () => { events.close(); again(); });
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED) setTimeout(again, 3000);
  });
}

document.querySelectorAll("[data-follow]").forEach(follow);
