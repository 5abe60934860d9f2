// The live part of a deployment's page: its state, and a window onto its log. The page is whole
// without it. Every piece of HTML here was made, and escaped, by the server.
"use strict";

const MOST = 3000; // lines on the page: more would make a browser slow
const NEAR = 600; // pixels from an end of the log at which the next lines are fetched
const AGAIN = 5000; // milliseconds until the server is asked again after it refused

const log = document.querySelector("#log");
const list = log.querySelector("ol");
const connection = document.querySelector("#connection");
const status = document.querySelector("#status");
const found = document.querySelector("#found");
const url = log.dataset.url;

let hasOlder = log.dataset.older === "yes";
let atEnd = log.dataset.end === "yes";
let following = atEnd && !log.dataset.at;
let fetching = false;

const number = (line) => (line ? Number(line.id.slice(1)) : 0);
const first = () => number(list.firstElementChild);
const last = () => number(list.lastElementChild);
const isAtBottom = () => log.scrollHeight - log.scrollTop - log.clientHeight < 40;
const toBottom = () => { log.scrollTop = log.scrollHeight; };

function trimStart() {
  while (list.children.length > MOST) { list.firstElementChild.remove(); hasOlder = true; }
}

function trimEnd() {
  while (list.children.length > MOST) { list.lastElementChild.remove(); atEnd = false; }
}

// Change the lines, and keep in place what is being read.
function keeping(change) {
  const anchor = [...list.children].find((line) => line.offsetTop + line.offsetHeight > log.scrollTop);
  const before = anchor ? anchor.offsetTop : 0;
  change();
  if (anchor && anchor.isConnected) log.scrollTop += anchor.offsetTop - before;
}

async function part(query) {
  const answer = await fetch(`${url}/log?${query}`, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
  return {
    html: await answer.text(),
    older: answer.headers.get("X-Older") === "yes",
    end: answer.headers.get("X-End") === "yes",
  };
}

async function once(work) {
  if (fetching) return;
  fetching = true;
  try {
    await work();
  } catch (error) {
    connection.textContent = "The log cannot be read at the moment.";
  } finally {
    fetching = false;
  }
}

const older = () => once(async () => {
  const got = await part(`before=${first()}`);
  keeping(() => {
    list.insertAdjacentHTML("afterbegin", got.html);
    hasOlder = got.older;
    trimEnd();
  });
});

const newer = () => once(async () => {
  const got = await part(`after=${last()}`);
  keeping(() => {
    list.insertAdjacentHTML("beforeend", got.html);
    atEnd = got.end;
    trimStart();
  });
});

const show = (query, then) => once(async () => {
  const got = await part(query);
  list.innerHTML = got.html;
  hasOlder = got.older;
  atEnd = got.end;
  then();
});

log.addEventListener("scroll", () => {
  following = atEnd && isAtBottom();
  if (hasOlder && log.scrollTop < NEAR) older();
  else if (!atEnd && log.scrollHeight - log.scrollTop - log.clientHeight < NEAR) newer();
}, { passive: true });

const PARTS = {
  first: () => show("after=0", () => { log.scrollTop = 0; }),
  last: () => show("", () => { following = true; toBottom(); }),
};
for (const link of document.querySelectorAll("#parts a")) {
  const act = PARTS[link.dataset.part];
  // Scrolling does what the others do.
  if (!act) { link.hidden = true; continue; }
  link.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    act();
    log.focus();
  });
}

async function search(query) {
  found.textContent = "Looking…";
  try {
    found.innerHTML = (await part(query)).html;
    document.querySelector("#found-said").textContent = found.querySelector("h3")?.textContent ?? "";
  } catch (error) {
    found.textContent = "The log cannot be searched at the moment.";
  }
}

document.querySelector("#search").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = event.target.elements.q.value;
  if (text.trim()) search(new URLSearchParams({ q: text })); else found.textContent = "";
});

found.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  if ("more" in link.dataset) { search(new URL(link.href).search.slice(1)); return; }
  const wanted = link.dataset.line;
  show(`line=${wanted}`, () => {
    following = false;
    const line = document.querySelector(`#L${wanted}`);
    if (!line) return;
    line.classList.add("at");
    log.scrollTop = line.offsetTop - log.clientHeight / 2;
    line.querySelector("a").focus({ preventScroll: true });
  });
});

// The state

function setState(html) {
  const state = document.querySelector("#state");
  const focused = state.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  state.innerHTML = html;
  if (focused) state.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  const said = state.querySelector("[data-said]").dataset.said;
  if (status.textContent !== said) status.textContent = said;
  tick();
}

function duration(seconds) {
  if (seconds < 9.95) return `${Math.max(seconds, 0).toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${whole % 60}s`;
  return `${Math.floor(whole / 3600)}h ${Math.floor((whole % 3600) / 60)}m`;
}

function tick() {
  for (const each of document.querySelectorAll("[data-since]")) {
    each.textContent = duration(Date.now() / 1000 - Number(each.dataset.since));
  }
}

function addLines(html, isTail) {
  if (!atEnd) return; // they are fetched when somebody scrolls there
  if (isTail && !following) {
    atEnd = false; // what is being read stays; the rest is fetched when somebody scrolls there
  } else if (isTail) {
    list.innerHTML = html;
    hasOlder = true;
  } else if (following) {
    list.insertAdjacentHTML("beforeend", html);
    trimStart();
  } else {
    keeping(() => { list.insertAdjacentHTML("beforeend", html); trimStart(); });
  }
  if (following) toBottom();
}

function listen() {
  const source = new EventSource(`${url}/events?after=${seen}`);
  source.addEventListener("open", () => { connection.textContent = "Live"; });
  source.addEventListener("state", (event) => setState(event.data));
  for (const kind of ["log", "tail"]) {
    source.addEventListener(kind, (event) => {
      seen = Number(event.lastEventId);
      addLines(event.data, kind === "tail");
    });
  }
  source.addEventListener("end", () => {
    source.close();
    clearInterval(ticking);
    connection.textContent = "The end";
  });
  source.addEventListener("error", () => {
    connection.textContent = "Connecting again…";
    // A browser comes back by itself, unless it was refused.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN);
  });
}

if (log.dataset.at) {
  const line = document.querySelector(`#L${log.dataset.at}`);
  if (line) log.scrollTop = line.offsetTop - log.clientHeight / 2;
} else if (atEnd) {
  toBottom();
}
let seen = last();
let ticking = 0;
if (log.dataset.live === "yes") {
  ticking = setInterval(tick, 1000);
  listen();
}
