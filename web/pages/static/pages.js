// Conveniences; all pages work without them. "/" focuses the search, arrow keys move in a grid,
// the search suggests titles, and a page that changes by itself is read again.
"use strict";

const search = document.querySelector("input[type=search]");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.target instanceof Element)) return;
  const isTyping = event.target.closest("input, select, textarea");
  if (event.key === "/" && search && !isTyping) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key.startsWith("Arrow") && !isTyping) {
    moveInGrid(event);
  }
});

// Move the focus to the card beside, above or below the one that has it.
function moveInGrid(event) {
  const grid = event.target.closest("[data-arrows]");
  if (!grid) return;
  const links = [...grid.querySelectorAll("a:not([tabindex])")];
  const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  const next = links[links.indexOf(event.target) + steps[event.key]];
  if (next) {
    event.preventDefault();
    next.focus();
  }
}

if (search && search.dataset.suggest) suggestTitles(search);

// Offer the beginnings of titles and names as one types.
function suggestTitles(input) {
  let timer = 0;
  let asked = "";
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 150);
  });

  async function ask() {
    const text = input.value.trim();
    if (text.length < 2 || text === asked) return;
    asked = text;
    try {
      const response = await fetch(`${input.dataset.suggest}?q=${encodeURIComponent(text)}`);
      if (!response.ok || text !== asked) return;
      const titles = await response.json();
      input.list.replaceChildren(...titles.map((title) => new Option(title, title)));
    } catch {
      // Without a connection there are no suggestions.
    }
  }
}

const changing = document.querySelector("main[data-refresh-seconds]");
if (changing) refreshLater();

// The page says when: a fetch that begins or ends changes it.
function refreshLater() {
  setTimeout(refresh, 1000 * Number(changing.dataset.refreshSeconds));
}

// Read this page again while it can be seen, and show its content.
async function refresh() {
  try {
    if (!document.hidden && !changing.contains(document.activeElement)) await readAgain();
  } catch {
    // The next time may succeed.
  }
  refreshLater();
}

async function readAgain() {
  const response = await fetch(location.href);
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const main = page.querySelector("main");
  changing.dataset.refreshSeconds = main.dataset.refreshSeconds;
  changing.replaceChildren(...main.childNodes);
}
