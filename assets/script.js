// Adds what only works with a script: buttons that copy. Everything else works without.
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
